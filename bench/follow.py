"""P8: how quickly those who follow tasks learn of them, that nothing is lost, and how many may poll.

    python -m bench.follow [quick]

One API process as the product starts it, 1,000 watchers in another process, 100 events a second by the product's own
statements; then as many connections dropped at random; then one task polled with its ETag. Loopback only.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psutil

from backend.processes import Process
from backend.product import ROOT
from bench.alone import main
from bench.event_writer import Writer
from bench.measure import Figure, Surroundings
from db.claims import Claim

CUSTOMERS = 20
TASKS = 184  # of one to ten watchers each, 5.5 on average
WATCHERS = 1_000
EVENTS_A_SECOND = 100
WRITERS = 4  # so many workers
PATIENCE = 60.0
LEASE = timedelta(minutes=10)
BAR_MS, BAR_POLLS = 250.0, 1_000.0
WRONG = ("lost", "doubled_or_out_of_order", "without_a_last_event", "behind_the_log", "progress_went_down")


@dataclass(frozen=True)
class Extent:
    """How many watch, and for how long: calm, with connections dropped, and polling."""

    watchers: int = WATCHERS
    calm: float = 12.0
    drops: int = 1_000
    dropping: float = 12.0
    polling: float = 6.0


QUICK = Extent(200, 2.0, 100, 1.5, 2.0)


def measure(given: Surroundings) -> Iterable[Figure]:
    extent = QUICK if given.quick else Extent()
    with _api(given) as (api, port):
        claims, tokens = _tasks()
        followed = _following(api, port, claims, tokens, extent)
        polled = _polling(api, port, extent.polling)
    yield _late(followed, "", "p99_ms", BAR_MS, extent)
    yield _late(followed, " while dropping", "p99_ms_while_dropping", None, extent)
    yield Figure(
        id="P8 wrong",
        title="Events lost, doubled, out of order, or without an end",
        unit="events",
        ours=float(sum(followed[name] for name in WRONG)),
        bar=0.0,
        detail=followed,
        note=f"{followed['deliveries']:,} deliveries; {followed['dropped']:,} connections dropped without a word.",
    )
    yield Figure(
        id="P8 polling",
        title="Polling a task with its ETag, one API process",
        unit="/s",
        ours=polled["a_second"],
        bar=BAR_POLLS,
        less_is_better=False,
        detail=polled,
        note="GET /tasks/{id} with If-None-Match, 16 connections, each asking again at once; 304 until it changes.",
    )


def _late(followed: Mapping[str, Any], when: str, name: str, bar: float | None, extent: Extent) -> Figure:
    return Figure(
        id=f"P8{when}",
        title=f"Event committed → with the client{when}, p99",
        unit="ms",
        ours=followed[name],
        bar=bar,
        detail={name: value for name, value in followed.items() if name.endswith(("_ms", "_share", "_a_second"))},
        note=f"{extent.watchers:,} streams of one API process, {EVENTS_A_SECOND} events a second in total.",
    )


@contextmanager
def _api(given: Surroundings) -> Iterator[tuple[Process, int]]:
    """One process of it, as the product starts it, and its port."""
    from backend.chaos.deployment import Deployment
    from backend.ports import LOOPBACK, free_port
    from backend.product import answers

    house, port = Deployment(given.stack, "prefork", given.scratch, given.stack.database_url), free_port()
    api = house.process(
        "api", "uvicorn", "backend.main:app", "--host", LOOPBACK, "--port", str(port), "--no-access-log"
    )
    api.start()
    try:
        api.wait_until(lambda: answers(f"http://{LOOPBACK}:{port}/healthz"), PATIENCE)
        yield api, port
    finally:
        api.stop()


def _tasks() -> tuple[list[Claim], dict[int, str]]:
    """Tasks at work, of some customers, and each customer's token."""
    from api.credentials import access_token
    from tests import builders

    users = [builders.customer(10**6) for _ in range(CUSTOMERS)]
    claims = [builders.claimed_task(users[number % CUSTOMERS], lease=LEASE) for number in range(TASKS)]
    return claims, {user: access_token(user, 0) for user in users}


def _following(
    api: Process, port: int, claims: Sequence[Claim], tokens: Mapping[int, str], extent: Extent
) -> dict[str, Any]:
    every = [claim for number, claim in enumerate(claims) for _ in range(number % 10 + 1)]
    each = every[:: len(every) // extent.watchers][: extent.watchers]
    watchers = [(str(claim.task_id), tokens[claim.user_id]) for claim in each]
    orders = {"port": port, "watchers": watchers, "drops": extent.drops, "drop_seconds": extent.dropping}
    client = _client("bench.event_client", json.dumps(orders))
    assert client.stdout is not None
    assert client.stdin is not None
    assert client.stdout.readline() == "ready\n"
    writers = [Writer(claims[part::WRITERS], EVENTS_A_SECOND / WRITERS) for part in range(WRITERS)]
    for writer in writers:
        writer.start()
    busy = _busy(api.pid)
    threading.Event().wait(extent.calm)
    calm = _busy(api.pid) - busy
    client.stdin.write("drop\n")
    client.stdin.flush()
    assert client.stdout.readline() == "dropped\n"
    dropping = _busy(api.pid) - busy - calm
    last = {task: seq for writer in writers for task, seq in writer.finish().items()}
    found: dict[str, Any] = json.loads(client.stdout.readline())
    client.wait(PATIENCE)
    seen = found.pop("last_seen")
    return found | {
        "events_a_second": round(sum(writer.written / writer.seconds for writer in writers), 1),
        "behind_the_log": sum(seen[task] != seq for task, seq in last.items() if task in seen),
        "api_cpu_share": round(calm / extent.calm, 2),
        "api_cpu_share_while_dropping": round(dropping / extent.dropping, 2),
    }


def _polling(api: Process, port: int, seconds: float) -> dict[str, Any]:
    from api.credentials import access_token
    from tests import builders

    claim = builders.claimed_task(lease=LEASE)
    busy = _busy(api.pid)
    token = access_token(claim.user_id, 0)
    client = _client("bench.poll_client", "", str(port), str(claim.task_id), token, str(seconds))
    assert client.stdout is not None
    found: dict[str, Any] = json.loads(client.stdout.readline())
    client.wait(PATIENCE)
    busy = _busy(api.pid) - busy
    return found | {
        "a_second": round(found["requests"] / found["seconds"]),
        "a_cpu_second_of_the_api": round(found["requests"] / busy),
    }


def _client(module: str, orders: str, *arguments: str) -> "subprocess.Popen[str]":
    client = subprocess.Popen(
        [sys.executable, "-m", module, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert client.stdin is not None
    client.stdin.write(f"{orders}\n")
    client.stdin.flush()
    return client


def _busy(pid: int) -> float:
    """CPU seconds so far."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main("P8", *sys.argv[1:] or ["whole"])
