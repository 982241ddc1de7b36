import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from db import checkpoints, children, deliveries, endings, task_store, webhooks
from db.checkpoints import Checkpoint
from db.children import ChildTask
from db.database import transaction
from db.deliveries import Due, Held, Outcome
from db.endings import Ending
from db.models import CLOCK, StepStatus
from db.webhook_models import WebhookDelivery, WebhookEndpoint
from tests import builders

pytestmark = pytest.mark.usefixtures("database")
THROUGH = Outcome(delivered=True, status_code=204, failure=None, duration_ms=5)
LATER = Outcome(delivered=False, status_code=500, failure="It answered 500.", duration_ms=5, retry_seconds=600)
OVER = Outcome(delivered=False, status_code=500, failure="It answered 500.", duration_ms=5)
NOBODY, SOMEBODY = uuid.uuid4(), uuid.uuid4()


def endpoint(user_id: int, *kinds: str) -> WebhookEndpoint:
    with transaction() as session:
        return webhooks.add(session, user_id, "https://example.com/hook", kinds, "")


def rows(**where: Any) -> Sequence[WebhookDelivery]:
    with transaction() as session:
        return session.scalars(select(WebhookDelivery).filter_by(**where).order_by(WebhookDelivery.id)).all()


def take(holder: uuid.UUID = SOMEBODY) -> Held | None:
    with transaction() as session:
        return deliveries.take(session, holder)


def taken(holder: uuid.UUID = SOMEBODY) -> Held:
    held = take(holder)
    assert held is not None
    return held


def due(held: Held) -> list[Due]:
    with transaction() as session:
        return list(deliveries.due(session, held, 10))


def record(held: Held, told: Due, outcome: Outcome) -> None:
    with transaction() as session:
        deliveries.record(session, held, told, outcome)


def whole_life(user_id: int) -> uuid.UUID:
    claim = builders.claimed_task(user_id)
    step = Checkpoint("unified-profiler", StepStatus.DELIVERED, "f", 5, artifact_key="k")
    with transaction() as session:
        checkpoints.record(session, claim, step, amount=30, progress=50, next_agent=None)
        endings.settle(session, claim, Ending(outcome="success", manifest_key="m"))
    return claim.task_id


def test_each_event_is_owed_to_each_endpoint_that_wants_it() -> None:
    user = builders.customer()
    everything, ends = endpoint(user), endpoint(user, "completed", "failed")
    endpoint(builders.customer())
    task_id = whole_life(user)
    assert [(row.task_id, row.seq) for row in rows(endpoint_id=everything.id)] == [(task_id, n) for n in range(1, 6)]
    assert [row.seq for row in rows(endpoint_id=ends.id)] == [5]
    assert len(rows()) == 6


def test_what_happened_before_an_endpoint_was_there_is_not_told() -> None:
    user = builders.customer()
    task = builders.submitted_task(user)
    endpoint(user)
    with transaction() as session:
        task_store.cancel(session, task.id, user)
    assert [row.seq for row in rows()] == [3]


def test_a_disabled_endpoint_is_owed_nothing() -> None:
    user = builders.customer()
    off = endpoint(user)
    with transaction() as session:
        webhooks.change(session, user, off.id, {"disabled_at": CLOCK})
    builders.submitted_task(user)
    assert rows() == []


def test_a_childs_events_are_its_parents_affair() -> None:
    user = builders.customer()
    endpoint(user)
    parent = builders.claimed_task(user)
    before = len(rows())
    with transaction() as session:
        children.add_children(session, parent.task_id, parent.epoch, [ChildTask([])])
    assert [row.task_id for row in rows()[before:]] == [parent.task_id]


def test_one_courier_at_a_time_serves_an_endpoint() -> None:
    user = builders.customer()
    mine = endpoint(user)
    builders.created_task(user)
    held = taken()
    assert (held.id, held.url, held.secret_version) == (mine.id, "https://example.com/hook", 1)
    assert take(NOBODY) is None
    with transaction() as session:
        deliveries.let_go(session, held)
    assert taken(NOBODY).id == mine.id


def test_a_courier_that_died_is_followed_by_another_and_can_write_nothing_more() -> None:
    user = builders.customer()
    mine = endpoint(user)
    builders.created_task(user)
    dead = taken(NOBODY)
    [told] = due(dead)
    with transaction() as session:
        session.execute(update(WebhookEndpoint).values(held_until=CLOCK - timedelta(seconds=1)))
    taken(SOMEBODY)
    record(dead, told, OVER)
    [row] = rows(endpoint_id=mine.id)
    assert (row.state, row.attempts) == ("PENDING", 0)


def test_a_tasks_events_come_in_order_and_one_that_fails_holds_up_only_its_own_task() -> None:
    user = builders.customer()
    endpoint(user)
    first, second = builders.submitted_task(user), builders.submitted_task(user)
    held = taken()
    told = {one.task_id: one for one in due(held)}
    assert {task: one.seq for task, one in told.items()} == {first.id: 1, second.id: 1}
    record(held, told[first.id], LATER)
    record(held, told[second.id], THROUGH)
    assert [(one.task_id, one.seq, one.kind) for one in due(held)] == [(second.id, 2, "queued")]


def test_what_was_given_up_no_longer_holds_up_its_task() -> None:
    user = builders.customer()
    endpoint(user)
    builders.submitted_task(user)
    held = taken()
    [told] = due(held)
    record(held, told, OVER)
    assert [one.seq for one in due(held)] == [2]
    assert [row.state for row in rows()] == ["GIVEN_UP", "PENDING"]


def test_an_attempt_is_written_down_and_its_next_time_kept() -> None:
    user = builders.customer()
    mine = endpoint(user)
    builders.created_task(user)
    held = taken()
    [told] = due(held)
    assert (told.kind, told.tool_id, told.attempts) == ("created", builders.TOOL, 0)
    record(held, told, LATER)
    [row] = rows()
    assert (row.state, row.attempts, row.status_code, row.failure) == ("PENDING", 1, 500, "It answered 500.")
    assert row.next_at - row.attempted_at > timedelta(seconds=595)
    assert due(held) == []
    with transaction() as session:
        assert deliveries.silent_since(session, held, datetime.now(UTC))
        assert not deliveries.anything_due(session)
        assert webhooks.get(session, user, mine.id).last_success_at is None


def test_a_success_is_remembered_on_the_endpoint() -> None:
    user = builders.customer()
    mine = endpoint(user)
    builders.created_task(user)
    held = taken()
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    record(held, due(held)[0], THROUGH)
    with transaction() as session:
        assert webhooks.get(session, user, mine.id).last_success_at is not None
        assert not deliveries.silent_since(session, held, long_ago)


def test_after_a_failing_turn_nobody_takes_the_endpoint_for_a_while() -> None:
    user = builders.customer()
    endpoint(user)
    builders.created_task(user)
    held = taken()
    with transaction() as session:
        assert not deliveries.anything_due(session)  # somebody is there already
        deliveries.let_go(session, held, pause_seconds=30)
        assert not deliveries.anything_due(session)
    assert take() is None


def test_an_endpoint_that_is_removed_takes_its_deliveries_along_and_disturbs_no_task() -> None:
    user = builders.customer()
    mine = endpoint(user)
    task = builders.submitted_task(user)
    held = taken()
    [told] = due(held)
    with transaction() as session:
        webhooks.remove(session, user, mine.id)
    record(held, told, THROUGH)
    with transaction() as session:
        task_store.cancel(session, task.id, user)
    assert rows() == []


def test_a_disabled_endpoint_keeps_what_waits_and_sends_it_when_enabled() -> None:
    user = builders.customer()
    mine = endpoint(user)
    builders.created_task(user)
    held = taken()
    record(held, due(held)[0], LATER)
    with transaction() as session:
        deliveries.disable(session, held, "gone")
        deliveries.let_go(session, held)
    assert take() is None
    with transaction() as session:
        assert webhooks.enable(session, user, mine.id).disabled_reason is None
    assert [one.attempts for one in due(taken())] == [0]


def test_what_is_through_is_forgotten_after_a_month() -> None:
    user = builders.customer()
    endpoint(user)
    builders.submitted_task(user)
    held = taken()
    record(held, due(held)[0], THROUGH)
    with transaction() as session:
        deliveries.forget_old(session)
    assert len(rows()) == 2
    old = CLOCK - deliveries.KEPT - timedelta(minutes=1)
    with transaction() as session:
        session.execute(update(WebhookDelivery).values(attempted_at=old, next_at=old))
        deliveries.forget_old(session)
    assert rows() == []
