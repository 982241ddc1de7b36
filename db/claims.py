"""A worker's right to a task: take it, and prove it at every station. How it ends is in endings.py.

The row lock taken by `UPDATE … WHERE epoch = :mine` *is* the fence (DESIGN §5.2): every station's transaction
begins with it, and a zombie gets ClaimLost before it can write anything.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from backend.errors import ClaimLost
from db import events, moves
from db.events import EventKind
from db.models import CLOCK, Queue, Task, TaskStatus

ERROR_FIELDS = ("error_code", "error_message", "next_action", "error_detail", "recoverable")


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a task, and what the work needs to know. `epoch` is the fence."""

    task_id: uuid.UUID
    user_id: int
    tool_id: str
    epoch: int
    agents: tuple[str, ...]
    parameters: Mapping[str, Any]
    inputs: Mapping[str, Any]
    prices: Mapping[str, int]
    queue: Queue
    parent_id: uuid.UUID | None
    run_seconds: float
    tariffs: Mapping[str, Any] = field(default_factory=dict)
    first_item: int = 0
    items: int = 0
    started_at: datetime | None = None  # of the first claim
    hiccups: int = 0  # at the step it is on, when it was taken

    @property
    def root_id(self) -> uuid.UUID:
        """The task that holds the credits and the items."""
        return self.parent_id or self.task_id


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted against the step a task is on; a checkpoint sets it to 0."""

    hiccups: int
    crashes: int


def take(session: Session, task_id: uuid.UUID, user_id: int, worker: uuid.UUID, lease: timedelta) -> Claim | None:
    """Claim a task that is queued, admitted and due; None means a copy, too early, or not this customer's."""
    statement = (
        update(Task)
        .where(
            Task.id == task_id,
            Task.user_id == user_id,
            Task.status == TaskStatus.QUEUED,
            Task.admitted_at.is_not(None),
            Task.not_before.is_(None),
        )
        .values(
            status=TaskStatus.PROCESSING,
            epoch=Task.epoch + 1,
            last_event=Task.last_event + 1,
            worker=worker,
            claimed_at=CLOCK,
            lease_until=CLOCK + lease,
            started_at=func.coalesce(Task.started_at, CLOCK),
            ring_wanted=False,
            **dict.fromkeys(ERROR_FIELDS),
        )
        .returning(Task)
    )
    task = session.scalar(statement, execution_options={"populate_existing": True})
    if task is None:
        return None
    events.append(session, task.id, task.last_event, EventKind.STARTED, {"epoch": task.epoch})
    return _claim_on(task)


def fence(session: Session, claim: Claim, **values: Any) -> int:
    """Begin a station: lock the row if it is still ours; the number of the station's event.

    Raises:
        ClaimLost: another epoch owns the row, or the task has ended. Nothing may be written then.
    """
    statement = (
        update(Task).where(*_mine(claim)).values(last_event=Task.last_event + 1, **values).returning(Task.last_event)
    )
    seq = session.scalar(statement)
    if seq is None:
        raise ClaimLost(detail=f"epoch {claim.epoch} does not own task {claim.task_id}")
    return seq


def counts(session: Session, claim: Claim) -> Counts:
    """The row's own counts, and its lock: what the claim knew at its start may be of an earlier step.

    Raises:
        ClaimLost: the row is not ours any more.
    """
    moves.lock_parent(session, claim.parent_id)
    row = session.execute(
        select(Task.hiccups, Task.crashes).where(*_mine(claim)).with_for_update(key_share=True)
    ).one_or_none()
    if row is None:
        raise ClaimLost
    return Counts(row.hiccups, row.crashes)


def say_current_agent(session: Session, claim: Claim, agent_id: str | None) -> None:
    """Whose turn it is, for those who watch. No event: the step's own will tell.

    Raises:
        ClaimLost: the row is not ours any more.
    """
    said = update(Task).where(*_mine(claim)).values(current_agent=agent_id).returning(Task.id)
    if session.scalar(said) is None:
        raise ClaimLost


def tell(session: Session, claim: Claim, data: Mapping[str, Any]) -> None:
    """A few words to those who follow the task; no webhook carries them.

    Raises:
        ClaimLost: the row is not ours any more.
    """
    events.append_in_passing(session, claim.task_id, fence(session, claim), EventKind.TEXT, data)


def _mine(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    """The fence's words: the row, if it is still this claim's."""
    return Task.id == claim.task_id, Task.epoch == claim.epoch, Task.status == TaskStatus.PROCESSING


def _claim_on(task: Task) -> Claim:
    return Claim(
        task_id=task.id,
        user_id=task.user_id,
        tool_id=task.tool_id,
        epoch=task.epoch,
        agents=tuple(task.agents),
        parameters=task.parameters,
        inputs=task.inputs,
        prices=task.prices,
        queue=Queue(task.queue),
        parent_id=task.parent_id,
        run_seconds=task.run_seconds,
        tariffs=task.tariffs,
        first_item=task.first_item,
        items=task.items,
        started_at=task.started_at,
        hiccups=task.hiccups,
    )
