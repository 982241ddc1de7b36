"""Tasks: create, submit, read, move, cancel, expire. Claims and their endings are in claims.py.

A status changes by `moves.move` alone.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, tuple_, update
from sqlalchemy.orm import Session

from backend.errors import (
    Cancelled,
    Expired,
    InvalidTaskState,
    TaskNotCancellable,
    TaskNotFound,
)
from db import children, events, ledger, moves, submits, wakeups
from db.events import EventKind
from db.models import CLOCK, NOW, TERMINAL, Task, TaskStatus
from db.moves import move
from db.submits import AGEING_STEP as AGEING_STEP  # noqa: PLC0414 (known from here, with what it submits)
from db.submits import Submission as Submission  # noqa: PLC0414 (the same)


def create(
    session: Session,
    user_id: int,
    tool_id: str,
    agents: Sequence[str],
    parameters: Mapping[str, Any],
    *,
    priority: int = 0,
    retry_of: uuid.UUID | None = None,
) -> Task:
    """A new row in CREATED. `agents` is the customer's choice; empty means all whose inputs are there.

    `priority` orders the customer's own tasks: each step is worth AGEING_STEP of waiting, up or down.
    """
    values = {"user_id": user_id, "tool_id": tool_id, "agents": list(agents), "parameters": dict(parameters)}
    values |= {"priority": priority, "retry_of": retry_of}
    task = session.execute(insert(Task).values(**values, last_event=1).returning(Task)).scalar_one()
    told = {"tool_id": tool_id} | ({} if retry_of is None else {"retry_of": str(retry_of)})
    events.append(session, task.id, 1, EventKind.CREATED, told)
    return task


def get(session: Session, task_id: uuid.UUID, user_id: int, *, lock: bool = False, also_deleted: bool = False) -> Task:
    """The customer's own task.

    Raises:
        TaskNotFound: there is none, it was deleted, or it is another customer's.
    """
    wanted = select(Task).where(Task.id == task_id, Task.user_id == user_id)
    if not also_deleted:
        wanted = wanted.where(Task.deleted_at.is_(None))
    task = session.scalar(wanted.with_for_update(key_share=True) if lock else wanted)
    if task is None:
        raise TaskNotFound(task_id=str(task_id))
    return task


def page(
    session: Session,
    user_id: int,
    *,
    status: TaskStatus | None = None,
    tool_id: str | None = None,
    before: tuple[datetime, uuid.UUID] | None = None,
    limit: int = 50,
) -> Sequence[Task]:
    """The customer's tasks, newest first, by keyset: `before` is the last row's (created_at, id)."""
    wanted = select(Task).where(Task.user_id == user_id, Task.parent_id.is_(None), Task.deleted_at.is_(None))
    if status is not None:
        wanted = wanted.where(Task.status == status)
    if tool_id is not None:
        wanted = wanted.where(Task.tool_id == tool_id)
    if before is not None:
        wanted = wanted.where(tuple_(Task.created_at, Task.id) < before)
    return session.scalars(wanted.order_by(Task.created_at.desc(), Task.id.desc()).limit(limit)).all()


def plan_inputs(session: Session, task: Task, inputs: Mapping[str, Any]) -> None:
    """Remember which files the customer is about to upload; a role named again is replaced."""
    statement = update(Task).where(Task.id == task.id, Task.status == TaskStatus.CREATED)
    if not session.execute(statement.values(inputs={**task.inputs, **inputs}).returning(Task.id)).scalar():
        raise InvalidTaskState(status=task.status)


def submit(session: Session, task: Task, submission: Submission) -> Task:
    """CREATED → QUEUED: hold the credits, take a place in the customer's lane, wake the conductors.

    Raises:
        TaskNotFound: it was deleted.
        InvalidTaskState: the task was submitted before, or has ended.
        Conflict: its inputs are not those of `task` any more.
        InsufficientCredits: nothing is held and nothing changes.
    """
    submits.submit(session, task, submission)
    queued = select(Task).where(Task.id == task.id)
    return session.scalars(queued, execution_options={"populate_existing": True}).one()


def cancel(session: Session, task_id: uuid.UUID, user_id: int) -> Task:
    """Settle a cancellation here and now; a running worker learns of it by its next beat.

    Asking twice gives the same answer.

    Raises:
        TaskNotFound: there is none, or it is another customer's.
        TaskNotCancellable: it ended in another way.
    """
    moves.lock_parent(session, get(session, task_id, user_id).parent_id)
    cancelled = _cancel_row(session, task_id)
    if cancelled is None:
        return _already_cancelled(session, task_id)
    for child_id in session.scalars(select(Task.id).where(Task.parent_id == task_id, Task.status.not_in(TERMINAL))):
        _cancel_row(session, child_id)
    if cancelled.parent_id is None:
        ledger.settle(session, task_id)
    else:
        children.child_ended(session, cancelled.parent_id)
    wakeups.notify(session)
    return cancelled


def _cancel_row(session: Session, task_id: uuid.UUID) -> Task | None:
    """The epoch goes up, so that whoever still works on it is fenced off."""
    ended = {"epoch": Task.epoch + 1, "finished_at": CLOCK, "error_code": Cancelled.error_code, "open_children": 0}
    return move(session, task_id, TaskStatus.CANCELLED, EventKind.CANCELLED, moves.claim_ended() | ended)


def _already_cancelled(session: Session, task_id: uuid.UUID) -> Task:
    task = session.scalars(select(Task).where(Task.id == task_id), execution_options={"populate_existing": True}).one()
    if task.status != TaskStatus.CANCELLED:
        raise TaskNotCancellable(status=task.status)
    return task


def expire(session: Session, older_than: timedelta, limit: int) -> int:
    """CREATED tasks that were never started become EXPIRED; how many. Nothing was held for them."""
    stale = (
        select(Task.id)
        .where(Task.status == TaskStatus.CREATED, Task.created_at < NOW - older_than)
        .order_by(Task.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = session.scalars(stale).all()
    for task_id in ids:
        values = {"finished_at": CLOCK, "error_code": Expired.error_code, "error_message": Expired.message}
        move(session, task_id, TaskStatus.EXPIRED, EventKind.EXPIRED, values)
    return len(ids)
