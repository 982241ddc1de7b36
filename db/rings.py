"""Which committed rows are to be rung, and which rings went unanswered.

A ring is a Celery message with two ids. It may be lost or come twice; the claim sorts that out.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Ring:
    """One message to send: the Celery id made at submit, the task, its owner, and the queue."""

    task_id: uuid.UUID
    user_id: int
    celery_task_id: uuid.UUID
    tool_id: str
    queue: str


_TAKE = text("""
    WITH due AS (
        SELECT id FROM tasks WHERE ring_wanted ORDER BY admitted_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    UPDATE tasks t SET ring_wanted = false, rung_at = clock_timestamp(), rings = rings + 1
    FROM due WHERE t.id = due.id
    RETURNING t.id, t.user_id, t.celery_task_id, t.tool_id, t.queue
""")


def take(session: Session, limit: int = 100) -> Sequence[Ring]:
    """The rings that are due, marked as sent: the sender calls `put_back` for those it could not send."""
    rows = session.execute(_TAKE, {"limit": limit})
    return [Ring(row.id, row.user_id, row.celery_task_id, row.tool_id, row.queue) for row in rows]


_PUT_BACK = text(
    "UPDATE tasks SET ring_wanted = true WHERE id = ANY(:ids) AND status = 'QUEUED' AND admitted_at IS NOT NULL"
)


def put_back(session: Session, rings: Sequence[Ring]) -> None:
    """These were not sent: they are due again."""
    session.execute(_PUT_BACK, {"ids": [ring.task_id for ring in rings]})


_ARE_DUE = text("SELECT EXISTS (SELECT FROM tasks WHERE ring_wanted)")


def are_due(session: Session) -> bool:
    """True where some row waits for its ring."""
    return bool(session.execute(_ARE_DUE).scalar())


# 1, 2, 4 … 60 s after the last ring: a message that was lost costs a second, a worker that is slow to take its
# messages is not buried in copies.
_UNANSWERED = text("""
    UPDATE tasks SET ring_wanted = true
    WHERE id IN (
        SELECT id FROM tasks
        WHERE status = 'QUEUED' AND admitted_at IS NOT NULL AND NOT ring_wanted
          AND rung_at < clock_timestamp() - make_interval(secs => least(60, power(2, least(rings, 7) - 1)))
        ORDER BY admitted_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING id
""")


def ring_again(session: Session, limit: int) -> int:
    """Mark up to `limit` rings that nobody answered; how many. Only sensible while a slot is free."""
    return len(session.execute(_UNANSWERED, {"limit": limit}).all())
