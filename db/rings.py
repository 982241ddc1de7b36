"""Which committed rows are to be rung, and which rings went unanswered.

A ring is a Celery message with two ids. It may be lost or come twice; the claim sorts that out.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from db.database import MAY_BE_FORGOTTEN


@dataclass(frozen=True, slots=True)
class Ring:
    """One message to send: the Celery id made at submit, the task, its owner, and the queue."""

    task_id: uuid.UUID
    user_id: int
    celery_task_id: uuid.UUID
    tool_id: str
    queue: str


_TAKE = text(f"""
    WITH due AS (
        SELECT id FROM tasks WHERE ring_wanted ORDER BY admitted_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    UPDATE tasks t SET ring_wanted = false, rung_at = clock_timestamp(), rings = rings + 1
    FROM due WHERE t.id = due.id
    RETURNING t.id, t.user_id, t.celery_task_id, t.tool_id, t.queue, {MAY_BE_FORGOTTEN}
""")  # noqa: S608 (our own words)


def take(session: Session, limit: int = 100) -> Sequence[Ring]:
    """The rings that are due, marked as sent: the sender calls `put_back` for those it could not send.

    The mark may be forgotten: a ring that comes twice is sorted out by the claim.
    """
    rows = session.execute(_TAKE, {"limit": limit})
    return [Ring(*row[:5]) for row in rows]


_PUT_BACK = text("""
    UPDATE tasks SET ring_wanted = true, rings = greatest(0, rings - 1)
    WHERE id = ANY(:ids) AND status = 'QUEUED' AND admitted_at IS NOT NULL
""")


def put_back(session: Session, rings: Sequence[Ring]) -> None:
    """These were not sent: they are due again."""
    session.execute(_PUT_BACK, {"ids": [ring.task_id for ring in rings]})


# 1, 2, 4 … 60 s after the last ring: a message that was lost costs a second, a worker that is slow to take its
# messages is not buried in copies. `id IN (SELECT … LIMIT …)` may be asked again for each row, and each time others are
# the first that are not locked: more would be marked than the limit says.
_UNANSWERED = text("""
    WITH due AS (
        SELECT id FROM tasks
        WHERE status = 'QUEUED' AND admitted_at IS NOT NULL AND NOT ring_wanted
          AND queue IN (SELECT unnest(queues) FROM workers
                        WHERE seen_at > clock_timestamp() - :lease AND NOT draining)
          AND rung_at < clock_timestamp() - make_interval(secs => least(60, power(2, least(rings, 7) - 1)))
        ORDER BY admitted_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    UPDATE tasks t SET ring_wanted = true FROM due WHERE t.id = due.id
    RETURNING t.id
""")


_UNHEARD = text("""
    SELECT EXISTS (SELECT FROM tasks WHERE status = 'QUEUED' AND admitted_at IS NOT NULL AND NOT ring_wanted
                   AND queue = ANY(:queues) AND rings >= :rings)
""")
RINGS_OF_THE_UNHEARD = 3  # 1 and 2 s apart: the broker took them all, and nobody fetched one


def unheard(session: Session, queues: Sequence[str]) -> bool:
    """True where a task of these queues was rung for again and again, the broker took it, and nobody came."""
    asked = {"queues": list(queues), "rings": RINGS_OF_THE_UNHEARD}
    return bool(session.execute(_UNHEARD, asked).scalar())


_RUNNING_HERE = text("SELECT count(*) FROM tasks WHERE status = 'PROCESSING' AND worker = :boot_uuid")


def all_slots_run(session: Session, boot_uuid: uuid.UUID, slots: int) -> bool:
    """True where this worker has a claim for every one of its slots."""
    return int(session.execute(_RUNNING_HERE, {"boot_uuid": boot_uuid}).scalar_one()) >= slots


def ring_again(session: Session, limit: int, lease: timedelta) -> int:
    """Mark up to `limit` rings that nobody answered; how many. Only sensible while a slot is free.

    A queue that no live worker takes from is left alone: its rows would stand before those that can be answered.
    """
    return len(session.execute(_UNANSWERED, {"limit": limit, "lease": lease}).all())


_BRING_HOME = text("""
    UPDATE tasks SET queue = 'default', ring_wanted = admitted_at IS NOT NULL
    WHERE status = 'QUEUED' AND queue <> 'default'
      AND coalesce(admitted_at, not_before, queued_at) < (SELECT clock_timestamp()) - :patience
      AND queue NOT IN (SELECT unnest(queues) FROM workers WHERE seen_at > clock_timestamp() - :lease)
""")


def bring_home(session: Session, lease: timedelta, patience: timedelta = timedelta(minutes=10)) -> None:
    """What was moved to a queue whose workers have gone since goes back, let in or not: better a verdict there than no
    end.
    """
    session.execute(_BRING_HOME, {"lease": lease, "patience": patience})
