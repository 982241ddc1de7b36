"""Prefork forks a child for each one it lost, out of a process in which the conductor's threads are at work.

Whatever lock one of them held at that moment would be held for ever in the child (fork_gate.py). So two hundred
children are killed as fast as they are replaced, with rounds, rings and submits going on, and then every slot must
work. A lock that is nearly always held (lock_keeper.py) shows what the gates are for: the conductor's own are held so
shortly that two hundred forks without gates may meet none. Two are spared: a worker of whose slots none lives long
enough to take a task is deaf, and its watchdog ends it.
"""

import os
import threading
from collections.abc import Iterator

import psutil
import psycopg
import pytest

from backend.chaos.deployment import Deployment
from backend.clock import monotonic
from backend.devstack import Stack
from db.database import libpq_url
from tests.acceptance.house import House
from tests.celery_queue import lock_keeper
from tests.waiting import eventually

KILLS = 200
SLOTS = 8
SPARED = 2
PATIENCE = 90.0
SETTINGS = {
    "CELERY_WORKER_CONCURRENCY": str(SLOTS),
    "TIME_LIMIT_SECONDS": "60",
    "NO_PROGRESS_SECONDS": "30",
    "EXTRA_TOOLS": lock_keeper.EXTRA_TOOLS,
}

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows"),
    pytest.mark.timeout(240),
]


@pytest.fixture
def house(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(stack, "prefork", tmp_path_factory.mktemp("storm"))
    house.environment.update(SETTINGS)
    try:
        house.open()
        yield house
    finally:
        house.close()


def kill_slots(house: Deployment, kills: int) -> None:
    """Kill each child of the worker as soon as it is seen, but the spared ones."""
    worker = house.worker
    spared = {slot.pid for slot in house.slots_of(worker)[:SPARED]}
    killed: set[int] = set()
    pause, deadline = threading.Event(), monotonic() + PATIENCE
    while len(killed) < kills:
        assert monotonic() < deadline, f"only {len(killed)} children came\n{house.log()[-4000:]}"
        for slot in house.slots_of(worker):
            if slot.pid not in killed | spared and slot.status() != psutil.STATUS_ZOMBIE:
                slot.kill()
                killed.add(slot.pid)
        pause.wait(0.005)


def submit_until(house: House, stop: threading.Event, submitted: list[str]) -> None:
    while not stop.wait(0.4):
        submitted.append(house.submit())


def last_seen(house: House) -> float:
    with psycopg.connect(libpq_url(house.database_url)) as connection:
        row = connection.execute("SELECT extract(epoch FROM max(seen_at)) FROM workers").fetchone()
    assert row is not None
    return float(row[0])


def at_work(house: House) -> int:
    with psycopg.connect(libpq_url(house.database_url)) as connection:
        row = connection.execute("SELECT count(*) FROM tasks WHERE status = 'PROCESSING'").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.long
def test_two_hundred_killed_slots_leave_a_worker_whose_every_slot_works(house: House) -> None:
    worker, submitted, over = house.worker.pid, list[str](), threading.Event()
    customer = threading.Thread(target=submit_until, args=(house, over, submitted))
    customer.start()
    try:
        kill_slots(house, KILLS)
    finally:
        over.set()
        customer.join()

    after = last_seen(house)
    eventually(lambda: last_seen(house) > after + 1.0, PATIENCE)  # rounds go on
    for task_id in submitted:
        assert house.ended(task_id)["status"] == "COMPLETED"

    together = [house.submit(parameters={"second": {"act": "wait", "seconds": 4}}) for _ in range(SLOTS)]
    eventually(lambda: at_work(house) == SLOTS, PATIENCE)  # no slot waits for a lock that nobody will open
    assert [house.ended(task_id)["status"] for task_id in together] == ["COMPLETED"] * SLOTS
    assert house.worker.pid == worker, "the worker itself has lived through it"
    assert house.log().count(lock_keeper.COMPLAINT) == 0
    house.prove()
