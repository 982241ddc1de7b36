"""`python -m bench.follow`: how quickly those who follow tasks learn of them, and that nothing is lost.

One API process as the product starts it, 1,000 watchers in another process, 100 events a second by the product's own
statements; then 1,000 connections dropped at random; then one task polled with its ETag. Loopback only; about a minute.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import psutil

from backend.clock import monotonic
from backend.devstack import Stack, embedded_stack
from backend.ports import free_port
from backend.processes import Process
from backend.product import ROOT, answers, api_command, product_environment
from db.claims import Claim

CUSTOMERS = 20
TASKS = 184  # of one to ten watchers each, 5.5 on average
WATCHERS = 1_000
EVENTS_A_SECOND = 100
WRITERS = 4  # so many workers
CALM_SECONDS = 15.0
DROPS = 1_000
DROP_SECONDS = 15.0
POLL_SECONDS = 6.0
PATIENCE = 60.0
LEASE = timedelta(minutes=10)


def main() -> int:
    with tempfile.TemporaryDirectory() as directory, embedded_stack(Path(directory)) as stack:
        environment = {**product_environment(stack), "AGENSIUM_NO_ENV_FILE": "1", "PYTHONPATH": str(ROOT)}
        os.environ.update(environment)
        found = _measured(stack, environment, Path(directory))
    print(json.dumps(found, indent=2))
    bars = {
        "p99 event → client ≤ 250 ms": found["following"]["p99_ms"] <= 250,
        "0 lost, 0 doubled, in order, each to its end": not any(
            found["following"][name]
            for name in (
                "lost",
                "doubled_or_out_of_order",
                "without_a_last_event",
                "behind_the_log",
                "progress_went_down",
            )
        ),
        "polls ≥ 1,000 a second": found["polling"]["a_second"] >= 1_000,
    }
    for bar, held in bars.items():
        print(f"{'held ' if held else 'MISSED'} {bar}")
    return 0 if all(bars.values()) else 1


def _measured(stack: Stack, environment: Mapping[str, str], directory: Path) -> dict[str, Any]:
    from db.schema import migrate

    migrate(stack.database_url)
    port = free_port()
    command = [sys.executable, "-m", *api_command(port, reload=False), "--no-access-log"]
    api = Process("api", command, directory / "api.log", environment=dict(os.environ) | dict(environment))
    api.start()
    try:
        api.wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), PATIENCE)
        claims, tokens = _tasks()
        return {
            "load_average": round(psutil.getloadavg()[0], 1),
            "following": _following(api, port, claims, tokens),
            "polling": _polling(api, port),
        }
    finally:
        api.stop()
        print(api.log_tail(), file=sys.stderr)


def _tasks() -> tuple[list[Claim], dict[int, str]]:
    """Tasks at work, of some customers, and each customer's token."""
    from api.credentials import access_token
    from tests import builders

    users = [builders.customer(10**6) for _ in range(CUSTOMERS)]
    claims = [builders.claimed_task(users[number % CUSTOMERS], lease=LEASE) for number in range(TASKS)]
    return claims, {user: access_token(user) for user in users}


def _following(api: Process, port: int, claims: Sequence[Claim], tokens: Mapping[int, str]) -> dict[str, Any]:
    each = [claim for number, claim in enumerate(claims) for _ in range(number % 10 + 1)][:WATCHERS]
    watchers = [(str(claim.task_id), tokens[claim.user_id]) for claim in each]
    orders = {"port": port, "watchers": watchers, "drops": DROPS, "drop_seconds": DROP_SECONDS}
    client = _client("bench.event_client", json.dumps(orders))
    assert client.stdout is not None
    assert client.stdin is not None
    assert client.stdout.readline() == "ready\n"
    writers = [_Writer(claims[part::WRITERS], EVENTS_A_SECOND / WRITERS) for part in range(WRITERS)]
    for writer in writers:
        writer.start()
    busy = _busy(api.pid)
    threading.Event().wait(CALM_SECONDS)
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
        "api_cpu_share": round(calm / CALM_SECONDS, 2),
        "api_cpu_share_while_dropping": round(dropping / DROP_SECONDS, 2),
    }


class _Writer(threading.Thread):
    """Steps at random tasks, `a_second` of them, each as a worker writes it."""

    def __init__(self, claims: Sequence[Claim], a_second: float) -> None:
        super().__init__(daemon=True)
        self._claims = claims
        self._a_second = a_second
        self._enough = threading.Event()
        self._progress = dict.fromkeys((claim.task_id for claim in claims), 0.0)
        self.written, self.seconds = 0, 0.0

    def run(self) -> None:
        from tests import builders

        chance, began = Random(4), monotonic()
        while not self._enough.wait(max(0.0, began + self.written / self._a_second - monotonic())):
            claim = chance.choice(self._claims)
            self._progress[claim.task_id] = min(99.0, self._progress[claim.task_id] + chance.random())
            builders.deliver(claim, f"agent-{self.written}", amount=0, progress=self._progress[claim.task_id])
            self.written += 1
        self.seconds = monotonic() - began

    def finish(self) -> dict[str, int]:
        """Every task ends; the number of its last event."""
        from db import endings
        from db.database import transaction
        from db.endings import Ending
        from tests import builders

        self._enough.set()
        self.join()
        for claim in self._claims:
            with transaction() as session:
                endings.settle(session, claim, Ending("success", "no manifest"))
        return {str(claim.task_id): builders.read(claim.task_id).last_event for claim in self._claims}


def _polling(api: Process, port: int) -> dict[str, Any]:
    from api.credentials import access_token
    from tests import builders

    claim = builders.claimed_task(lease=LEASE)
    busy = _busy(api.pid)
    token = access_token(claim.user_id)
    client = _client("bench.poll_client", "", str(port), str(claim.task_id), token, str(POLL_SECONDS))
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
    sys.exit(main())
