"""What happened to a task, in order: one gapless sequence a task, numbered by the row that is also the fence."""

import json
import uuid
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from db.models import TaskEvent, TaskStatus


class EventKind(StrEnum):
    CREATED = "created"
    QUEUED = "queued"
    STARTED = "started"
    STEP_DELIVERED = "step_delivered"
    STEP_FAILED = "step_failed"
    STEP_SKIPPED = "step_skipped"  # what it depends on failed
    TEXT = "text"  # a part of an answer, while it is being written
    RETRYING = "retrying"  # a hiccup or crash: the row is QUEUED again
    HANDED_BACK = "handed_back"  # a drain or an unknown tool: nobody's fault
    REROUTED = "rerouted"  # to the queue of workers that give more memory
    RESCUED = "rescued"  # its worker was lost
    WAITING = "waiting"  # for children
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


# Where each kind of event leaves its task.
LEADS_TO: Mapping[EventKind, TaskStatus] = {
    EventKind.CREATED: TaskStatus.CREATED,
    EventKind.QUEUED: TaskStatus.QUEUED,
    EventKind.STARTED: TaskStatus.PROCESSING,
    EventKind.STEP_DELIVERED: TaskStatus.PROCESSING,
    EventKind.STEP_FAILED: TaskStatus.PROCESSING,
    EventKind.STEP_SKIPPED: TaskStatus.PROCESSING,
    EventKind.TEXT: TaskStatus.PROCESSING,
    EventKind.RETRYING: TaskStatus.QUEUED,
    EventKind.HANDED_BACK: TaskStatus.QUEUED,
    EventKind.REROUTED: TaskStatus.QUEUED,
    EventKind.RESCUED: TaskStatus.QUEUED,
    EventKind.WAITING: TaskStatus.WAITING,
    EventKind.COMPLETED: TaskStatus.COMPLETED,
    EventKind.FAILED: TaskStatus.FAILED,
    EventKind.CANCELLED: TaskStatus.CANCELLED,
    EventKind.EXPIRED: TaskStatus.EXPIRED,
}
# What a customer may read of an event's data; anything else is ours.
PUBLIC = frozenset(
    {
        "tool_id", "retry_of", "credits_held", "parent_id", "children", "children_done", "epoch", "agent_id",
        "progress", "credits", "error_code", "message", "next_action", "delay_seconds", "outcome", "text", "at",
        "restarted",
    }
)  # fmt: skip


def public(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name in PUBLIC}


# What `event` of a statement owes to the customer's webhooks (deliveries.py); a child's events are its parent's affair.
FAN_OUT = """
    INSERT INTO webhook_deliveries (endpoint_id, task_id, seq)
    SELECT endpoint.id, event.task_id, event.seq
    FROM event
    JOIN tasks owner ON owner.id = event.task_id AND owner.parent_id IS NULL
    JOIN webhook_endpoints endpoint ON endpoint.user_id = owner.user_id AND endpoint.disabled_at IS NULL
        AND (endpoint.kinds = '{}' OR event.kind = ANY(endpoint.kinds))
"""
_APPEND = text(f"""
    WITH event AS (
        INSERT INTO task_events (task_id, seq, kind, data) VALUES (:task_id, :seq, :kind, CAST(:data AS jsonb))
        RETURNING task_id, seq, kind)
    {FAN_OUT}
""")  # noqa: S608 (our own words only)


def append(session: Session, task_id: uuid.UUID, seq: int, kind: EventKind, data: Mapping[str, Any]) -> None:
    """Write event `seq`, the number that the row's UPDATE in this very transaction gave, and whom it is owed to."""
    session.execute(_APPEND, {"task_id": task_id, "seq": seq, "kind": kind, "data": json.dumps(dict(data))})


def after(session: Session, task_id: uuid.UUID, seq: int, limit: int = 500) -> Sequence[TaskEvent]:
    """The events that follow `seq`, oldest first."""
    wanted = select(TaskEvent).where(TaskEvent.task_id == task_id, TaskEvent.seq > seq)
    return session.scalars(wanted.order_by(TaskEvent.seq).limit(limit)).all()
