import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Connection, event, select

from backend.clock import monotonic
from backend.settings import Settings, get_settings
from celery_queue import drain, rounds
from celery_queue.rounds import Rounds
from db import admission, rings, survey
from db.database import DatabaseError, SessionLocal, engine, transaction
from db.models import CLOCK, Task
from db.workers import WorkerIdentity
from tests import builders
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("database")
LONG_AGO = CLOCK - timedelta(seconds=30)


def rounds_of(worker: WorkerIdentity, *, settled: bool = True) -> Rounds:
    """A worker's rounds; `settled`: the database has answered for longer than a lease."""
    found = Rounds(worker, get_settings())
    found.conduct()
    if settled:
        found._sweep_from = 0.0
    return found


def test_a_round_admits_what_waits_into_the_free_slots_and_asks_for_a_ring() -> None:
    tasks = [builders.submitted_task() for _ in range(3)]
    worker = builders.live_worker(slots=2)
    done = Rounds(worker, get_settings()).conduct()
    admitted = [task for task in tasks if builders.read(task.id).admitted_at is not None]
    assert len(admitted) == 2
    assert {ring.task_id for ring in done.rings} == {task.id for task in admitted}
    assert not done.to_ring, "nobody else is to be rung for"
    with transaction() as session:
        assert not rings.take(session)


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is said to the database, without BEGIN and COMMIT."""
    said: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(engine(), "before_cursor_execute", hear)
    try:
        yield said
    finally:
        event.remove(engine(), "before_cursor_execute", hear)


def test_a_round_at_rest_is_two_statements() -> None:
    """The lock and a look; the check-in of three in four rounds is still fresh."""
    found = rounds_of(builders.live_worker(slots=1))
    builders.claimed_task()
    with statements() as said:
        found.conduct()
    assert len(said) == 2, said


def test_a_round_that_admits_is_three_statements_however_many_it_admits() -> None:
    """For a task's pickup waits for each, and its ring for no other."""
    found = rounds_of(builders.live_worker(slots=5))
    for _ in range(5):
        builders.submitted_task()
    with statements() as said:
        assert len(found.conduct().rings) == 5
    assert len(said) == 3, said


def test_a_round_waits_for_no_disk_unless_it_rescues() -> None:
    """What it admitted is admitted again; what a customer may have seen must last."""
    claim = builders.claimed_task(lease_until=None)
    found, said = rounds_of(builders.live_worker(slots=1)), []

    def note(connection: Connection) -> None:
        said.append(connection.exec_driver_sql("SHOW synchronous_commit").scalar())

    event.listen(engine(), "commit", note)
    try:
        found.conduct()
        builders.change(claim.task_id, lease_until=LONG_AGO)
        said.clear()
        found.conduct()
        found.conduct()
    finally:
        event.remove(engine(), "commit", note)
    assert said == ["on", "off"]


def test_a_round_rescues_a_silent_workers_task_ahead_of_the_waiting() -> None:
    claim = builders.claimed_task(lease_until=None)
    builders.change(claim.task_id, lease_until=LONG_AGO)
    builders.submitted_task()
    worker = builders.live_worker(slots=1)
    rounds_of(worker).conduct()
    task = builders.read(claim.task_id)
    assert (task.status, task.losses, task.ring_wanted) == ("QUEUED", 1, True)
    assert task.admitted_at is not None


def test_after_an_outage_nobody_is_swept_for_one_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    claim = builders.claimed_task()
    builders.change(claim.task_id, lease_until=LONG_AGO)
    time = [1000.0]
    monkeypatch.setattr(rounds, "monotonic", lambda: time[0])
    found = Rounds(builders.live_worker(), get_settings())
    lease = get_settings().lease_seconds
    found.conduct()
    assert builders.read(claim.task_id).status == "PROCESSING", "a new conductor knows nothing of the last lease"
    for _ in range(2):
        time[0] += lease * 0.4
        found.conduct()
        assert builders.read(claim.task_id).status == "PROCESSING"
    time[0] += lease * 0.4
    found.conduct()
    assert builders.read(claim.task_id).status == "QUEUED"


def test_an_outage_shorter_than_a_lease_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beats were missed in it: a lease may end before the first beat that comes through."""
    time = [1000.0]
    monkeypatch.setattr(rounds, "monotonic", lambda: time[0])
    found = rounds_of(builders.live_worker())
    claim = builders.claimed_task()
    builders.change(claim.task_id, lease_until=LONG_AGO)
    time[0] += get_settings().lease_seconds * 0.8
    found.conduct()
    assert builders.read(claim.task_id).status == "PROCESSING"


def test_a_ring_that_nobody_answers_is_rung_again_only_while_a_slot_is_idle() -> None:
    running = builders.claimed_task()
    unanswered = builders.admitted_task()
    builders.change(unanswered.id, ring_wanted=False, rings=1, rung_at=LONG_AGO)
    found = rounds_of(builders.live_worker(slots=1))
    assert not builders.read(unanswered.id).ring_wanted, "the only slot is busy"
    builders.change(running.task_id, status="CANCELLED")
    found._idle_since = monotonic() - rounds.ANSWERED_WITHIN
    found.conduct()
    assert builders.read(unanswered.id).ring_wanted


def test_what_waits_in_the_broker_for_a_slot_is_not_rung_for_again_when_the_slot_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Let in ahead, and the tasks before it took long: it is next, and its message is still there."""
    time = [1000.0]
    monkeypatch.setattr(rounds, "monotonic", lambda: time[0])
    running, ahead = builders.claimed_task(), builders.admitted_task()
    builders.change(ahead.id, ring_wanted=False, rings=1, rung_at=LONG_AGO)
    found = rounds_of(builders.live_worker(slots=1))
    for _ in range(3):
        builders.change(running.task_id, status="COMPLETED")
        assert found.conduct().next_due == rounds.ANSWERED_WITHIN, "just left: it is looked at again soon"
        assert not builders.read(ahead.id).ring_wanted
        builders.change(running.task_id, status="PROCESSING")
        time[0] += 1.0
        found.conduct()
    assert builders.read(ahead.id).rings == 1


@pytest.mark.parametrize(
    ("of_late", "ahead", "rest"),
    [(20, 4, rounds.LONGEST_REST), (60, 8, 8 / 3 / 240), (400, 8, rounds.SHORTEST_REST)],
)
def test_slots_that_change_hands_quickly_have_the_next_tasks_waiting_in_the_broker(
    of_late: int, ahead: int, rest: float
) -> None:
    """And the conductor rests while a third of them end: every slot is at work, with something to go on with."""
    found = rounds_of(builders.live_worker(slots=2))
    for _ in range(20):
        builders.submitted_task()
    first = found.conduct()
    assert (len(first.rings), first.rest) == (2, 0.0)
    for _ in range(of_late):  # a moment ago, however slow this machine is
        builders.created_task(status="COMPLETED", finished_at=CLOCK + timedelta(hours=1))
    second = found.conduct()
    assert (len(second.rings), second.rest) == (ahead, pytest.approx(rest))
    assert not found.conduct().rings, "they are ahead already"


def test_only_one_conductor_does_the_round_and_the_other_looks_again_soon() -> None:
    worker = builders.live_worker()
    found = rounds_of(worker)
    holding, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction() as session:
            assert admission.lock_round(session)
            holding.set()
            leave.wait(1.5)

    other = threading.Thread(target=hold)
    other.start()
    holding.wait(5)
    done = found.conduct()
    leave.set()
    other.join()
    assert not done.to_ring
    assert done.next_due < 0.1


def test_a_task_put_off_makes_the_next_round_due_when_it_ripens() -> None:
    task = builders.submitted_task(not_before=None)
    builders.change(task.id, not_before=CLOCK + timedelta(seconds=0.3))
    found = Rounds(builders.live_worker(), get_settings())
    done = found.conduct()
    assert 0 < done.next_due <= 0.3
    assert builders.read(task.id).admitted_at is None


def test_a_draining_worker_says_so_and_gets_no_more_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "requested", lambda: True)
    task = builders.submitted_task()
    Rounds(builders.live_worker(slots=4), get_settings()).conduct()
    assert builders.read(task.id).admitted_at is None


def test_a_worker_that_leaves_takes_its_slots_with_it() -> None:
    worker = builders.live_worker(slots=3)
    found = Rounds(worker, Settings(_env_file=None, database_url=get_settings().database_url))
    found.conduct()
    found.leave()
    with transaction() as session:
        assert survey.look(session, timedelta(seconds=30)).slots.in_all == 0


def test_the_next_round_is_due_when_a_lease_may_run_out() -> None:
    found = rounds_of(builders.live_worker())
    assert found.conduct().next_due == rounds.ROUND_SECONDS
    builders.claimed_task(lease=timedelta(seconds=0.6))
    assert 0.1 < found.conduct().next_due <= 0.6


def test_a_lease_that_ran_out_and_could_not_be_swept_makes_no_busy_loop() -> None:
    claim = builders.claimed_task()
    builders.change(claim.task_id, lease_until=LONG_AGO)
    found = rounds_of(builders.live_worker())
    with transaction() as session:
        session.execute(select(Task.id).where(Task.id == claim.task_id).with_for_update())
        assert found.conduct().next_due == rounds.SOONEST


def test_a_conductor_frozen_in_the_middle_of_its_round_delays_the_others_by_three_seconds_at_most() -> None:
    task = builders.submitted_task()
    other = rounds_of(builders.live_worker(slots=0))
    builders.live_worker(slots=1)
    frozen = SessionLocal()()
    assert admission.lock_round(frozen)  # and not another word
    began = monotonic()
    eventually(lambda: other.conduct().rings, seconds=6)
    assert monotonic() - began < 3
    assert builders.read(task.id).admitted_at is not None
    with pytest.raises(DatabaseError):
        frozen.commit()
    frozen.close()


def test_a_round_that_comes_a_moment_after_the_last_check_in_is_no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    time = [1000.0]
    monkeypatch.setattr(rounds, "monotonic", lambda: time[0])
    found = rounds_of(builders.live_worker())
    claim = builders.claimed_task()
    builders.change(claim.task_id, lease_until=LONG_AGO)
    found._sweep_from = float("inf")
    for pause in (0.7, 1.0, 0.7, 1.0):  # 0.7 s: too soon to check in again
        time[0] += pause
        found.conduct()
    assert found._sweep_from == float("inf"), "nobody put the sweep off"
