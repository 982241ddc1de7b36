from collections.abc import Callable

import pytest
from celery.worker import state

from backend.clock import monotonic
from celery_queue import drain, watchdog
from celery_queue.watchdog import DEAF_SECONDS, LOOK_SECONDS, Watchdog
from db import rings
from db.database import transaction
from db.models import Task
from tests import builders

pytestmark = pytest.mark.usefixtures("database")
LONG = DEAF_SECONDS + LOOK_SECONDS + 1


class Ear:
    """A consumer that can be restarted, and a clock that can be turned."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.restarts = 0
        self.time = monotonic()
        self.boot_uuid = builders.live_worker(slots=1).boot_uuid
        self.dog = Watchdog(["default"], 1, self._restart)
        monkeypatch.setattr(watchdog, "monotonic", lambda: self.time)
        monkeypatch.setattr(watchdog, "_heard_at", [self.time])
        monkeypatch.setattr(state, "should_stop", None)

    def _restart(self) -> None:
        self.restarts += 1

    def look_after(self, seconds: float) -> int:
        self.time += seconds
        self.dog.look(self.boot_uuid)
        return self.restarts


@pytest.fixture
def ear(monkeypatch: pytest.MonkeyPatch) -> Ear:
    return Ear(monkeypatch)


def rung_in_vain(**columns: object) -> Task:
    task = builders.admitted_task()
    return builders.change(task.id, **{"ring_wanted": False, "rings": rings.RINGS_OF_THE_UNHEARD, **columns})


def test_a_deaf_consumer_is_restarted(ear: Ear) -> None:
    rung_in_vain()
    assert ear.look_after(1) == 0, "it may still be fetching"
    assert ear.look_after(LONG) == 1
    assert ear.look_after(1) == 1, "it is given time"
    assert state.should_stop is None


def test_a_worker_that_stays_deaf_leaves(ear: Ear) -> None:
    rung_in_vain()
    assert [ear.look_after(LONG), ear.look_after(LONG)] == [1, 1]
    assert state.should_stop is None, "a restart takes its time"
    ear.look_after(watchdog.RESTART_SECONDS)
    assert state.should_stop == drain.EXIT_FAILURE


def test_a_consumer_that_hears_again_is_left_alone_and_later_restarted_again(ear: Ear) -> None:
    rung_in_vain()
    ear.look_after(LONG)
    watchdog.heard()
    assert ear.look_after(1) == 1
    assert ear.look_after(LONG) == 2
    assert state.should_stop is None


@pytest.mark.parametrize(
    "innocent",
    [
        lambda: None,
        lambda: rung_in_vain(rings=1),
        lambda: rung_in_vain(ring_wanted=True),
        lambda: rung_in_vain(queue="high_memory"),
        lambda: rung_in_vain(admitted_at=None),
    ],
    ids=["nothing waits", "rung for once", "the broker is away", "another worker's queue", "not admitted"],
)
def test_silence_for_which_it_is_not_to_blame_is_borne(ear: Ear, innocent: Callable[[], object]) -> None:
    innocent()
    assert ear.look_after(LONG) == 0


def test_a_worker_whose_slots_all_run_has_no_reason_to_fetch(ear: Ear) -> None:
    builders.claimed_task(worker=ear.boot_uuid)
    rung_in_vain()
    assert ear.look_after(LONG) == 0


def test_a_ring_that_was_not_sent_counts_for_nothing() -> None:
    task = builders.admitted_task()
    with transaction() as session:
        rings.put_back(session, rings.take(session))
    assert builders.read(task.id).rings == 0
