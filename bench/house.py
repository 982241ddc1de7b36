"""The product as it runs, for a measure to put tasks before: a worker of its own, customers, rows, and how they ended.

Import it when the settings are known, that is inside a measure's function.
"""

import itertools
import os
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

import psutil
from sqlalchemy import func, select

from backend.chaos.deployment import Deployment
from backend.clock import monotonic
from backend.ports import LOOPBACK, free_port
from backend.processes import AT_ONCE, Process
from backend.product import answers
from bench.measure import Surroundings
from bench.tools import NOTHING
from db import accounts, task_store
from db.database import transaction
from db.models import TERMINAL, Task, TaskStep
from db.task_store import Submission
from transformers.catalog import tool_for

CREDITS = 1_000_000_000
LOOK_SECONDS = 0.05
_numbers = itertools.count(1)


@contextmanager
def slow_store(given: Surroundings) -> Iterator[dict[str, str]]:
    """A store that takes a millisecond for each call; the settings that lead to it, also in this process."""
    port = free_port()
    command = [sys.executable, "-m", "bench.slow_store", str(port)]
    store = Process("store", command, given.scratch / "store.log", environment=dict(os.environ), stop_signal=AT_ONCE)
    store.start()
    settings = {"S3_ENDPOINT_URL": f"http://{LOOPBACK}:{port}"}
    os.environ.update(settings)
    try:
        store.wait_until(lambda: answers(f"{settings['S3_ENDPOINT_URL']}/agensium"), 20.0)
        yield settings
    finally:
        store.kill()


@contextmanager
def worker(given: Surroundings, slots: int = 2, settings: Mapping[str, str] | None = None) -> Iterator[Deployment]:
    """A prefork worker with so many slots, ready; gone at the end of the block."""
    house = _deployment(given, slots, settings or {})
    try:
        house.start_worker()
        yield house
    finally:
        house.close()


@contextmanager
def worker_of(given: Surroundings, app: str, slots: int) -> Iterator[Process]:
    """The same of another Celery app than the product's."""
    command = ("celery", "-A", app, "worker", "--pool=prefork", "--without-gossip", "--without-mingle")
    process = _deployment(given, slots, {}).process("worker", *command)
    process.start()
    try:
        process.wait_until(lambda: b"worker ready" in process.log.read_bytes(), 40.0)
        yield process
    finally:
        process.kill()


def _deployment(given: Surroundings, slots: int, settings: Mapping[str, str]) -> Deployment:
    directory = given.scratch / f"house{next(_numbers)}"
    directory.mkdir()
    own = {"CELERY_WORKER_CONCURRENCY": str(slots), **settings}
    return Deployment(given.stack, "prefork", directory, given.stack.database_url, own)


def customer() -> int:
    with transaction() as session:
        return accounts.register(session, f"bench-{next(_numbers)}@example.org", "no hash", CREDITS).id


def tiny_table(user_id: int) -> dict[str, object]:
    """The inputs of a task whose table has two rows: uploaded once, read by every task."""
    from backend.doors import get_doors

    storage, body = get_doors().storage, b"a,b\n1,2\n3,4\n"
    key = f"users/{user_id}/tiny.csv"
    storage.put_bytes(key, body, "text/csv")
    found = storage.head(key)
    assert found is not None
    return {"primary": [{"key": key, "filename": "tiny.csv", "size": len(body), "etag": found.etag}]}


def submit(user_id: int, tool_id: str, inputs: Mapping[str, object] | None = None) -> uuid.UUID:
    """A task as `POST /process` leaves it: queued, its credits held, the conductors woken."""
    prices = {step.id: step.price for step in tool_for(tool_id).steps} if tool_id != NOTHING.id else {}
    with transaction() as session:
        task = task_store.create(session, user_id, tool_id, list(prices), {})
        return task_store.submit(session, task, Submission(list(prices), prices, dict(inputs or {}), 1.0)).id


def await_ended(wanted: Sequence[uuid.UUID], patience: float) -> list[Task]:
    """Their rows, when all have ended well. Raises SystemExit where they have not, or too late."""
    pause, deadline = threading.Event(), monotonic() + patience
    while ended_of(wanted[-1:]) == 0 or ended_of(wanted) < len(wanted):  # a look at all takes from what is measured
        if monotonic() > deadline:
            raise SystemExit(f"{ended_of(wanted)} of {len(wanted)} tasks ended in {patience:g} s")
        pause.wait(LOOK_SECONDS)
    with transaction() as session:
        rows = list(session.scalars(select(Task).where(Task.id.in_(wanted)).order_by(Task.finished_at)))
    if bad := [f"{row.status} {row.error_code}: {row.error_detail}" for row in rows if row.outcome != "success"]:
        raise SystemExit(f"{len(bad)} tasks did not end well; the first: {bad[0]}")
    return rows


def ended_of(wanted: Sequence[uuid.UUID]) -> int:
    counted = select(func.count()).where(Task.id.in_(wanted), Task.status.in_(TERMINAL))
    with transaction() as session:
        return session.scalar(counted) or 0


def a_second(rows: Sequence[Task]) -> float:
    """Tasks a second, from the first end to the last."""
    ended = sorted(row.finished_at for row in rows if row.finished_at is not None)
    return (len(ended) - 1) / (ended[-1] - ended[0]).total_seconds()


def seconds_of(row: Task) -> float:
    """From the claim to the end, on the database's clock."""
    assert isinstance(row.finished_at, datetime)
    assert isinstance(row.started_at, datetime)
    return (row.finished_at - row.started_at).total_seconds()


def computed_seconds(task_id: uuid.UUID) -> float:
    """What its agents took by themselves, as their results tell it: Python's own clock around each function."""
    from backend.doors import get_doors
    from transformers import artifacts

    with transaction() as session:
        steps = list(session.scalars(select(TaskStep).where(TaskStep.task_id == task_id)))
    left = (artifacts.of_step(get_doors().storage, step) for step in steps)
    return sum(one.result.execution_time_ms for one in left if one is not None) / 1000


def busy_seconds(pid: int) -> float:
    """CPU seconds so far, of the process and all that it started."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(times.user + times.system for times in (process.cpu_times() for process in family))
