import uuid
from datetime import timedelta

import pytest

from backend.errors import AgensiumError, ClaimLost
from backend.metrics.tally import TALLY
from db import checkpoints, claims, endings, ledger
from db.database import statement, transaction
from db.endings import Ending, HandBackTerms
from db.events import EventKind
from tests import builders
from tests.metrics import value

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def _begun_anew() -> None:
    TALLY.take()


def moved(kind: str) -> float:
    return value(TALLY.read(), "agensium_task_moves_total", {1: kind})


def credits_of(kind: str) -> float:
    return value(TALLY.read(), "agensium_credits_total", {0: kind})


def ended(status: str, code: str = "") -> float:
    return value(TALLY.read(), "agensium_tasks_ended_total", {1: status, 2: code})


def test_what_is_undone_is_not_counted() -> None:
    claim = builders.claim(builders.admitted_task())
    TALLY.take()

    def undone() -> None:
        with transaction() as session:
            endings.hand_back(session, claim, HandBackTerms(EventKind.HANDED_BACK))
            raise KeyError

    with pytest.raises(KeyError):
        undone()
    assert moved("handed_back") == 0
    with transaction() as session:
        endings.hand_back(session, claim, HandBackTerms(EventKind.HANDED_BACK))
        assert moved("handed_back") == 0
    assert moved("handed_back") == 1


def test_a_life_is_counted_from_its_submit_to_its_end_with_every_credit() -> None:
    prices = {"first": 5, "second": 7}
    task = builders.admitted_task(prices=prices)
    claim = builders.claim(task)
    builders.deliver(claim, "first")
    with statement() as session:
        assert endings.complete_at_once(session, claim, Ending("partial", "key"))
    assert (moved("queued"), moved("started"), moved("completed")) == (1, 1, 1)
    assert ended("completed") == 1
    assert credits_of("hold") == 12
    assert credits_of("capture") + credits_of("release") == 12
    assert credits_of("capture") > 0
    spreads = TALLY.read().spreads
    assert [name for name, _ in spreads] == ["agensium_task_wait_seconds", "agensium_task_run_seconds"]


def test_a_step_that_is_written_twice_is_paid_and_counted_once() -> None:
    claim = builders.claim(builders.admitted_task(prices={"first": 5}))
    for _ in range(2):
        with statement() as session:
            checkpoints.record(session, claim, builders.delivered_step("first"), amount=5, progress=50, next_agent=None)
    assert credits_of("capture") == 5


def test_a_refused_claim_and_a_lost_one_count_nothing() -> None:
    with statement() as session:
        assert claims.take(session, uuid.uuid4(), 1, uuid.uuid4(), timedelta(seconds=3)) is None
    lost = builders.claim(builders.admitted_task())
    with transaction() as session:
        endings.hand_back(session, lost, HandBackTerms(EventKind.HANDED_BACK))
    TALLY.take()
    with pytest.raises(ClaimLost), transaction() as session:
        endings.settle(session, lost, Ending("success", "key"))
    assert not TALLY.read()


def test_a_failure_is_counted_with_its_code() -> None:
    claim = builders.claim(builders.admitted_task())
    with transaction() as session:
        endings.settle(session, claim, Ending(verdict=AgensiumError("no").verdict))
    assert ended("failed", AgensiumError.error_code) == 1


def test_the_parts_of_a_batch_are_moves_and_no_tasks() -> None:
    _, (child, _) = builders.waiting_parent()
    assert moved("queued") == 3
    assert moved("waiting") == 1
    claim = builders.claimed_child(child)
    with transaction() as session:
        endings.settle(session, claim, Ending("success"))
    assert moved("completed") == 1
    assert ended("completed") == 0


def test_a_grant_is_counted() -> None:
    user_id = builders.customer(0)
    TALLY.take()
    with transaction() as session:
        ledger.grant(session, user_id, 30, "a gift")
    assert credits_of("grant") == 30
