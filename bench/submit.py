"""P3: how long the API takes for `POST /tasks/{id}/process`, with Redis up and with Redis down. Server time.

    python -m bench.submit [quick]

One API process and no worker beside it: what workers cost is measured elsewhere. Submits come one after the other, and
then from several customers at once. After each of those one after the other 8 KiB are written to the same disk, so that
a slow disk and a slow product can be told apart.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import httpx

from bench.alone import main
from bench.measure import Figure, Surroundings
from bench.quantiles import in_milliseconds, quantile

BARS_MS = {"p50": (0.5, 5.0), "p99": (0.99, 15.0)}
AT_ONCE = 4
WARM = 30  # submits until every connection and cache is there
PATIENCE = 30.0
BLOCK = bytes(8192)
FILE = b"name,age\nann,31\nbob,27\n"


def measure(given: Surroundings) -> Iterable[Figure]:
    count = 100 if given.quick else 800
    with _api(given) as http:
        disk = Disk(given.scratch / "disk")
        _submitted(http, "noop", WARM, disk)
        disk.seconds()
        up, disk_up = _submitted(http, "noop", count, disk), disk.seconds()
        crowd = _side_by_side(http, "noop", count)
        with_file = _submitted(http, "five", count // 5, disk)
        assert given.stack.redis is not None
        given.stack.redis.stop()
        disk.seconds()
        down, disk_down = _submitted(http, "noop", count, disk), disk.seconds()
        given.stack.redis.start()
        given.stack.redis.ready()
    detail: Mapping[str, object] = {
        "redis_up": in_milliseconds(up),
        "redis_down": in_milliseconds(down),
        "the_disk_alone_beside_redis_up": in_milliseconds(disk_up),
        "the_disk_alone_beside_redis_down": in_milliseconds(disk_down),
        f"{AT_ONCE}_at_once": in_milliseconds(crowd),
        "with_a_file_in_the_stack's_store": in_milliseconds(with_file),
    }
    for where, seconds in (("", up), (", Redis down", down)):
        for name, (share, bar) in BARS_MS.items():
            yield Figure(
                id="P3" if (where, name) == ("", "p50") else f"P3 {name}{where}",
                title=f"Submit{where}, {name}",
                unit="ms",
                ours=1000 * quantile(seconds, share),
                bar=bar,
                detail=detail,
                note="Server time of POST /process: sign-in, checks, row, hold and event in one commit (fsync), 202.",
            )


class Disk:
    """What a commit waits for, without a database: a block on the same disk, and its fsync."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seconds: list[float] = []

    def write(self) -> None:
        with self._path.open("ab", buffering=0) as file:
            file.write(BLOCK)
            began = perf_counter()
            os.fsync(file.fileno())
            self._seconds.append(perf_counter() - began)

    def seconds(self) -> list[float]:
        """Of each write since this was last asked."""
        seconds, self._seconds = self._seconds, []
        return seconds


@contextmanager
def _api(given: Surroundings) -> Iterator[httpx.Client]:
    """A client of the product behind a clock, signed in."""
    from backend.chaos.deployment import PATIENCE as START
    from backend.chaos.deployment import Deployment
    from backend.ports import LOOPBACK, free_port
    from backend.product import answers

    house = Deployment(given.stack, "prefork", given.scratch, given.stack.database_url, {"SIGNUP_CREDITS": "1000000"})
    port = free_port()
    api = house.process(
        "api", "uvicorn", "bench.timed_api:app", "--host", LOOPBACK, "--port", str(port), "--no-access-log"
    )
    api.start()
    try:
        api.wait_until(lambda: answers(f"http://{LOOPBACK}:{port}/healthz"), START)
        with httpx.Client(base_url=f"http://{LOOPBACK}:{port}", timeout=PATIENCE) as http:
            account = {"email": "bench@example.com", "password": "correct horse battery staple"}
            token = http.post("/auth/register", json=account).raise_for_status().json()["access_token"]
            http.headers["Authorization"] = f"Bearer {token}"
            yield http
    finally:
        api.stop()


def _submitted(http: httpx.Client, tool_id: str, count: int, disk: Disk) -> list[float]:
    """Seconds of server time of each of `count` submits, one after the other."""
    for task in _created(http, tool_id, count):
        http.post(f"/tasks/{task}/process").raise_for_status()
        disk.write()
    return _times(http, count)


def _side_by_side(http: httpx.Client, tool_id: str, count: int) -> list[float]:
    tasks = _created(http, tool_id, count)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for answer in threads.map(lambda task: http.post(f"/tasks/{task}/process"), tasks):
            answer.raise_for_status()
    return _times(http, count)


def _times(http: httpx.Client, count: int) -> list[float]:
    seconds: list[float] = http.get("/bench-times").json()
    assert len(seconds) == count
    return seconds


def _created(http: httpx.Client, tool_id: str, count: int) -> list[str]:
    tasks = []
    for _ in range(count):
        created = http.post("/tasks", json={"tool_id": tool_id}).raise_for_status().json()
        tasks.append(created["task_id"])
        if tool_id == "five":
            _upload(http, created["task_id"])
    return tasks


def _upload(http: httpx.Client, task: str) -> None:
    headers = {"Content-Type": "text/csv"}
    http.put(f"/tasks/{task}/inputs/primary?filename=people.csv", content=FILE, headers=headers).raise_for_status()


if __name__ == "__main__":
    main("P3", *sys.argv[1:] or ["whole"])
