"""Who is there to work and what waits for them, as `agensium doctor` asks: facts, no verdicts. It reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from db.models import BUSY, RUNG, WAITING


@dataclass(frozen=True, slots=True)
class WorkerKnown:
    host: str
    pid: int
    pool: str
    slots: int
    memory_bytes: int
    queues: Sequence[str]
    tools: Sequence[str]
    code_version: str
    draining: bool
    silent_seconds: float


@dataclass(frozen=True, slots=True)
class Kept:
    """What waits though it might run: by queue, and what was rung and not fetched. Seconds since it might have."""

    waiting: Mapping[str, tuple[int, float]]
    free: Mapping[str, int]  # slots
    rung: int
    rung_seconds: float
    tools: Sequence[str]  # of all that waits


_WORKERS = text("""
    SELECT host, pid, pool, slots, memory_bytes, queues, tools, code_version, draining,
        greatest(0, extract(epoch FROM clock_timestamp() - seen_at))::float
    FROM workers ORDER BY host, pid
""")
_WAITING = text(f"""
    WITH busy AS (SELECT user_id, count(*) AS n FROM tasks WHERE {BUSY} GROUP BY user_id)
    SELECT t.queue, count(*), extract(epoch FROM clock_timestamp() - min(t.queued_at))::float
    FROM tasks t JOIN lanes l ON l.user_id = t.user_id LEFT JOIN busy ON busy.user_id = t.user_id
    WHERE {WAITING} AND coalesce(busy.n, 0) < l.cap GROUP BY t.queue
""")  # noqa: S608 (the predicates are our own)
_FREE = text(f"""
    SELECT queue, sum(slots) - (SELECT count(*) FROM tasks WHERE tasks.queue = served.queue AND ({BUSY}))
    FROM (SELECT unnest(queues) AS queue, slots FROM workers
          WHERE seen_at > clock_timestamp() - CAST(:lease AS interval) AND NOT draining) served
    GROUP BY queue
""")  # noqa: S608 (the same)
_RUNG = text(f"""
    SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(admitted_at)), 0)::float
    FROM tasks WHERE {RUNG} AND admitted_at < clock_timestamp() - CAST(:longer AS interval)
""")  # noqa: S608 (the same)
_TOOLS = text("SELECT DISTINCT tool_id FROM tasks WHERE status IN ('QUEUED', 'PROCESSING', 'WAITING') ORDER BY 1")


def workers_known(session: Session) -> Sequence[WorkerKnown]:
    """All that have not said goodbye, the silent ones too."""
    return [WorkerKnown(*row) for row in session.execute(_WORKERS)]


def kept_waiting(session: Session, lease: timedelta, rung_longer_than: timedelta) -> Kept:
    """Tasks of customers whose own cap is reached wait rightly, and are not counted."""
    rung, rung_seconds = session.execute(_RUNG, {"longer": rung_longer_than}).one()
    return Kept(
        waiting={queue: (count, seconds) for queue, count, seconds in session.execute(_WAITING)},
        free={queue: max(0, int(free)) for queue, free in session.execute(_FREE, {"lease": lease})},
        rung=rung,
        rung_seconds=rung_seconds,
        tools=session.scalars(_TOOLS).all(),
    )
