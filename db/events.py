"""What happened to a task, in order: one gapless sequence a task, numbered by the row that is also the fence."""

import uuid
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from db.models import TaskEvent


class EventKind(StrEnum):
    CREATED = "created"
    QUEUED = "queued"
    STARTED = "started"
    STEP_DELIVERED = "step_delivered"
    STEP_FAILED = "step_failed"
    RETRYING = "retrying"  # a hiccup or crash: the row is QUEUED again
    HANDED_BACK = "handed_back"  # a drain or an unknown tool: nobody's fault
    REROUTED = "rerouted"  # to the queue of workers that give more memory
    RESCUED = "rescued"  # its worker was lost
    WAITING = "waiting"  # for children
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


def append(session: Session, task_id: uuid.UUID, seq: int, kind: EventKind, data: Mapping[str, Any]) -> None:
    """Write event `seq`, the number that the row's UPDATE in this very transaction gave."""
    session.execute(insert(TaskEvent).values(task_id=task_id, seq=seq, kind=kind, data=dict(data)))


def after(session: Session, task_id: uuid.UUID, seq: int, limit: int = 500) -> Sequence[TaskEvent]:
    """The events that follow `seq`, oldest first."""
    wanted = select(TaskEvent).where(TaskEvent.task_id == task_id, TaskEvent.seq > seq)
    return session.scalars(wanted.order_by(TaskEvent.seq).limit(limit)).all()
