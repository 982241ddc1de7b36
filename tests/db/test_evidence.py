from datetime import UTC, datetime, timedelta

import pytest

from db import endings, evidence
from db.database import transaction
from db.endings import Ending, HandBackTerms
from db.events import EventKind
from db.evidence import LEADS_TO, Happening, illegal_move
from db.models import TaskStatus
from tests import builders

K = EventKind


def history(*kinds: EventKind) -> list[Happening]:
    epoch, found = 0, []
    for kind in kinds:
        epoch += kind is K.STARTED
        found.append(Happening(kind, datetime.now(UTC), {"epoch": epoch}))
    return found


def test_every_kind_of_event_says_where_it_leads() -> None:
    assert set(LEADS_TO) == set(EventKind)


@pytest.mark.parametrize(
    "kinds",
    [
        [K.CREATED],
        [K.CREATED, K.EXPIRED],
        [K.CREATED, K.QUEUED, K.STARTED, K.STEP_DELIVERED, K.RESCUED, K.STARTED, K.STEP_FAILED, K.COMPLETED],
        [K.CREATED, K.QUEUED, K.STARTED, K.RETRYING, K.STARTED, K.WAITING, K.CANCELLED],
    ],
)
def test_a_legal_history_is_legal(kinds: list[EventKind]) -> None:
    assert illegal_move(history(*kinds)) is None


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ([K.STARTED], "started after None"),
        ([K.CREATED, K.STARTED], "started after CREATED"),
        ([K.CREATED, K.QUEUED, K.STEP_DELIVERED], "step_delivered after QUEUED"),
        ([K.CREATED, K.QUEUED, K.STARTED, K.STARTED], "started after PROCESSING"),
        ([K.CREATED, K.QUEUED, K.STARTED, K.COMPLETED, K.CANCELLED], "cancelled after COMPLETED"),
        ([K.CREATED, K.CREATED], "created after CREATED"),
    ],
)
def test_an_illegal_history_is_named(kinds: list[EventKind], words: str) -> None:
    assert illegal_move(history(*kinds)) == words


def test_an_epoch_that_skips_one_is_named() -> None:
    told = history(K.CREATED, K.QUEUED, K.STARTED)
    told[-1] = Happening(K.STARTED, told[-1].at, {"epoch": 2})
    assert illegal_move(told) == "started with epoch 2 after 0"


@pytest.mark.usefixtures("database")
def test_what_stands_and_what_happened_is_read_in_bulk() -> None:
    waiting, running = builders.submitted_task(), builders.claimed_task()
    with transaction() as session:
        found = {one.task_id: one for one in evidence.standings(session)}
        told = evidence.histories(session, [running.task_id])
    assert found[waiting.id].status is TaskStatus.QUEUED
    assert (found[running.task_id].status, found[running.task_id].epoch) == (TaskStatus.PROCESSING, 1)
    assert [one.kind for one in told[running.task_id]] == [K.CREATED, K.QUEUED, K.STARTED]
    assert illegal_move(told[running.task_id]) is None


@pytest.mark.usefixtures("database")
def test_what_ended_long_ago_is_not_watched_any_more() -> None:
    old, new = builders.claimed_task(), builders.claimed_task()
    with transaction() as session:
        for claim in (old, new):
            endings.hand_back(session, claim, HandBackTerms(K.HANDED_BACK))
    ended = builders.claimed_task()
    with transaction() as session:
        endings.settle(session, ended, Ending(outcome="success", manifest_key="m"))
    builders.change(ended.task_id, finished_at=datetime.now(UTC) - timedelta(minutes=1))
    with transaction() as session:
        assert {one.task_id for one in evidence.standings(session)} == {old.task_id, new.task_id}
        assert [one.task_id for one in evidence.standings_of(session, [ended.task_id])] == [ended.task_id]
