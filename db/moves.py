"""The one statement that changes a task's status: conditional on MOVES, numbered, and written down as an event."""

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from db import events, noted
from db.events import EventKind
from db.models import CLOCK, TERMINAL, Task, TaskStatus, sources_of


def move(
    session: Session,
    task_id: uuid.UUID,
    to: TaskStatus,
    kind: EventKind,
    values: Mapping[str, Any],
    *,
    came_from: TaskStatus | None = None,
    held_epoch: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> Task | None:
    """One legal move and its event; `values` change with it, `data` is the event's.

    None: the row is not in a state that leads there (`came_from` names one of them), or has another epoch.
    """
    sources = sources_of(to) if came_from is None else [came_from]
    statement = update(Task).where(Task.id == task_id, Task.status.in_(sources))
    if held_epoch is not None:
        statement = statement.where(Task.epoch == held_epoch)
    statement = statement.values(status=to, last_event=Task.last_event + 1, **values)
    moved = session.scalar(statement.returning(Task), execution_options={"populate_existing": True})
    if moved is not None:
        events.append(session, moved.id, moved.last_event, kind, data or {})
        _note(session, moved, kind)
    return moved


def _note(session: Session, moved: Task, kind: EventKind) -> None:
    noted.move(session, moved.tool_id, kind)
    if moved.status not in TERMINAL:
        return
    if moved.parent_id is None:
        noted.ending(session, moved.tool_id, moved.status, moved.error_code)
    if moved.started_at is not None:
        noted.run(session, moved.tool_id, moved.run_seconds)


def claim_ended(*, in_vain: bool = False) -> dict[str, Any]:
    """What changes on a row whenever a claim on it ends; harmless where there was none.

    A lost worker ran until its lease ended at most: the time until somebody noticed is not the customer's. `in_vain`:
    nor is what ran since the last checkpoint, because we ended it, by a deploy or by losing the worker.
    """
    ran = func.greatest(0, func.extract("epoch", func.least(CLOCK, Task.lease_until) - Task.claimed_at))
    return {
        "run_seconds": Task.run_seconds if in_vain else Task.run_seconds + ran,
        "claimed_at": None,
        "lease_until": None,
        "worker": None,
        "current_agent": None,
        "memory_bytes": None,
        "admitted_at": None,
        "not_before": None,
        "ring_wanted": False,
        "rings": 0,
    }


# The same in the words of a statement, for a claim that did not end in vain.
CLAIM_ENDED = """
    run_seconds = run_seconds
        + greatest(0, extract(epoch FROM least(clock_timestamp(), lease_until) - claimed_at)),
    claimed_at = NULL, lease_until = NULL, worker = NULL, current_agent = NULL, memory_bytes = NULL,
    admitted_at = NULL, not_before = NULL, ring_wanted = false, rings = 0
"""


def goes_first() -> dict[str, Any]:
    """Admitted at once, ahead of every lane, and to be rung: for a task that had its turn and lost it."""
    return {"admitted_at": CLOCK, "ring_wanted": True}


def lock_parent(session: Session, parent_id: uuid.UUID | None) -> None:
    """In the lock order a parent's row comes before its child's: the other way round deadlocks with cancel.

    NO KEY UPDATE: a child's capture, which names the root by a foreign key, is not in its way.
    """
    if parent_id is not None:
        session.execute(select(Task.id).where(Task.id == parent_id).with_for_update(key_share=True))
