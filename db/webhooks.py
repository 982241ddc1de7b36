"""Webhooks: a customer's endpoints, and the log of what was sent to them. The sending is in deliveries.py."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from backend.errors import Conflict, NotFound
from db.models import CLOCK, TaskEvent
from db.webhook_models import DeliveryState, WebhookDelivery, WebhookEndpoint

TOUCHED_AT_ONCE = 5000
MOST_ENDPOINTS = 20  # of one customer: each event costs a row an endpoint


def add(session: Session, user_id: int, url: str, kinds: Sequence[str], description: str) -> WebhookEndpoint:
    """A new endpoint, told of what happens from now on.

    Raises:
        Conflict: the customer has as many as one may have.
    """
    session.execute(text("SELECT 1 FROM users WHERE id = :id FOR NO KEY UPDATE"), {"id": user_id})
    count = select(func.count()).select_from(WebhookEndpoint).where(WebhookEndpoint.user_id == user_id)
    if (session.scalar(count) or 0) >= MOST_ENDPOINTS:
        raise Conflict(f"There are {MOST_ENDPOINTS} webhooks already; remove one first.")
    row = {"user_id": user_id, "url": url, "kinds": list(kinds), "description": description}
    return session.execute(insert(WebhookEndpoint).values(row).returning(WebhookEndpoint)).scalar_one()


def of_user(session: Session, user_id: int) -> Sequence[WebhookEndpoint]:
    """Oldest first."""
    wanted = select(WebhookEndpoint).where(WebhookEndpoint.user_id == user_id)
    return session.scalars(wanted.order_by(WebhookEndpoint.created_at, WebhookEndpoint.id)).all()


def get(session: Session, user_id: int, endpoint_id: uuid.UUID) -> WebhookEndpoint:
    """The customer's own.

    Raises:
        NotFound: there is none, or it is another customer's.
    """
    wanted = select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id, WebhookEndpoint.user_id == user_id)
    endpoint = session.scalar(wanted)
    if endpoint is None:
        raise _no_endpoint()
    return endpoint


def change(session: Session, user_id: int, endpoint_id: uuid.UUID, values: Mapping[str, Any]) -> WebhookEndpoint:
    """The endpoint after the change. Raises NotFound."""
    mine = update(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id, WebhookEndpoint.user_id == user_id)
    changed: WebhookEndpoint | None = session.scalar(
        mine.values(**values).returning(WebhookEndpoint), execution_options={"populate_existing": True}
    )
    if changed is None:
        raise _no_endpoint()
    return changed


def rotate_secret(session: Session, user_id: int, endpoint_id: uuid.UUID) -> WebhookEndpoint:
    """From now on everything is signed with the next secret. Raises NotFound."""
    return change(session, user_id, endpoint_id, {"secret_version": WebhookEndpoint.secret_version + 1})


def enable(session: Session, user_id: int, endpoint_id: uuid.UUID) -> WebhookEndpoint:
    """Told again of what happens; the oldest of what waits is due at once. Raises NotFound."""
    endpoint = change(session, user_id, endpoint_id, {"disabled_at": None, "disabled_reason": None})
    waiting = _some_of(endpoint_id, WebhookDelivery.state == DeliveryState.PENDING)
    session.execute(update(WebhookDelivery).where(WebhookDelivery.id.in_(waiting)).values(next_at=CLOCK, attempts=0))
    return endpoint


def remove(session: Session, user_id: int, endpoint_id: uuid.UUID) -> None:
    """Nothing more is sent there. What is left of a long log goes with its time. Raises NotFound."""
    mine = delete(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id, WebhookEndpoint.user_id == user_id)
    if session.scalar(mine.returning(WebhookEndpoint.id)) is None:
        raise _no_endpoint()
    session.execute(delete(WebhookDelivery).where(WebhookDelivery.id.in_(_some_of(endpoint_id))))


def _some_of(endpoint_id: uuid.UUID, *conditions: ColumnElement[bool]) -> Select[int]:
    """The oldest deliveries, as many as one statement can touch within its time."""
    wanted = select(WebhookDelivery.id).where(WebhookDelivery.endpoint_id == endpoint_id, *conditions)
    return wanted.order_by(WebhookDelivery.id).limit(TOUCHED_AT_ONCE)


_LOG = select(WebhookDelivery, TaskEvent.kind, TaskEvent.at).join(
    TaskEvent, and_(TaskEvent.task_id == WebhookDelivery.task_id, TaskEvent.seq == WebhookDelivery.seq)
)


@dataclass(frozen=True, slots=True)
class Told:
    """A delivery, and what it tells."""

    delivery: WebhookDelivery
    kind: str
    at: datetime


def log_of(session: Session, endpoint_id: uuid.UUID, before: int | None, limit: int) -> Sequence[Told]:
    """Newest first, by keyset: `before` is a delivery's id."""
    wanted = _LOG.where(WebhookDelivery.endpoint_id == endpoint_id)
    if before is not None:
        wanted = wanted.where(WebhookDelivery.id < before)
    return [Told(*row) for row in session.execute(wanted.order_by(WebhookDelivery.id.desc()).limit(limit))]


def replay(session: Session, endpoint_id: uuid.UUID, delivery_id: int) -> Told:
    """Have it sent once more, as if it were new.

    Raises:
        NotFound
    """
    again = update(WebhookDelivery).where(WebhookDelivery.id == delivery_id, WebhookDelivery.endpoint_id == endpoint_id)
    session.execute(again.values(state=DeliveryState.PENDING, attempts=0, next_at=CLOCK))
    row = session.execute(
        _LOG.where(WebhookDelivery.id == delivery_id, WebhookDelivery.endpoint_id == endpoint_id)
    ).first()
    if row is None:
        raise NotFound("There is no such delivery.")
    return Told(*row)


def _no_endpoint() -> NotFound:
    return NotFound("There is no such webhook.")
