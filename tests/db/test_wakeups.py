from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg
import pytest
from side_by_side import sql

from db import endings, task_store, wakeups, workers
from db.claims import Claim
from db.database import transaction
from db.endings import Ending, HandBackTerms
from db.events import EventKind
from db.wakeups import Listener
from db.workers import Pulse
from tests import builders
from tests.builders import LEASE

SILENCE = 0.1  # seconds in which a wake-up, which takes 2 ms, would have come


@pytest.fixture
def listener(database: str) -> Iterator[Listener]:
    with closing(Listener()) as listening:
        yield listening


def test_a_notify_wakes_when_it_is_committed(listener: Listener) -> None:
    with transaction() as session:
        wakeups.notify(session)
        assert not listener.wait(SILENCE)
    assert listener.wait(5)
    assert not listener.wait(SILENCE)


def test_a_notify_that_is_rolled_back_wakes_nobody(listener: Listener) -> None:
    with transaction() as session:
        wakeups.notify(session)
        session.rollback()
    assert not listener.wait(SILENCE)


def test_every_listener_is_woken(listener: Listener) -> None:
    with closing(Listener()) as another:
        with transaction() as session:
            wakeups.notify(session)
        assert listener.wait(5)
        assert another.wait(5)


def _settle(claim: Claim) -> None:
    with transaction() as session:
        endings.settle(session, claim, Ending(outcome="success"))


def _hand_back(claim: Claim) -> None:
    with transaction() as session:
        endings.hand_back(session, claim, HandBackTerms(EventKind.HANDED_BACK))


def _cancel(claim: Claim) -> None:
    with transaction() as session:
        task_store.cancel(session, claim.task_id, claim.user_id)


def _submit_another(claim: Claim) -> None:
    builders.submitted_task(claim.user_id)


@pytest.mark.parametrize("act", [_settle, _hand_back, _cancel, _submit_another])
def test_submits_endings_and_hand_backs_wake(act: Callable[[Claim], None]) -> None:
    claim = builders.claimed_task()
    with closing(Listener()) as listener:
        act(claim)
        assert listener.wait(5)


def test_steps_beats_and_claims_wake_nobody() -> None:
    """A NOTIFY serialises commits, so what is frequent must not notify (ADMISSION.md)."""
    task = builders.admitted_task()
    with closing(Listener()) as listener:
        claim = builders.claim(task)
        builders.deliver(claim, "score-risk")
        with transaction() as session:
            workers.beat(session, claim.task_id, [Pulse(claim.task_id, claim.epoch, 50)], LEASE)
        assert not listener.wait(SILENCE)


def test_a_listener_whose_connection_is_cut_says_so(listener: Listener) -> None:
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'agensium-listener'")
    with pytest.raises(psycopg.OperationalError):
        listener.wait(5)
