"""The house at a glance, for its operator: from the rows alone, so that it is told with the broker down.

What waits and runs is read from partial indexes; what has ended within a window, from the index of the ends. Tasks
whose files are gone already (OUTPUTS_KEPT_DAYS) are not counted among the ended.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text, tuple_
from sqlalchemy.orm import Session

from db.models import LATER, OUTPUTS_KEPT, RUNG, WAITING, Task, TaskStatus, User

_ENDED = f"t.finished_at > (SELECT clock_timestamp() - CAST(:window AS interval)) AND t.{OUTPUTS_KEPT}"
MOST_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Backlog:
    """One queue: tasks that wait, the slot-seconds that they are expected to take, and the longest wait in seconds."""

    queue: str
    waiting: int
    cost_seconds: float
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class BusySlot:
    """What one slot of a worker does. `memory_bytes` is its agent's process at the last beat."""

    worker: uuid.UUID
    task_id: uuid.UUID
    user_email: str
    tool_id: str
    agent_id: str | None
    progress: float
    seconds: float
    memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """A worker, and how long ago it gave its last sign of life; `tools` are those that it knows."""

    id: uuid.UUID
    host: str
    pid: int
    pool: str
    slots: int
    memory_bytes: int
    queues: Sequence[str]
    tools: Sequence[str]
    code_version: str
    draining: bool
    started_at: datetime
    seen_seconds_ago: float


@dataclass(frozen=True, slots=True)
class CustomerLoad:
    """What one customer has waiting, running, and ended within the window."""

    user_id: int
    email: str
    balance: int
    weight: float
    cap: int
    waiting: int
    running: int
    completed: int
    failed: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class ToolLoad:
    """One tool within the window; seconds of running and of waiting for the first claim."""

    tool_id: str
    completed: int
    failed: int
    cancelled: int
    run_p50: float | None
    run_p95: float | None
    wait_p50: float | None
    wait_p95: float | None


@dataclass(frozen=True, slots=True)
class FailureCount:
    """How often tasks of one tool failed with one code; some of the newest as examples."""

    error_code: str
    tool_id: str
    count: int
    customers: int
    newest_at: datetime
    message: str | None
    examples: Sequence[uuid.UUID]


_OTHERS = text(f"""
    SELECT (SELECT count(*) FROM tasks WHERE status = 'CREATED') AS created,
        (SELECT count(*) FROM tasks WHERE {LATER}) AS queued_later,
        (SELECT count(*) FROM tasks WHERE {RUNG}) AS admitted,
        (SELECT count(*) FROM tasks WHERE status = 'PROCESSING') AS processing
""")  # noqa: S608 (the predicates are the indexes' own)
_BACKLOG = text(f"""
    SELECT queue, count(*), coalesce(sum(cost), 0), greatest(0, extract(epoch FROM clock_timestamp() - min(sort_at)))
    FROM tasks WHERE {WAITING} GROUP BY queue ORDER BY queue
""")  # noqa: S608 (the same)
_BUSY_SLOTS = text("""
    SELECT t.worker, t.id, u.email, t.tool_id, t.current_agent, t.progress,
        extract(epoch FROM clock_timestamp() - t.claimed_at), t.memory_bytes
    FROM tasks t JOIN users u ON u.id = t.user_id WHERE t.status = 'PROCESSING' ORDER BY t.claimed_at, t.id
""")
_WORKERS = text("""
    SELECT boot_uuid, host, pid, pool, slots, memory_bytes, queues, tools, code_version, draining, started_at,
        greatest(0, extract(epoch FROM clock_timestamp() - seen_at))::float
    FROM workers ORDER BY started_at, boot_uuid
""")
_CUSTOMERS = text(f"""
    WITH waiting AS (
        SELECT user_id, count(*) AS n, extract(epoch FROM clock_timestamp() - min(sort_at)) AS oldest
        FROM tasks WHERE {WAITING} GROUP BY user_id),
    running AS (SELECT user_id, count(*) AS n FROM tasks WHERE status = 'PROCESSING' GROUP BY user_id),
    ended AS (
        SELECT t.user_id, count(*) FILTER (WHERE t.status = 'COMPLETED') AS completed,
            count(*) FILTER (WHERE t.status = 'FAILED') AS failed
        FROM tasks t WHERE {_ENDED} GROUP BY t.user_id)
    SELECT u.id, u.email, w.balance, l.weight, l.cap, coalesce(waiting.n, 0), coalesce(running.n, 0),
        coalesce(ended.completed, 0), coalesce(ended.failed, 0), greatest(0, coalesce(waiting.oldest, 0))
    FROM users u JOIN credit_wallets w ON w.user_id = u.id JOIN lanes l ON l.user_id = u.id
    LEFT JOIN waiting ON waiting.user_id = u.id LEFT JOIN running ON running.user_id = u.id
    LEFT JOIN ended ON ended.user_id = u.id
    WHERE coalesce(waiting.n, running.n, ended.completed, ended.failed) IS NOT NULL
    ORDER BY coalesce(waiting.n, 0) + coalesce(running.n, 0) DESC, coalesce(ended.failed, 0) DESC, u.id LIMIT :limit
""")  # noqa: S608 (our own words only)
_TOOLS = text(f"""
    SELECT t.tool_id, count(*) FILTER (WHERE t.status = 'COMPLETED'), count(*) FILTER (WHERE t.status = 'FAILED'),
        count(*) FILTER (WHERE t.status = 'CANCELLED'),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY t.run_seconds) FILTER (WHERE t.status = 'COMPLETED'),
        percentile_cont(0.95) WITHIN GROUP (ORDER BY t.run_seconds) FILTER (WHERE t.status = 'COMPLETED'),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM t.started_at - t.queued_at)),
        percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM t.started_at - t.queued_at))
    FROM tasks t WHERE {_ENDED} GROUP BY t.tool_id ORDER BY t.tool_id
""")  # noqa: S608 (the same)
_FAILURES = text("""
    SELECT t.error_code, t.tool_id, count(*), count(DISTINCT t.user_id), max(t.finished_at),
        (array_agg(t.error_message ORDER BY t.finished_at DESC))[1],
        (array_agg(t.id ORDER BY t.finished_at DESC))[1:CAST(:examples AS int)]
    FROM tasks t
    WHERE t.status = 'FAILED' AND t.finished_at > (SELECT clock_timestamp() - CAST(:window AS interval))
    GROUP BY t.error_code, t.tool_id ORDER BY count(*) DESC, t.error_code, t.tool_id
""")


def backlogs(session: Session) -> Sequence[Backlog]:
    return [Backlog(*row) for row in session.execute(_BACKLOG)]


def counts(session: Session, waiting: Sequence[Backlog]) -> dict[str, int]:
    """Tasks that have not ended, by what they wait for."""
    others = session.execute(_OTHERS).one()._asdict()
    return {"created": others.pop("created"), "queued": sum(one.waiting for one in waiting), **others}


def busy_slots(session: Session) -> Sequence[BusySlot]:
    """The longest at work first."""
    return [BusySlot(*row) for row in session.execute(_BUSY_SLOTS)]


def workers_seen(session: Session) -> Sequence[WorkerSeen]:
    """All that have not said goodbye, the oldest first; whoever is silent for minutes is forgotten by a chore."""
    return [WorkerSeen(*row) for row in session.execute(_WORKERS)]


def customer_loads(session: Session, window: timedelta, limit: int) -> Sequence[CustomerLoad]:
    """Those with most at hand first."""
    return [CustomerLoad(*row) for row in session.execute(_CUSTOMERS, {"window": window, "limit": limit})]


def tool_loads(session: Session, window: timedelta) -> Sequence[ToolLoad]:
    return [ToolLoad(*row) for row in session.execute(_TOOLS, {"window": window})]


def failure_counts(session: Session, window: timedelta) -> Sequence[FailureCount]:
    """The most frequent first."""
    rows = session.execute(_FAILURES, {"window": window, "examples": MOST_EXAMPLES})
    return [FailureCount(*row) for row in rows]


def tasks_of_all(
    session: Session,
    *,
    status: TaskStatus | None = None,
    tool_id: str | None = None,
    error_code: str | None = None,
    user_id: int | None = None,
    before: tuple[datetime, uuid.UUID] | None = None,
    limit: int = 50,
) -> Sequence[tuple[Task, str]]:
    """Every customer's tasks with the customer's address, newest first, by keyset (created_at, id)."""
    wanted: Any = select(Task, User.email).join(User, User.id == Task.user_id)
    wanted = wanted.where(Task.parent_id.is_(None), Task.deleted_at.is_(None))
    filters = {Task.status: status, Task.tool_id: tool_id, Task.error_code: error_code, Task.user_id: user_id}
    wanted = wanted.where(*(column == value for column, value in filters.items() if value is not None))
    if before is not None:
        wanted = wanted.where(tuple_(Task.created_at, Task.id) < before)
    rows = session.execute(wanted.order_by(Task.created_at.desc(), Task.id.desc()).limit(limit))
    return [(row[0], row[1]) for row in rows]
