import uuid

import pytest

from backend.chaos.observer import Lookout, Observer, Watcher
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


def test_a_failing_look_is_a_breach_and_so_is_nobody_looking() -> None:
    seen: list[Standing] = []

    def look() -> list[Standing]:
        if not seen:
            raise ValueError("no such status")
        return seen

    lookout = Lookout(look, every=0.01)
    lookout.start()
    try:
        found = lookout.told(patience=0.2)
        assert "a look failed: ValueError: no such status" in found
        assert found[-1] == "nobody watched: no look in 0.2 s"
        seen.append(standing())
        eventually(lambda: lookout.looks > 0)
        lookout.told()
        assert lookout.told() == [], "it looks again"
    finally:
        lookout.stop()
    assert lookout.told() == ["nobody watched: the lookout ended"]


def test_what_passes_is_no_breach() -> None:
    def look() -> list[Standing]:
        raise ConnectionError

    lookout = Lookout(look, every=0.01, passing=(ConnectionError,))
    lookout.start()
    found = lookout.told(patience=0.2)
    lookout.stop()
    assert found == ["nobody watched: no look in 0.2 s"]
