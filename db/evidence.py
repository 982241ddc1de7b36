"""What the proofs read of the tables in bulk, beside the rules of verification.py: how tasks stand, what happened.

Reading only. Small rows and no joins, so that an observer may ask several times a second.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from db.events import LEADS_TO, EventKind
from db.models import CLOCK, MOVES, Task, TaskEvent, TaskStatus

WATCHED_AFTER_THE_END = timedelta(seconds=10)

STATIONS = frozenset({EventKind.STEP_DELIVERED, EventKind.STEP_FAILED})  # they leave the task where it is


@dataclass(frozen=True, slots=True)
class Standing:
    """How one task stands at this moment."""

    task_id: uuid.UUID
    status: TaskStatus
    epoch: int
    progress: float
    manifest_key: str | None


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of a task."""

    kind: EventKind
    at: datetime
    data: Mapping[str, Any]


def standings(session: Session) -> Sequence[Standing]:
    """Every task that has not ended, or ended just now."""
    alive = or_(Task.finished_at.is_(None), Task.finished_at > CLOCK - WATCHED_AFTER_THE_END)
    return _standings(session, alive)


def standings_of(session: Session, task_ids: Collection[uuid.UUID]) -> Sequence[Standing]:
    return _standings(session, Task.id.in_(task_ids))


def _standings(session: Session, which: Any) -> Sequence[Standing]:
    columns = (Task.id, Task.status, Task.epoch, Task.progress, Task.manifest_key)
    rows = session.execute(select(*columns).where(which))
    return [Standing(row[0], TaskStatus(row[1]), row[2], row[3], row[4]) for row in rows]


def histories(session: Session, task_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Sequence[Happening]]:
    """What happened to each of the tasks, oldest first."""
    found: dict[uuid.UUID, list[Happening]] = defaultdict(list)
    columns = (TaskEvent.task_id, TaskEvent.kind, TaskEvent.at, TaskEvent.data)
    wanted = select(*columns).where(TaskEvent.task_id.in_(task_ids)).order_by(TaskEvent.task_id, TaskEvent.seq)
    for task_id, kind, at, data in session.execute(wanted):
        found[task_id].append(Happening(EventKind(kind), at, data))
    return found


def illegal_move(happenings: Sequence[Happening]) -> str | None:
    """The first thing in a task's history that no task may do, in words; None: the history is legal."""
    status: TaskStatus | None = None
    epoch = 0
    for happening in happenings:
        onward = LEADS_TO[happening.kind]
        if not _legal(status, happening.kind, onward):
            return f"{happening.kind} after {status}"
        if happening.kind is EventKind.STARTED:
            if happening.data.get("epoch") != epoch + 1:
                return f"started with epoch {happening.data.get('epoch')} after {epoch}"
            epoch += 1
        status = onward
    return None


def _legal(status: TaskStatus | None, kind: EventKind, onward: TaskStatus) -> bool:
    if status is None:
        return kind in {EventKind.CREATED, EventKind.QUEUED}  # a child begins in the queue
    if kind in STATIONS:
        return status is TaskStatus.PROCESSING
    return onward in MOVES[status]
