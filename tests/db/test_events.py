import uuid

import pytest
from side_by_side import together
from sqlalchemy.exc import IntegrityError

from db import claims, events, workers
from db.database import transaction
from db.events import EventKind
from db.workers import Pulse
from tests import builders
from tests.builders import LEASE


def test_events_are_read_in_order_from_where_one_stopped() -> None:
    claim = builders.claimed_task()
    with transaction() as session:
        assert [event.seq for event in events.after(session, claim.task_id, 0)] == [1, 2, 3]
        assert [event.kind for event in events.after(session, claim.task_id, 1)] == ["queued", "started"]
        assert [event.seq for event in events.after(session, claim.task_id, 1, limit=1)] == [2]
        assert events.after(session, claim.task_id, 3) == []


def test_a_task_hears_only_its_own_events() -> None:
    task, _other = builders.created_task(), builders.claimed_task()
    assert builders.story(task.id) == ["created"]


def test_a_number_is_given_once() -> None:
    task = builders.created_task()
    with pytest.raises(IntegrityError), transaction() as session:
        events.append(session, task.id, 1, EventKind.CREATED, {})


def test_the_sequence_has_no_gap_whoever_writes_beside_whom() -> None:
    claim = builders.claimed_task()

    def stations() -> None:
        for _ in range(20):
            with transaction() as session:
                claims.tell(session, claim, {})

    def beats() -> None:
        for progress in range(20):
            with transaction() as session:
                workers.beat(session, uuid.uuid4(), [Pulse(claim.task_id, claim.epoch, progress)], LEASE)

    assert together(stations, beats, stations) == [None] * 3
    assert len(builders.story(claim.task_id)) == 43


def test_a_station_that_is_rolled_back_leaves_no_gap() -> None:
    claim = builders.claimed_task()
    with transaction() as session:
        claims.tell(session, claim, {})
        session.rollback()
    builders.deliver(claim, "score-risk")
    assert builders.story(claim.task_id) == ["created", "queued", "started", "step_delivered"]
