"""Webhooks: a customer's own server is told what happens to their tasks, signed after Standard Webhooks.

Nothing is sent from here but a test: what happens is brought by a courier beside the workers (backend/courier.py).
"""

import json
import uuid
from functools import cache
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Path, Response

from api.cursors import CursorQuery, LimitQuery, cursor_of, entry_cursor
from api.dependencies import CurrentUser
from api.error_responses import problems
from api.once import Nothing, OnceDep
from api.schemas import BIGGEST_ID, Told
from api.webhook_schemas import (
    Attempt,
    DeliveryPage,
    DeliveryView,
    NewWebhook,
    WebhookChange,
    WebhookList,
    WebhookShown,
    WebhookView,
)
from backend.clock import now
from backend.errors import BadRequest, Conflict, IdempotencyMismatch, NotFound, RequestInFlight
from backend.settings import get_settings
from backend.webhook_door import Refused, WebhookDoor, message_id
from db import webhooks
from db.database import Session, transaction
from db.models import CLOCK
from db.webhook_models import DeliveryState, WebhookEndpoint

router = APIRouter(prefix="/webhooks", tags=["webhooks"])
_being_tested: set[int] = set()  # customers
DeliveryId = Annotated[int, Path(ge=1, le=BIGGEST_ID, examples=[118])]


class Plain(Told):
    """What is kept for a replay of the request: no secret."""

    view: WebhookView
    secret_version: int


@router.post(
    "",
    status_code=201,
    operation_id="create_webhook",
    summary="Be told what happens",
    responses=problems(BadRequest, Conflict, IdempotencyMismatch, RequestInFlight),
)
def create_webhook(asked: NewWebhook, user: CurrentUser, once: OnceDep, response: Response) -> WebhookShown:
    """The secret is shown once. Answer each message with 2xx within 10 seconds; it is repeated for two days, with
    growing pauses, and comes in order per task. The same `webhook-id` may come twice: treat it once.
    """
    door = _door_to(asked.url)
    with transaction() as session:
        kept = once(
            session, Plain, lambda: _plain(webhooks.add(session, user.id, asked.url, asked.events, asked.description))
        )
    response.headers["Cache-Control"] = "no-store"
    return _shown(door, kept)


@router.get("", operation_id="list_webhooks", summary="My webhooks", responses=problems())
def list_webhooks(user: CurrentUser) -> WebhookList:
    with transaction() as session:
        return WebhookList(webhooks=[_view(endpoint) for endpoint in webhooks.of_user(session, user.id)])


@router.get("/{webhook_id}", operation_id="get_webhook", summary="One webhook", responses=problems(NotFound))
def get_webhook(webhook_id: uuid.UUID, user: CurrentUser) -> WebhookView:
    with transaction() as session:
        return _view(webhooks.get(session, user.id, webhook_id))


@router.patch(
    "/{webhook_id}", operation_id="change_webhook", summary="Change a webhook", responses=problems(NotFound, BadRequest)
)
def change_webhook(webhook_id: uuid.UUID, asked: WebhookChange, user: CurrentUser) -> WebhookView:
    """`disabled: false` also sends what waits, at once."""
    values: dict[str, Any] = {}
    if asked.url is not None:
        _door_to(asked.url)
        values["url"] = asked.url
    if asked.events is not None:
        values["kinds"] = asked.events
    if asked.description is not None:
        values["description"] = asked.description
    if asked.disabled:
        values["disabled_at"] = CLOCK
    with transaction() as session:
        endpoint = webhooks.get(session, user.id, webhook_id)
        if values:
            endpoint = webhooks.change(session, user.id, webhook_id, values)
        if asked.disabled is False and endpoint.disabled_at is not None:
            endpoint = webhooks.enable(session, user.id, webhook_id)
        return _view(endpoint)


@router.delete(
    "/{webhook_id}",
    status_code=204,
    operation_id="delete_webhook",
    summary="Remove a webhook and its log",
    response_class=Response,
    responses=problems(NotFound, BadRequest, IdempotencyMismatch, RequestInFlight),
)
def delete_webhook(webhook_id: uuid.UUID, user: CurrentUser, once: OnceDep) -> None:
    with transaction() as session:
        once(session, Nothing, lambda: _remove(session, user.id, webhook_id))


@router.post(
    "/{webhook_id}/rotate-secret",
    operation_id="rotate_webhook_secret",
    summary="Sign with a new secret from now on",
    responses=problems(NotFound, BadRequest, IdempotencyMismatch, RequestInFlight),
)
def rotate_webhook_secret(webhook_id: uuid.UUID, user: CurrentUser, once: OnceDep, response: Response) -> WebhookShown:
    with transaction() as session:
        kept = once(session, Plain, lambda: _plain(webhooks.rotate_secret(session, user.id, webhook_id)))
    response.headers["Cache-Control"] = "no-store"
    return _shown(WebhookDoor(get_settings()), kept)


@router.post(
    "/{webhook_id}/test",
    operation_id="test_webhook",
    summary="Send a message now",
    responses=problems(NotFound, BadRequest, Conflict),
)
async def test_webhook(webhook_id: uuid.UUID, user: CurrentUser) -> Attempt:
    """Its type is `webhook.test`; it is sent once and stands in no log. One at a time."""
    if user.id in _being_tested:
        raise Conflict("A test of yours is under way.")
    _being_tested.add(user.id)
    try:
        return await to_thread.run_sync(_test, user.id, webhook_id, limiter=_testers())
    finally:
        _being_tested.discard(user.id)


@router.get(
    "/{webhook_id}/deliveries",
    operation_id="list_webhook_deliveries",
    summary="What was sent, newest first",
    responses=problems(NotFound, BadRequest),
)
def list_webhook_deliveries(
    webhook_id: uuid.UUID, user: CurrentUser, cursor: CursorQuery = None, limit: LimitQuery = 50
) -> DeliveryPage:
    before = entry_cursor(cursor)
    with transaction() as session:
        webhooks.get(session, user.id, webhook_id)
        rows = webhooks.log_of(session, webhook_id, before, limit + 1)
    shown = rows[:limit]
    following = cursor_of(shown[-1].delivery.id) if len(rows) > limit else None
    return DeliveryPage(deliveries=[_delivery(told) for told in shown], next=following)


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/replay",
    status_code=202,
    operation_id="replay_webhook_delivery",
    summary="Send a message once more",
    responses=problems(NotFound, Conflict, BadRequest),
)
def replay_webhook_delivery(webhook_id: uuid.UUID, delivery_id: DeliveryId, user: CurrentUser) -> DeliveryView:
    """With the `webhook-id` that it had."""
    with transaction() as session:
        endpoint = webhooks.get(session, user.id, webhook_id)
        if endpoint.disabled_at is not None:
            raise Conflict("The webhook is disabled; nothing is sent there.")
        return _delivery(webhooks.replay(session, webhook_id, delivery_id))


def _test(user_id: int, webhook_id: uuid.UUID) -> Attempt:
    with transaction() as session:
        endpoint = webhooks.get(session, user_id, webhook_id)
    door = WebhookDoor(get_settings())
    body = {"type": "webhook.test", "timestamp": now().isoformat(), "data": {"webhook_id": str(endpoint.id)}}
    secrets = door.signers(endpoint.id, endpoint.secret_version)
    answer = door.send(endpoint.url, secrets, f"msg_test_{uuid.uuid4().hex}", json.dumps(body).encode())
    return Attempt(
        delivered=answer.failure is None,
        status_code=answer.status_code,
        failure=answer.failure,
        duration_ms=answer.duration_ms,
    )


@cache
def _testers() -> CapacityLimiter:
    """Threads of their own: somebody's server that does not answer must hold up no other route."""
    return CapacityLimiter(4)


def _door_to(url: str) -> WebhookDoor:
    door = WebhookDoor(get_settings())
    try:
        door.check(url)
    except Refused as why:
        raise BadRequest(
            f"The webhook's address is not accepted: {why}", fields=[{"field": "url", "message": str(why)}]
        ) from None
    return door


def _view(endpoint: WebhookEndpoint) -> WebhookView:
    return WebhookView(
        id=endpoint.id,
        url=endpoint.url,
        events=endpoint.kinds,
        description=endpoint.description,
        disabled=endpoint.disabled_at is not None,
        disabled_reason=endpoint.disabled_reason,
        last_success_at=endpoint.last_success_at,
        created_at=endpoint.created_at,
    )


def _plain(endpoint: WebhookEndpoint) -> Plain:
    return Plain(view=_view(endpoint), secret_version=endpoint.secret_version)


def _shown(door: WebhookDoor, kept: Plain) -> WebhookShown:
    return WebhookShown(**kept.view.model_dump(), secret=door.secret(kept.view.id, kept.secret_version))


def _remove(session: Session, user_id: int, webhook_id: uuid.UUID) -> Nothing:
    webhooks.remove(session, user_id, webhook_id)
    return Nothing()


def _delivery(told: webhooks.Told) -> DeliveryView:
    row = told.delivery
    return DeliveryView(
        id=row.id,
        message_id=message_id(row.task_id, row.seq),
        task_id=row.task_id,
        seq=row.seq,
        type=f"task.{told.kind}",
        happened_at=told.at,
        state=row.state.lower(),
        attempts=row.attempts,
        attempted_at=row.attempted_at,
        next_attempt_at=row.next_at if row.state == DeliveryState.PENDING else None,
        status_code=row.status_code,
        failure=row.failure,
        duration_ms=row.duration_ms,
    )
