"""A worker's slot in this very process, without Celery: for what is counted or written down while a task runs."""

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import update

from bench import house
from bench.measure import Surroundings
from celery_queue.heartbeat import heartbeat
from celery_queue.slots import WorkerSlot
from db.database import transaction
from db.models import CLOCK, Task


@contextmanager
def one_slot(given: Surroundings) -> Iterator[WorkerSlot]:
    from backend.settings import get_settings

    os.environ["SCRATCH_DIR"] = str(given.scratch / "slot")
    get_settings.cache_clear()
    slot = WorkerSlot(get_settings())
    slot.warm()
    try:
        yield slot
    finally:
        slot.close()


def admitted(user_id: int, tool_id: str, inputs: Mapping[str, object]) -> uuid.UUID:
    """A task that may be claimed, without anybody having been rung."""
    task_id = house.submit(user_id, tool_id, inputs)
    with transaction() as session:
        session.execute(update(Task).where(Task.id == task_id).values(admitted_at=CLOCK))
    return task_id


def run(slot: WorkerSlot, task_id: uuid.UUID, user_id: int) -> None:
    """From the claim to the settlement."""
    claim = slot.take(task_id, user_id)
    assert claim is not None
    with heartbeat().hold(claim) as held:
        slot.run(held, lambda _percent, _agent: None)
