import uuid

import pytest

from backend.chaos.observer import Observer, Watcher
from db.database import transactions_at
from db.evidence import Standing
from db.models import TaskStatus
from tests import builders
from tests.waiting import eventually

TASK = uuid.uuid4()


def standing(status: TaskStatus = TaskStatus.PROCESSING, *, epoch: int = 1, progress: float = 33.0) -> Standing:
    return Standing(TASK, status, epoch, progress, None)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (standing(), standing(progress=66.0), ""),
        (standing(), standing(TaskStatus.QUEUED, epoch=2), ""),
        (standing(TaskStatus.CREATED, epoch=0), standing(TaskStatus.COMPLETED, progress=100.0), ""),
        (standing(), standing(progress=32.9), "down to 32.9"),
        (standing(epoch=2), standing(), "epoch went from 2 down to 1"),
        (standing(TaskStatus.COMPLETED), standing(TaskStatus.CANCELLED), "from COMPLETED it came to CANCELLED"),
        (standing(), standing(TaskStatus.CREATED), "from PROCESSING it came to CREATED"),
    ],
)
def test_progress_never_goes_down_and_no_move_is_illegal(before: Standing, after: Standing, words: str) -> None:
    watcher = Watcher()
    watcher.see(before)
    watcher.see(after)
    assert watcher.breaches == [] if not words else words in watcher.breaches[0]


def test_it_looks_by_itself(database: str) -> None:
    claim = builders.claimed_task(progress=50.0)
    with transactions_at(database) as transactions:
        observer = Observer(transactions)
        observer.start()
        try:
            eventually(lambda: observer.looks > 0)
            builders.change(claim.task_id, progress=10.0)
            eventually(lambda: bool(observer.breaches))
        finally:
            observer.stop()
    assert "from 50.0 down to 10.0" in observer.breaches[0]
