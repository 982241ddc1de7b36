import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from celery import Celery

from backend.settings import get_settings
from backend.storage.door import Storage
from backend.storage.keys import task_prefix
from celery_queue.dispatch import Conductor
from celery_queue.fork_gate import _GATES
from celery_queue.janitor import CLEANING, Janitor
from celery_queue.ringing import Bell
from celery_queue.rounds import HOUSEKEEPING, Rounds
from db.database import transaction
from db.models import CLOCK, AdmissionClock, Task
from db.retention import Kept
from tests import builders
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("database")
LONG_AGO = CLOCK - timedelta(days=40)
SENTINEL = "import sys, pathlib, time; pathlib.Path(sys.argv[1]).touch(); "


def task_over(storage: Storage | None = None) -> Task:
    """A cancelled task whose time is over, with an input in storage."""
    task = builders.change(builders.submitted_task().id, status="CANCELLED", finished_at=LONG_AGO)
    if storage is not None:
        storage.put_bytes(f"{task_prefix(task.user_id, task.id)}inputs/primary/a.csv", b"x", "text/csv")
    return task


@contextmanager
def at_work(*command: str) -> Iterator[Janitor]:
    janitor = Janitor(Kept.by(get_settings()), {}, command or CLEANING)
    thread = threading.Thread(target=janitor.run)
    thread.start()
    try:
        yield janitor
    finally:
        janitor.stop()
        thread.join(5)
        assert not thread.is_alive()


def test_a_janitor_that_is_told_has_the_files_removed(storage_bucket: Storage) -> None:
    task = task_over(storage_bucket)
    with at_work() as janitor:
        janitor.tell()
        eventually(lambda: builders.read(task.id).outputs_cleaned_at is not None, seconds=40)
    assert list(storage_bucket.list("users/")) == []


def test_without_anything_due_no_process_is_started(tmp_path: Path) -> None:
    builders.claimed_task()
    with at_work(sys.executable, "-c", SENTINEL, str(tmp_path / "started")) as janitor:
        janitor.tell()
        eventually(lambda: not janitor._told.is_set())
        task = task_over()
        assert not (tmp_path / "started").exists()
        janitor.tell()
        eventually((tmp_path / "started").exists, seconds=20)
        assert builders.read(task.id).outputs_cleaned_at is None


def test_no_gate_is_held_and_a_stop_is_quick_while_a_cleaning_hangs(tmp_path: Path) -> None:
    """A fork waits for every gate, and a store may take minutes."""
    task_over()
    hangs = SENTINEL + "__import__('threading').Event().wait(60)"
    with at_work(sys.executable, "-c", hangs, str(tmp_path / "started")) as janitor:
        janitor.tell()
        eventually((tmp_path / "started").exists, seconds=20)
        assert janitor._gate in _GATES
        assert janitor._gate._lock.acquire(timeout=1)
        janitor._gate._lock.release()


@pytest.mark.parametrize("command", [("no-such-program",), (sys.executable, "-c", "raise SystemExit(1)")])
def test_a_cleaning_that_fails_leaves_the_janitor_at_its_post(command: tuple[str, ...]) -> None:
    task_over()
    with at_work(*command) as janitor:
        for _ in range(2):
            janitor.tell()
            eventually(lambda: not janitor._told.is_set())


def test_a_cleaning_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celery_queue.janitor.LONGEST_SECONDS", 0.0)
    task_over()
    hangs = SENTINEL + "__import__('threading').Event().wait(60)"
    with at_work(sys.executable, "-c", hangs, str(tmp_path / "first")) as janitor:
        janitor.tell()
        eventually(lambda: not janitor._told.is_set())
        janitor.tell()
        eventually(lambda: not janitor._told.is_set(), seconds=20)


def test_one_conductor_of_them_all_keeps_house_once_a_minute() -> None:
    first, second = (Rounds(builders.live_worker(), get_settings()) for _ in range(2))
    kept = [rounds.conduct().house_is_due for rounds in (first, second, first, second)]
    assert kept == [True, False, False, False]
    with transaction() as session:
        session.get_one(AdmissionClock, 1).house_kept_at = builders.sql_now() - HOUSEKEEPING
    assert [rounds.conduct().house_is_due for rounds in (second, first)] == [True, False]


def test_the_conductor_tells_its_janitor_when_it_house_is_due() -> None:
    class Told(Janitor):
        times = 0

        def tell(self) -> None:
            self.times += 1

    janitor = Told(Kept.by(get_settings()), {})
    conductor = Conductor(
        Rounds(builders.live_worker(), get_settings()), Bell(Celery("test"), get_settings()), janitor=janitor
    )
    conductor.start()
    eventually(lambda: janitor.times == 1)
    builders.submitted_task()
    conductor.stop()
    assert janitor.times == 1
    assert not [thread.name for thread in conductor._threads.values() if thread.is_alive()]
