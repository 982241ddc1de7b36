"""What is on its way to customers' webhooks, as the courier that brings it sees it.

A delivery is written with its event, by the same statement (events.py). An endpoint is served by one courier at a
time: it takes the endpoint for a while, sends what is due, of each task only the oldest that is not through, and lets
go. A courier that dies has its hold run out, and what it was sending is sent again: at least once, in order per task.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from db.webhook_models import PENDING

TAKING = 0x6167_656E_7700  # of the lock under which couriers take an endpoint, for less than a millisecond
HOLD = timedelta(seconds=120)  # above what one courier's turn at an endpoint may take
SERVED_AT_ONCE = 2  # endpoints of one customer: who has many slow ones holds up nobody else
KEPT = timedelta(days=30)  # the log of what is through
FORGOTTEN_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Held:
    """An endpoint that a courier may send to until its hold runs out."""

    id: uuid.UUID
    user_id: int
    url: str
    secret_version: int
    holder: uuid.UUID


@dataclass(frozen=True, slots=True)
class Due:
    """One event to tell; `attempts` are those before."""

    id: int
    task_id: uuid.UUID
    tool_id: str
    seq: int
    kind: str
    at: datetime
    data: dict[str, Any]
    attempts: int
    waiting_since: datetime
    traceparent: str | None = None  # of the task's submit


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt. `retry_seconds` None: it is not tried again, whether it is through or given up."""

    delivered: bool
    status_code: int | None
    failure: str | None
    duration_ms: int
    retry_seconds: float | None = None


# Of each task only the oldest that is not through: what comes after it waits for it, and is not due meanwhile.
DUE = f"""
    d.{PENDING} AND d.next_at <= clock_timestamp() AND NOT EXISTS (
        SELECT FROM webhook_deliveries earlier
        WHERE earlier.endpoint_id = d.endpoint_id AND earlier.task_id = d.task_id
            AND earlier.{PENDING} AND earlier.seq < d.seq)
"""
_FREE = f"""
    e.disabled_at IS NULL AND e.held_until <= clock_timestamp()
    AND EXISTS (SELECT FROM webhook_deliveries d WHERE d.endpoint_id = e.id AND {DUE})
"""
_ANYTHING = text(f"SELECT EXISTS (SELECT FROM webhook_endpoints e WHERE {_FREE})")  # noqa: S608 (the same)
_TAKE = text(f"""
    UPDATE webhook_endpoints SET held_until = clock_timestamp() + :hold, holder = :holder
    WHERE id = (SELECT e.id FROM webhook_endpoints e
        WHERE {_FREE} AND :at_once > (
            SELECT count(*) FROM webhook_endpoints other
            WHERE other.user_id = e.user_id AND other.holder IS NOT NULL AND other.held_until > clock_timestamp())
        ORDER BY e.held_until LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, user_id, url, secret_version, holder
""")  # noqa: S608 (the same)
_ONE_AFTER_THE_OTHER = text(f"SELECT pg_advisory_xact_lock({TAKING})")
_NEXT = text(f"""
    SELECT d.id, d.task_id, t.tool_id, d.seq, v.kind, v.at, v.data, d.attempts, d.created_at AS waiting_since,
        t.traceparent
    FROM webhook_deliveries d
    JOIN tasks t ON t.id = d.task_id
    JOIN task_events v ON v.task_id = d.task_id AND v.seq = d.seq
    WHERE d.endpoint_id = :endpoint_id AND {DUE}
    ORDER BY d.next_at, d.id LIMIT :limit
""")  # noqa: S608 (the same)
_MINE = "EXISTS (SELECT FROM webhook_endpoints e WHERE e.id = :endpoint_id AND e.holder = :holder)"
_RECORD = text(f"""
    UPDATE webhook_deliveries SET
        state = CASE WHEN :delivered THEN 'DELIVERED' WHEN CAST(:retry AS interval) IS NULL THEN 'GIVEN_UP'
            ELSE 'PENDING' END,
        attempts = attempts + 1, status_code = :status_code, failure = :failure, duration_ms = :duration_ms,
        attempted_at = clock_timestamp(),
        next_at = clock_timestamp() + coalesce(CAST(:retry AS interval), interval '0')
    WHERE id = :id AND attempts = :attempts AND {PENDING} AND {_MINE}
""")  # noqa: S608 (the same)
_SUCCEEDED = text("""
    UPDATE webhook_endpoints SET last_success_at = clock_timestamp() WHERE id = :endpoint_id AND holder = :holder
""")
_AS_IT_WAS = text("""
    SELECT EXISTS (SELECT FROM webhook_endpoints
        WHERE id = :endpoint_id AND holder = :holder AND held_until > clock_timestamp() AND disabled_at IS NULL
            AND url = :url AND secret_version = :secret_version)
""")
_DISABLE = text("""
    UPDATE webhook_endpoints SET disabled_at = clock_timestamp(), disabled_reason = :reason
    WHERE id = :endpoint_id AND holder = :holder AND url = :url AND disabled_at IS NULL
""")
_SILENT_SINCE = text("""
    SELECT coalesce(last_success_at, to_timestamp(0)) < :moment FROM webhook_endpoints WHERE id = :endpoint_id
""")
_LET_GO = text("""
    UPDATE webhook_endpoints SET held_until = clock_timestamp() + CAST(:pause AS interval), holder = NULL
    WHERE id = :endpoint_id AND holder = :holder
""")
_FORGET = text(f"""
    WITH limits AS (SELECT clock_timestamp() - CAST(:kept AS interval) AS moment)
    DELETE FROM webhook_deliveries WHERE id IN (
        (SELECT id FROM webhook_deliveries, limits WHERE NOT ({PENDING}) AND attempted_at < moment LIMIT :limit)
        UNION ALL
        (SELECT id FROM webhook_deliveries, limits WHERE {PENDING} AND next_at < moment LIMIT :limit))
""")  # noqa: S608 (the same)


def anything_due(session: Session) -> bool:
    return bool(session.execute(_ANYTHING).scalar_one())


def take(session: Session, holder: uuid.UUID) -> Held | None:
    """An endpoint with something due that nobody serves; the one that has waited longest for a courier."""
    session.execute(_ONE_AFTER_THE_OTHER)
    row = session.execute(_TAKE, {"hold": HOLD, "holder": holder, "at_once": SERVED_AT_ONCE}).first()
    return None if row is None else Held(*row)


def due(session: Session, held: Held, limit: int) -> Sequence[Due]:
    """Of each task the oldest that is not through, where its time has come."""
    return [Due(*row) for row in session.execute(_NEXT, {"endpoint_id": held.id, "limit": limit})]


def record(session: Session, held: Held, told: Due, outcome: Outcome) -> None:
    """Write an attempt down, unless the endpoint is another courier's by now, or the customer asked for a replay."""
    names = {"endpoint_id": held.id, "holder": held.holder}
    retry = None if outcome.retry_seconds is None else timedelta(seconds=outcome.retry_seconds)
    values = {
        "delivered": outcome.delivered,
        "retry": retry,
        "status_code": outcome.status_code,
        "failure": outcome.failure,
        "duration_ms": outcome.duration_ms,
    }
    session.execute(_RECORD, {**names, **values, "id": told.id, "attempts": told.attempts})
    if outcome.delivered:
        session.execute(_SUCCEEDED, names)


def as_it_was(session: Session, held: Held) -> bool:
    """Whether the hold still stands and the customer has changed nothing."""
    names = {"endpoint_id": held.id, "holder": held.holder, "url": held.url, "secret_version": held.secret_version}
    return bool(session.execute(_AS_IT_WAS, names).scalar_one())


def silent_since(session: Session, held: Held, moment: datetime) -> bool:
    """Whether nothing has come through to the endpoint since then."""
    return bool(session.execute(_SILENT_SINCE, {"endpoint_id": held.id, "moment": moment}).scalar())


def disable(session: Session, held: Held, reason: str) -> None:
    """Nothing more is sent there until the customer says so; what waits, waits."""
    session.execute(_DISABLE, {"endpoint_id": held.id, "holder": held.holder, "url": held.url, "reason": reason})


def let_go(session: Session, held: Held, pause_seconds: float = 0.0) -> None:
    """Nobody takes the endpoint before the pause is over."""
    pause = timedelta(seconds=pause_seconds)
    session.execute(_LET_GO, {"endpoint_id": held.id, "holder": held.holder, "pause": pause})


def forget_old(session: Session) -> None:
    """What is through leaves the log after a while, and so does what waits for an endpoint that is off or gone."""
    session.execute(_FORGET, {"kept": KEPT, "limit": FORGOTTEN_AT_ONCE})
