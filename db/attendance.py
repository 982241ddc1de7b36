"""What waits though it might run, as `agensium doctor` asks: facts, no verdicts. It reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from db.models import BUSY, RUNG, WAITING


@dataclass(frozen=True, slots=True)
class Kept:
    """What waits though it might run: by queue, and what was rung and not fetched. Seconds since it might have."""

    waiting: Mapping[str, tuple[int, float]]
    free: Mapping[str, int]  # slots; who serves two queues has them in both
    rung: int
    rung_seconds: float
    tools: Sequence[str]  # of all that waits


_WAITING = text(f"""
    WITH busy AS (SELECT user_id, count(*) AS n FROM tasks WHERE {BUSY} GROUP BY user_id)
    SELECT t.queue, count(*), extract(epoch FROM clock_timestamp() - min(t.queued_at))::float
    FROM tasks t JOIN lanes l ON l.user_id = t.user_id LEFT JOIN busy ON busy.user_id = t.user_id
    WHERE {WAITING} AND coalesce(busy.n, 0) < l.cap GROUP BY t.queue
""")  # noqa: S608 (the predicates are our own)
_FREE = text(f"""
    WITH live AS (
        SELECT queues, slots FROM workers
        WHERE seen_at > clock_timestamp() - CAST(:lease AS interval) AND NOT draining),
    busy AS (SELECT queue, count(*) AS n FROM tasks WHERE {BUSY} GROUP BY queue)
    SELECT queue, least(
        sum(slots) - coalesce((SELECT n FROM busy WHERE busy.queue = served.queue), 0),
        (SELECT sum(slots) FROM live) - coalesce((SELECT sum(n) FROM busy), 0))
    FROM (SELECT unnest(queues) AS queue, slots FROM live) served GROUP BY queue
""")  # noqa: S608 (the same)
_RUNG = text(f"""
    SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(admitted_at)), 0)::float
    FROM tasks WHERE {RUNG} AND admitted_at < clock_timestamp() - CAST(:longer AS interval)
""")  # noqa: S608 (the same)
_TOOLS = text("SELECT DISTINCT tool_id FROM tasks WHERE status IN ('QUEUED', 'PROCESSING', 'WAITING') ORDER BY 1")


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
