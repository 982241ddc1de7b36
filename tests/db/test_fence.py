"""A zombie, that is a worker whose lease ran out while it was frozen, against the rescuer of its task.

Each on its own connection. Whoever commits first, nothing of the zombie's may stand beside the rescuer's epoch.
"""

import uuid
from collections.abc import Callable
from datetime import timedelta
from time import monotonic

import pytest
from side_by_side import in_thread, outcome, said, sql, until_somebody_waits_for_a_lock
from sqlalchemy.exc import DBAPIError

from backend.errors import ClaimLost, InternalError
from db import checkpoints, children, claims, endings, task_store
from db.children import ChildTask
from db.claims import Claim
from db.database import Session, transaction
from db.endings import Ending, HandBackTerms
from db.events import EventKind
from db.models import CLOCK, TaskStatus
from tests import builders
from tests.builders import LEASE, delivered_step, failed_step

WRITTEN = """
    SELECT (SELECT count(*) FROM task_steps) || ' steps, ' ||
           (SELECT count(*) FROM credit_entries WHERE kind IN ('CAPTURE', 'RELEASE')) || ' movements, ' ||
           (SELECT count(*) FROM task_events) || ' events, ' ||
           (SELECT count(*) FROM tasks) || ' tasks'
"""


def checkpoint(session: Session, claim: Claim) -> None:
    checkpoints.record(session, claim, delivered_step("score-risk"), amount=20, progress=90, next_agent=None)


def failed_checkpoint(session: Session, claim: Claim) -> None:
    checkpoints.record(session, claim, failed_step("score-risk"), amount=20, progress=90, next_agent=None)


def event(session: Session, claim: Claim) -> None:
    claims.tell(session, claim, {})


def current_agent(session: Session, claim: Claim) -> None:
    claims.begin_steps(session, claim, ["score-risk"])


def completion(session: Session, claim: Claim) -> None:
    endings.settle(session, claim, Ending(outcome="success", manifest_key="a zombie's"))


def failure(session: Session, claim: Claim) -> None:
    endings.settle(session, claim, Ending(verdict=InternalError().verdict))


def hand_back(session: Session, claim: Claim) -> None:
    endings.hand_back(session, claim, HandBackTerms(EventKind.HANDED_BACK))


def fan_out(session: Session, claim: Claim) -> None:
    children.add_children(session, claim.task_id, claim.epoch, [ChildTask(agents=["score-risk"])])


STATIONS = [checkpoint, failed_checkpoint, event, current_agent, completion, failure, hand_back, fan_out]
Station = Callable[[Session, Claim], None]


def zombie() -> Claim:
    """A claim whose lease has run out."""
    claim = builders.claimed_task()
    builders.change(claim.task_id, lease_until=CLOCK - timedelta(seconds=1))
    return claim


def rescue(session: Session, claim: Claim) -> Claim | None:
    """Another worker sweeps the task and claims it."""
    if not endings.lost(session):
        return None
    return claims.take(session, claim.task_id, claim.user_id, uuid.uuid4(), LEASE)


@pytest.mark.parametrize("station", STATIONS)
def test_a_zombie_that_waits_behind_its_rescuer_writes_nothing(station: Station) -> None:
    claim = zombie()

    def write() -> None:
        with transaction() as session:
            station(session, claim)

    with transaction() as rescuer:
        rescued = rescue(rescuer, claim)
        expected = said(rescuer, WRITTEN)
        with in_thread(lambda: outcome(write)) as writing:
            until_somebody_waits_for_a_lock()
            rescuer.commit()

    assert isinstance(writing.result(), ClaimLost)
    assert sql(WRITTEN) == expected
    row = builders.read(claim.task_id)
    assert rescued is not None
    assert (row.status, row.epoch, row.current_agent) == (TaskStatus.PROCESSING, rescued.epoch, None)
    assert builders.story(claim.task_id)[-2:] == ["rescued", "started"]


@pytest.mark.parametrize("station", STATIONS)
def test_a_zombie_that_comes_after_its_rescuer_writes_nothing(station: Station) -> None:
    claim = zombie()
    with transaction() as rescuer:
        rescue(rescuer, claim)
    expected = sql(WRITTEN)
    with transaction() as session, pytest.raises(ClaimLost):
        station(session, claim)
    assert sql(WRITTEN) == expected


@pytest.mark.parametrize("station", STATIONS)
def test_a_rescuer_leaves_a_row_alone_whose_owner_is_writing_at_this_moment(station: Station) -> None:
    claim = zombie()
    with transaction() as late, transaction() as rescuer:
        station(late, claim)
        assert rescue(rescuer, claim) is None
        late.commit()
    builders.story(claim.task_id)  # what the late one wrote stands, and its number is its own


def test_a_station_that_was_in_time_counts_and_the_next_one_is_fenced_off() -> None:
    claim = zombie()
    with transaction() as late, transaction() as rescuer:
        checkpoint(late, claim)
        assert rescue(rescuer, claim) is None
    with transaction() as rescuer:
        again = rescue(rescuer, claim)
    with transaction() as late, pytest.raises(ClaimLost):
        checkpoint(late, claim)
    assert again is not None
    with transaction() as session:
        assert set(checkpoints.of_task(session, again.task_id)) == {"score-risk"}
    assert sql("SELECT sum(amount) FROM credit_entries WHERE kind = 'CAPTURE'") == 20


def test_a_zombie_whose_rescuer_rolled_back_is_still_the_owner() -> None:
    claim = zombie()

    def write() -> None:
        with transaction() as session:
            checkpoint(session, claim)

    with transaction() as rescuer:
        rescue(rescuer, claim)
        with in_thread(lambda: outcome(write)) as writing:
            until_somebody_waits_for_a_lock()
            rescuer.rollback()
    assert writing.result() is None
    assert sql("SELECT sum(amount) FROM credit_entries WHERE kind = 'CAPTURE'") == 20


def test_an_insert_that_only_looks_at_the_epoch_lets_a_zombie_through() -> None:
    """Why every station begins with an UPDATE (ADMISSION.md): this shape takes no lock and sees the old epoch."""
    claim = zombie()
    with transaction() as rescuer, transaction() as late:
        rescued = rescue(rescuer, claim)
        said(
            late,
            """INSERT INTO credit_entries (user_id, task_id, agent_id, kind, amount)
               SELECT user_id, id, 'score-risk', 'CAPTURE', 20 FROM tasks
               WHERE id = :id AND epoch = :mine AND status = 'PROCESSING'""",
            id=claim.task_id,
            mine=claim.epoch,
        )
        rescuer.commit()
        late.commit()
    assert rescued is not None
    assert builders.read(claim.task_id).epoch == rescued.epoch > claim.epoch
    assert sql("SELECT count(*) FROM credit_entries WHERE kind = 'CAPTURE'") == 1


def test_a_frozen_station_loses_its_connection_after_two_seconds_and_others_proceed() -> None:
    claim = builders.claimed_task()

    def freeze() -> float:
        with transaction() as frozen:
            checkpoint(frozen, claim)
            began = monotonic()
            with transaction() as session:  # waits for the row that the frozen one holds
                task_store.cancel(session, claim.task_id, claim.user_id)
            waited = monotonic() - began
        pytest.fail(f"the frozen station committed; the other one waited {waited} s")

    began = monotonic()
    with pytest.raises(DBAPIError):
        freeze()
    assert 1.0 < monotonic() - began < 8.0  # 2 s by the database's clock
    assert builders.read(claim.task_id).status == TaskStatus.CANCELLED
    assert sql("SELECT count(*) FROM task_steps") == 0
