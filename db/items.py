"""The journal of a batch: one row a finished item, on the root's id (DESIGN §5.10). What is in it is not asked again.

Items are written under the child's fence, and counted on the child and on the root in the same transaction.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, literal, select, text, tuple_, update
from sqlalchemy.orm import Session

from backend.errors import ClaimLost, writable
from db import moves
from db.claims import Claim
from db.models import Task, TaskItem


@dataclass(frozen=True, slots=True)
class FinishedItem:
    """`millicredits` is what it costs where it went well."""

    position: int
    name: str
    answer: dict[str, Any] | None
    error_code: str | None
    error_message: str | None
    calls: int
    tokens: int
    millicredits: int


# One JSON array of rows is one parameter, whatever their number.
_RECORD = text("""
    WITH child AS (
        SELECT id FROM tasks WHERE id = :task_id AND epoch = :epoch AND status = 'PROCESSING' FOR NO KEY UPDATE),
    written AS (
        INSERT INTO task_items (task_id, position, name, answer, error_code, error_message, calls, tokens, millicredits)
        SELECT :root_id, i.position, i.name, i.answer, i.error_code, i.error_message, i.calls, i.tokens, i.millicredits
        FROM child, jsonb_to_recordset(CAST(:items AS jsonb)) AS i(
            position int, name text, answer jsonb, error_code text, error_message text, calls int, tokens bigint,
            millicredits bigint)
        ON CONFLICT (task_id, position) DO NOTHING
        RETURNING error_code)
    SELECT (SELECT count(*) FROM child) AS owned,
           count(*) FILTER (WHERE error_code IS NULL) AS ok, count(*) FILTER (WHERE error_code IS NOT NULL) AS failed
    FROM written
""")
# Only what went well is headway: an item that is written off on the last try must not earn its child another eight.
_COUNT = text("""
    UPDATE tasks SET items_ok = items_ok + :ok, items_failed = items_failed + :failed,
        progress = greatest(progress, least(99, 99.0 * (items_ok + items_failed + :ok + :failed) / items)),
        hiccups = CASE WHEN headway THEN 0 ELSE hiccups END,
        crashes = CASE WHEN headway THEN 0 ELSE crashes END,
        losses = CASE WHEN headway THEN 0 ELSE losses END
    FROM (SELECT CAST(:ok AS int) > 0 AS headway) written
    WHERE id IN (:task_id, :root_id) AND items > 0
""")


def record(session: Session, claim: Claim, items: Sequence[FinishedItem]) -> None:
    """Write down what a child has finished; an item that is there already stays as it is.

    Raises:
        ClaimLost: the claim is not ours any more; nothing was written.
    """
    rows = json.dumps([_row(item) for item in items])  # before the lock that all of the batch's children want
    moves.lock_parent(session, claim.parent_id)
    whose = {"task_id": claim.task_id, "root_id": claim.root_id}
    written = session.execute(_RECORD, {**whose, "epoch": claim.epoch, "items": rows}).one()
    if not written.owned:
        raise ClaimLost
    if written.ok or written.failed:
        session.execute(_COUNT, {**whose, "ok": written.ok, "failed": written.failed})


def _row(item: FinishedItem) -> dict[str, Any]:
    """As JSON that a database takes: models write NUL and half surrogate pairs too."""
    row = {name: getattr(item, name) for name in FinishedItem.__slots__}
    return {name: _writable(value) for name, value in row.items()}


def _writable(value: Any) -> Any:
    match value:
        case str():
            return writable(value)
        case dict():
            return {writable(name): _writable(inner) for name, inner in value.items()}
        case list():
            return [_writable(inner) for inner in value]
        case _:
            return value


def done(session: Session, root_id: uuid.UUID, positions: range) -> set[int]:
    """Those of the positions that are finished."""
    wanted = select(TaskItem.position).where(
        TaskItem.task_id == root_id, TaskItem.position >= positions.start, TaskItem.position < positions.stop
    )
    return set(session.scalars(wanted))


def page(
    session: Session, root_id: uuid.UUID, after: int = -1, limit: int = 1000, *, ok: bool | None = None
) -> Sequence[TaskItem]:
    """Finished items in the order of submission; `after` is the position of the last one seen."""
    wanted = select(TaskItem).where(TaskItem.task_id == root_id, TaskItem.position > after)
    if ok is not None:
        wanted = wanted.where(TaskItem.error_code.is_(None) if ok else TaskItem.error_code.is_not(None))
    return session.scalars(wanted.order_by(TaskItem.position).limit(limit)).all()


def failed(session: Session, root_id: uuid.UUID, before: int) -> int:
    """How many of the items before this position are not ok, finished or not."""
    ok = select(func.count()).where(
        TaskItem.task_id == root_id, TaskItem.position < before, TaskItem.error_code.is_(None)
    )
    return before - (session.scalar(ok) or 0)


def ok_positions(session: Session, root_id: uuid.UUID) -> set[int]:
    return set(
        session.scalars(select(TaskItem.position).where(TaskItem.task_id == root_id, TaskItem.error_code.is_(None)))
    )


_COPIED = ("position", "name", "answer", "calls", "tokens", "finished_at")


def take_over(session: Session, old: uuid.UUID, new: uuid.UUID) -> None:
    """A retry begins with what went well, which costs nothing: it was paid for there."""
    columns = [TaskItem.__table__.c[name] for name in _COPIED]
    kept = select(literal(new), *columns).where(TaskItem.task_id == old, TaskItem.error_code.is_(None))
    session.execute(insert(TaskItem).from_select(["task_id", *_COPIED], kept))
    ok = select(func.count()).where(TaskItem.task_id == new).scalar_subquery()
    items = select(Task.items).where(Task.id == old).scalar_subquery()
    session.execute(update(Task).where(Task.id == new).values(items_ok=ok, items=items))


def forget(session: Session, root_ids: Sequence[uuid.UUID], limit: int) -> bool:
    """With the outputs of their tasks the items go, so many at a time. True: some may be left."""
    key = tuple_(TaskItem.task_id, TaskItem.position)
    some = select(TaskItem.task_id, TaskItem.position).where(TaskItem.task_id.in_(root_ids)).limit(limit)
    return len(session.scalars(delete(TaskItem).where(key.in_(some)).returning(TaskItem.position)).all()) == limit
