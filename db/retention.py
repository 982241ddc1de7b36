"""How long files are kept: which tasks' files are due to go, and that they are gone.

Due is computed from `finished_at` at the time of cleaning, so a new setting acts on old rows. A retry stands on the
files of the task that it repeats, at every distance: those go only when nobody in that line, and no parent, needs them.
The database says what may go; the store is asked elsewhere, and a task is marked only when its files are gone.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import case, or_, select, text, update
from sqlalchemy.orm import Session

from backend.settings import Settings
from db import checkpoints
from db.files import LINE
from db.models import CLOCK, UPLOADS_LEFT_OPEN, Task

# Whoever asked just before the end of the time may still be in a transaction (6 s at most, db/database.py).
GRACE = timedelta(minutes=1)


class Stage(StrEnum):
    """What is removed: uploads that the task's end left open; inputs and what no row names; all of it, by age; all of
    it, by the customer's wish.
    """

    UPLOADS = "uploads"
    INPUTS = "inputs"
    OUTPUTS = "outputs"
    DELETED = "deleted"


WHOLE = frozenset({Stage.OUTPUTS, Stage.DELETED})  # nothing of the task stays but its row


@dataclass(frozen=True, slots=True)
class Kept:
    """How long files stay after a task's end, and how long the links to them are good."""

    inputs: timedelta
    outputs: timedelta
    upload_links: timedelta
    download_links: timedelta

    @classmethod
    def by(cls, settings: Settings) -> "Kept":
        return cls(
            inputs=timedelta(days=settings.inputs_kept_days),
            outputs=timedelta(days=settings.outputs_kept_days),
            upload_links=timedelta(seconds=settings.upload_link_seconds),
            download_links=timedelta(seconds=settings.download_link_seconds),
        )

    def before_cleaning(self, stage: Stage) -> timedelta:
        """No link to an object is signed after its time (`results_are_gone`); the last one is good to its end."""
        if stage is Stage.UPLOADS:
            return timedelta()
        return (self.inputs if stage is Stage.INPUTS else self.outputs + self.download_links) + GRACE


@dataclass(frozen=True, slots=True)
class Doomed:
    """A task whose files are due. `since` and the id are where the next page begins."""

    task_id: uuid.UUID
    user_id: int
    since: datetime


_NEEDED = f"""EXISTS (
    {LINE}
    SELECT FROM line JOIN tasks other ON other.id = line.id
    WHERE other.id <> t.id AND other.deleted_at IS NULL
      AND (other.finished_at IS NULL OR other.finished_at >= :ended_before))
"""
_BY_AGE = """finished_at IS NOT NULL AND t.finished_at < :ended_before
    AND t.{cleaned} IS NULL AND t.deleted_at IS NULL"""
# A deleted task is cleaned at once, and again when no upload form is good any more: a late upload leaves no orphan.
_BY_WISH = """deleted_at IS NOT NULL AND t.outputs_cleaned_at IS NULL
    AND (t.inputs_cleaned_at IS NULL OR t.inputs_cleaned_at < t.deleted_at
         OR t.deleted_at < :deleted_before)"""
# Nobody stands on parts that were never put together. The words are the index's own.
_LEFT_OPEN = f"finished_at < :ended_before AND {UPLOADS_LEFT_OPEN} AND t.deleted_at IS NULL"
_WHERE: Mapping[Stage, tuple[str, str]] = {
    Stage.UPLOADS: ("finished_at", _LEFT_OPEN),
    Stage.INPUTS: ("finished_at", _BY_AGE.format(cleaned="inputs_cleaned_at")),
    Stage.OUTPUTS: ("finished_at", _BY_AGE.format(cleaned="outputs_cleaned_at")),
    Stage.DELETED: ("deleted_at", _BY_WISH),
}


_FORGET_UPLOADS = text("""
    UPDATE tasks SET inputs = (
        SELECT jsonb_object_agg(name, (
            SELECT coalesce(jsonb_agg(file - 'upload_id'), '[]') FROM jsonb_array_elements(files) AS file))
        FROM jsonb_each(inputs) AS role(name, files))
    WHERE id = ANY(:ids)
""")


def due(
    session: Session, stage: Stage, kept: Kept, *, after: Doomed | None = None, limit: int = 100
) -> Sequence[Doomed]:
    """Tasks whose files are to go, oldest first, by keyset."""
    column, is_due = _WHERE[stage]
    now = session.execute(select(CLOCK)).scalar_one()  # asked before: a range of the index needs a fixed end
    statement = text(f"""
        SELECT t.id AS task_id, t.user_id, t.{column} AS since FROM tasks t
        WHERE t.{is_due} AND (t.{column}, t.id) > (:since, :after) AND NOT {_NEEDED}
        ORDER BY t.{column}, t.id LIMIT :limit
    """)  # noqa: S608 (our own words only)
    asked = {
        "ended_before": now - kept.before_cleaning(stage),
        "since": after.since if after else datetime.fromisoformat("1970-01-01T00:00:00+00:00"),
        "after": after.task_id if after else uuid.UUID(int=0),
        "limit": limit,
        "deleted_before": now - kept.upload_links - GRACE,
    }
    return [Doomed(row.task_id, row.user_id, row.since) for row in session.execute(statement, asked)]


def anything_due(session: Session, kept: Kept) -> bool:
    """True where a cleaning would find work."""
    return any(due(session, stage, kept, limit=1) for stage in Stage)


def mark_cleaned(session: Session, stage: Stage, kept: Kept, task_ids: Sequence[uuid.UUID]) -> None:
    """The files and items are gone. A deleted task is done with when nobody can upload to it any more."""
    wanted = select(Task.id).where(Task.id.in_(task_ids)).order_by(Task.id)
    if stage is not Stage.DELETED:
        wanted = wanted.where(Task.deleted_at.is_(None))  # deleted meanwhile: that cleaning comes next
    free = session.scalars(wanted.with_for_update(skip_locked=True, key_share=True)).all()
    if stage is Stage.UPLOADS:
        session.execute(_FORGET_UPLOADS, {"ids": free})
        return
    if stage in WHOLE:
        checkpoints.forget_small_artifacts(session, free)
    values: dict[str, Any] = {"inputs_cleaned_at": CLOCK}
    if stage is Stage.OUTPUTS:
        values["outputs_cleaned_at"] = CLOCK
    elif stage is Stage.DELETED:
        nobody_uploads = Task.deleted_at < CLOCK - kept.upload_links - GRACE
        values["outputs_cleaned_at"] = case((nobody_uploads, CLOCK))
    session.execute(update(Task).where(Task.id.in_(free)).values(**values))


def results_are_gone(session: Session, task: Task, kept: Kept) -> bool:
    """True from the moment at which no link to the task's files may be given any more."""
    gone = or_(Task.outputs_cleaned_at.is_not(None), Task.finished_at < CLOCK - kept.outputs)
    return bool(session.scalar(select(gone).where(Task.id == task.id)))


def inputs_are_gone(session: Session, task: Task, kept: Kept) -> bool:
    """True from the moment at which nothing may be begun any more that needs what was uploaded."""
    gone = or_(Task.inputs_cleaned_at.is_not(None), Task.finished_at < CLOCK - kept.inputs)
    return bool(session.scalar(select(gone).where(Task.id == task.id)))
