"""The rows of webhooks: where a customer wants to be told, and each telling."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models import CLOCK, ZERO, Base


class DeliveryState(StrEnum):
    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    GIVEN_UP = "GIVEN_UP"


PENDING = "state = 'PENDING'"


class WebhookEndpoint(Base):
    """An address of a customer's. Its secret is no column: it is derived when it is needed (backend/webhook_door.py).

    `held_until` is one courier's right to it, `holder` which.
    """

    __tablename__ = "webhook_endpoints"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    url: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    kinds: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))  # of events; empty: all
    secret_version: Mapped[int] = mapped_column(server_default=text("1"))
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None]
    held_until: Mapped[datetime] = mapped_column(server_default=text("to_timestamp(0)"))
    holder: Mapped[uuid.UUID | None]
    last_success_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK)


class WebhookDelivery(Base):
    """One event on its way to one endpoint: written in the event's own transaction, so none is ever forgotten.

    `endpoint_id` is no foreign key: a customer who removes an endpoint must not make a task's station fail or wait.
    """

    __tablename__ = "webhook_deliveries"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    endpoint_id: Mapped[uuid.UUID]
    task_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), index=True)
    seq: Mapped[int]
    state: Mapped[str] = mapped_column(server_default=DeliveryState.PENDING)
    attempts: Mapped[int] = mapped_column(server_default=ZERO)
    next_at: Mapped[datetime] = mapped_column(server_default=CLOCK)
    status_code: Mapped[int | None]  # of the last attempt; null where nobody answered
    failure: Mapped[str | None]  # of the last attempt, fit to be shown
    duration_ms: Mapped[int | None]
    attempted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK)

    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(s.value) for s in DeliveryState)})", name="state"),
        UniqueConstraint("endpoint_id", "task_id", "seq"),
        Index("ix_webhook_deliveries_due", "endpoint_id", "next_at", postgresql_where=text(PENDING)),
        Index("ix_webhook_deliveries_order", "endpoint_id", "task_id", "seq", postgresql_where=text(PENDING)),
        Index("ix_webhook_deliveries_log", "endpoint_id", text("id DESC")),
        Index("ix_webhook_deliveries_ended", "attempted_at", postgresql_where=text(f"NOT ({PENDING})")),
    )
