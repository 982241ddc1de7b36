import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from standardwebhooks import Webhook

from backend import courier
from backend.clock import monotonic
from backend.courier import deliver_until_idle
from backend.errors import DatabaseUnavailable
from backend.settings import get_settings
from backend.webhook_door import WebhookDoor
from db import deliveries, task_store, webhooks
from db.database import transaction
from db.deliveries import SERVED_AT_ONCE, Due
from db.models import CLOCK
from db.webhook_models import WebhookDelivery, WebhookEndpoint
from tests import builders
from tests.conftest import forget_settings
from tests.waiting import eventually
from tests.webhook_receiver import Receiver, receiving


@pytest.fixture
def receiver(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("WEBHOOKS_TO_LOOPBACK", "true")
    forget_settings()
    with receiving() as receiver:
        yield receiver


def endpoint(user_id: int, url: str) -> uuid.UUID:
    with transaction() as session:
        return webhooks.add(session, user_id, url, (), "").id


def read(endpoint_id: uuid.UUID) -> WebhookEndpoint:
    with transaction() as session:
        return session.get_one(WebhookEndpoint, endpoint_id)


def log_of(endpoint_id: uuid.UUID) -> list[WebhookDelivery]:
    with transaction() as session:
        wanted = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id)
        return list(session.scalars(wanted.order_by(WebhookDelivery.seq)))


def deliver() -> None:
    deliver_until_idle(idle_seconds=0.3)


def test_a_tasks_events_arrive_in_order_signed_and_as_the_standard_has_them(receiver: Receiver) -> None:
    user = builders.customer()
    mine = endpoint(user, receiver.url())
    task = builders.submitted_task(user)
    with transaction() as session:
        task_store.cancel(session, task.id, user)
    deliver()
    verify = Webhook(WebhookDoor(get_settings()).secret(mine, 1)).verify
    bodies = [verify(one.body, one.headers) for one in receiver.received]
    assert [body["type"] for body in bodies] == ["task.created", "task.queued", "task.cancelled"]
    assert [body["data"]["seq"] for body in bodies] == [1, 2, 3]
    last = bodies[-1]["data"]
    assert (last["task_id"], last["tool_id"], last["status"]) == (str(task.id), task.tool_id, "CANCELLED")
    assert datetime.fromisoformat(bodies[-1]["timestamp"]).tzinfo is not None
    assert {one.headers["webhook-id"] for one in receiver.received} == {f"msg_{task.id.hex}_{n}" for n in (1, 2, 3)}
    assert [row.state for row in log_of(mine)] == ["DELIVERED"] * 3
    assert read(mine).last_success_at is not None


def test_what_fails_is_tried_again_later_and_not_at_once(receiver: Receiver) -> None:
    user = builders.customer()
    mine = endpoint(user, receiver.url())
    builders.created_task(user)
    receiver.answers.append((503, {"retry-after": "3600"}))
    deliver()
    [row] = log_of(mine)
    assert (row.state, row.attempts, row.status_code) == ("PENDING", 1, 503)
    assert row.next_at - row.attempted_at > timedelta(minutes=59)
    with transaction() as session:
        session.execute(update(WebhookDelivery).values(next_at=CLOCK))
    deliver()
    assert [row.state for row in log_of(mine)] == ["DELIVERED"]
    assert receiver.received[0].headers["webhook-id"] == receiver.received[1].headers["webhook-id"]
    assert receiver.received[0].body == receiver.received[1].body


def test_what_waits_behind_a_failure_is_not_due_before_it(receiver: Receiver) -> None:
    user = builders.customer()
    mine = endpoint(user, receiver.url())
    builders.submitted_task(user)
    receiver.answers.append((503, {}))
    with transaction() as session:
        assert deliveries.anything_due(session)
    deliver()
    with transaction() as session:
        assert not deliveries.anything_due(session)
    assert [(row.state, row.attempts) for row in log_of(mine)] == [("PENDING", 1), ("PENDING", 0)]
    assert len(receiver.received) == 1


def test_a_change_counts_from_the_next_message_on(receiver: Receiver) -> None:
    user = builders.customer()
    mine = endpoint(user, receiver.url("/old"))
    for _ in range(3):
        builders.created_task(user)

    def moved(*_: object) -> None:
        with transaction() as session:
            webhooks.change(session, user, mine, {"url": receiver.url("/new")})

    receiver.on_first = moved
    deliver()
    assert [one.path for one in receiver.received] == ["/old", "/new", "/new"]


def test_who_says_gone_is_not_told_any_more(receiver: Receiver) -> None:
    user = builders.customer()
    mine = endpoint(user, receiver.url())
    builders.submitted_task(user)
    receiver.answers.append((410, {}))
    deliver()
    assert [row.state for row in log_of(mine)] == ["GIVEN_UP", "PENDING"]
    assert (read(mine).disabled_reason, len(receiver.received)) == ("It answered 410: gone.", 1)


def test_after_two_days_in_vain_the_endpoint_is_disabled_with_the_reason(receiver: Receiver) -> None:
    user = builders.customer()
    mine = endpoint(user, receiver.url())
    builders.created_task(user)
    receiver.answers.append((500, {}))
    with transaction() as session:
        session.execute(update(WebhookDelivery).values(attempts=len(courier.BACK_OFF)))
    deliver()
    assert [row.state for row in log_of(mine)] == ["GIVEN_UP"]
    assert str(read(mine).disabled_reason).startswith("Nothing came through since ")


def test_a_message_that_is_given_up_does_not_disable_who_takes_others(receiver: Receiver) -> None:
    user = builders.customer()
    mine = endpoint(user, receiver.url())
    builders.created_task(user)
    receiver.answers.append((500, {}))
    with transaction() as session:
        session.execute(update(WebhookDelivery).values(attempts=len(courier.BACK_OFF)))
        session.execute(update(WebhookEndpoint).values(last_success_at=CLOCK))
    deliver()
    assert [row.state for row in log_of(mine)] == ["GIVEN_UP"]
    assert read(mine).disabled_at is None


def test_who_does_not_answer_holds_up_nobody_else(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.webhook_door.SECONDS", 30.0)
    slow, quick = builders.customer(), builders.customer()
    with receiving() as hanging, at_work() as courier_at_work:
        hanging.hang = threading.Event()
        endpoint(slow, hanging.url())
        endpoint(quick, receiver.url())
        for _ in range(5):
            builders.created_task(slow)
            builders.created_task(quick)
        courier_at_work.start()
        eventually(lambda: len(receiver.received) == 5)
        assert len(hanging.received) == 1
        hanging.hang.set()


def test_one_customers_slow_endpoints_leave_hands_for_the_others(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.webhook_door.SECONDS", 30.0)
    slow, quick = builders.customer(), builders.customer()
    with receiving() as hanging, at_work() as courier_at_work:
        hanging.hang = threading.Event()
        for _ in range(6):
            endpoint(slow, hanging.url())
        builders.created_task(slow)
        endpoint(quick, receiver.url())
        builders.created_task(quick)
        courier_at_work.start()
        eventually(lambda: len(receiver.received) == 1)
        assert len(hanging.received) <= SERVED_AT_ONCE
        hanging.hang.set()


@contextmanager
def at_work() -> Iterator[threading.Thread]:
    """A courier in a thread, which is over when the block is."""
    thread = threading.Thread(target=deliver)
    try:
        yield thread
    finally:
        thread.join(30)
        assert not thread.is_alive()


def test_an_address_that_breaks_something_breaks_only_its_own(receiver: Receiver) -> None:
    bad, good = builders.customer(), builders.customer()
    for _ in range(5):
        endpoint(bad, "https://a..b/")  # it was taken by an older release
    endpoint(good, receiver.url())
    builders.created_task(bad)
    builders.created_task(good)
    deliver()
    assert len(receiver.received) == 1


def test_a_courier_that_has_lost_a_hand_ends_and_leaves_the_rest_to_the_next(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would go on with fewer, for as long as there is something to do."""
    first = threading.Lock()

    def take(session: Session, hand: uuid.UUID) -> None:
        if not first.acquire(blocking=False):
            raise OperationalError("SELECT", {}, Exception("the connection broke"))

    monkeypatch.setattr(courier.deliveries, "take", take)
    begun = monotonic()
    with pytest.raises(DatabaseUnavailable):
        deliver_until_idle(idle_seconds=60)
    assert monotonic() - begun < 30


def test_what_is_ours_to_know_of_an_event_is_not_told() -> None:
    told = Due(
        1,
        uuid.uuid4(),
        "t",
        7,
        "rerouted",
        datetime.now(UTC),
        {"queue": "high", "seq": 9, "epoch": 2},
        0,
        datetime.now(UTC),
    )
    assert json.loads(courier.body_of(told))["data"] == {
        "epoch": 2, "task_id": str(told.task_id), "tool_id": "t", "seq": 7, "status": "QUEUED",
    }  # fmt: skip


def test_an_endpoint_that_is_away_gets_a_few_attempts_a_turn_and_then_a_pause(receiver: Receiver) -> None:
    user = builders.customer()
    mine = endpoint(user, "http://127.0.0.1:1/hook")
    for _ in range(6):
        builders.created_task(user)
    deliver()
    tried = [row for row in log_of(mine) if row.attempts]
    assert len(tried) == courier.FAILURES_A_TURN
    assert {row.failure for row in tried} == {"The connection failed: ConnectError."}


def test_the_body_is_plain_json_in_utf_8(receiver: Receiver) -> None:
    user = builders.customer()
    endpoint(user, receiver.url())
    builders.created_task(user)
    deliver()
    [received] = receiver.received
    assert received.headers["content-type"] == "application/json"
    assert json.loads(received.body)["data"]["status"] == "CREATED"
