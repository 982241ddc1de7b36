"""What those who follow tasks ask of the database: which of them moved, and what happened to them since.

One statement for all watched tasks of a process, on one connection. A step, a beat and an event notify nobody
(wakeups.py), so they are looked for; a submit or an ending wakes the lookout between two looks.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from psycopg.rows import namedtuple_row
from sqlalchemy.orm import Session

from db import events
from db.database import STATION_LIMITS
from db.models import TERMINAL, Task, TaskStatus
from db.prebuilt import Prebuilt, Station
from db.wakeups import Listener

MOST_AT_ONCE = 100  # events of one task in one look; the next look brings the rest


class Parts(NamedTuple):
    """Of a batch: its items, those of them that went well and that failed, and its children that have not ended."""

    items: int = 0
    ok: int = 0
    failed: int = 0
    open: int = 0


NO_PARTS = Parts()


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a task is; `last_event` is the number of the last event that is known of it."""

    task_id: uuid.UUID
    user_id: int
    status: TaskStatus
    last_event: int
    epoch: int
    progress: float
    current_agent: str | None
    parts: Parts = NO_PARTS
    deleted: bool = False

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a task."""

    seq: int
    kind: str
    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class News:
    """A task that moved since it was last looked at."""

    standing: Standing
    happened: tuple[Happened, ...]


def standing_of(task: Task) -> Standing:
    return Standing(
        task_id=task.id,
        user_id=task.user_id,
        status=TaskStatus(task.status),
        last_event=task.last_event,
        epoch=task.epoch,
        progress=task.progress,
        current_agent=task.current_agent,
        parts=parts_of(task),
        deleted=task.deleted_at is not None,
    )


_STANDING = Prebuilt("""
    SELECT id, user_id, status, last_event, epoch, progress, current_agent, items, items_ok, items_failed, open_children
    FROM tasks WHERE id = :task_id AND user_id = :user_id AND deleted_at IS NULL
""")


def standing(session: Station, task_id: uuid.UUID, user_id: int) -> Standing | None:
    """The same, of the customer's own task, for who asks for no more; None: there is none."""
    row = _STANDING.first(session, {"task_id": task_id, "user_id": user_id})
    if row is None:
        return None
    of, whose, status, last_event, epoch, progress, agent, *parts = row
    return Standing(of, whose, TaskStatus(status), last_event, epoch, progress, agent, Parts(*parts))


def parts_of(task: Task) -> Parts:
    return Parts(task.items, task.items_ok, task.items_failed, task.open_children)


def happened_after(session: Session, task_id: uuid.UUID, seq: int, limit: int = MOST_AT_ONCE) -> list[Happened]:
    """For who fell behind: the events that follow `seq`, oldest first."""
    return [Happened(e.seq, e.kind, e.at, e.data) for e in events.after(session, task_id, seq, limit)]


# `seen` has what is known of each watched task; only those that moved are answered, each with its new events.
_LOOK = f"""
    SELECT t.id, t.user_id, t.status, t.last_event, t.epoch, t.progress, t.current_agent,
        t.items, t.items_ok, t.items_failed, t.open_children, t.deleted_at IS NOT NULL AS deleted,
        e.seq, e.kind, e.at, e.data
    FROM unnest(%(ids)s::uuid[], %(seqs)s::int[], %(epochs)s::int[], %(progress)s::real[], %(agents)s::text[],
            %(ok)s::int[], %(failed)s::int[], %(open)s::int[])
        AS seen (id, seq, epoch, progress, agent, items_ok, items_failed, open_children)
    JOIN tasks t ON t.id = seen.id
    LEFT JOIN LATERAL (
        SELECT * FROM task_events e WHERE e.task_id = seen.id AND e.seq > seen.seq ORDER BY e.seq LIMIT {MOST_AT_ONCE}
    ) e ON true
    WHERE t.last_event > seen.seq OR t.epoch <> seen.epoch OR t.progress <> seen.progress
        OR t.current_agent IS DISTINCT FROM seen.agent
        OR (t.items_ok, t.items_failed, t.open_children)
            <> (seen.items_ok, seen.items_failed, seen.open_children)
        OR t.deleted_at IS NOT NULL
    ORDER BY t.id, e.seq
"""  # noqa: S608 (the limit is our own)


class Lookout(Listener):
    """A connection of its own that looks at many tasks at once. Raises DATABASE_ERRORS when the database goes."""

    def __init__(self) -> None:
        super().__init__(application_name="agensium-lookout", limits=STATION_LIMITS)

    def look(self, watched: Iterable[Standing]) -> list[News]:
        """Those of `watched` that moved, with their events; a task that is watched twice is answered once."""
        seen = list({standing.task_id: standing for standing in watched}.values())
        asked = {
            "ids": [standing.task_id for standing in seen],
            "seqs": [standing.last_event for standing in seen],
            "epochs": [standing.epoch for standing in seen],
            "progress": [standing.progress for standing in seen],
            "agents": [standing.current_agent for standing in seen],
            "ok": [standing.parts.ok for standing in seen],
            "failed": [standing.parts.failed for standing in seen],
            "open": [standing.parts.open for standing in seen],
        }
        with self._connection.cursor(row_factory=namedtuple_row) as cursor:
            rows: list[Any] = cursor.execute(_LOOK, asked).fetchall()
        return [_news(list(of_task)) for _id, of_task in groupby(rows, key=lambda row: row.id)]


def _news(rows: Sequence[Any]) -> News:
    first, happened = rows[0], tuple(Happened(r.seq, r.kind, r.at, r.data) for r in rows if r.seq is not None)
    # What did not fit into this look is left for the next one.
    last_event = happened[-1].seq if happened else first.last_event
    return News(
        Standing(
            task_id=first.id,
            user_id=first.user_id,
            status=TaskStatus(first.status),
            last_event=last_event,
            epoch=first.epoch,
            progress=first.progress,
            current_agent=first.current_agent,
            parts=Parts(first.items, first.items_ok, first.items_failed, first.open_children),
            deleted=first.deleted,
        ),
        happened,
    )


@contextmanager
def lookout() -> Iterator[Lookout]:
    with closing(Lookout()) as opened:
        yield opened
