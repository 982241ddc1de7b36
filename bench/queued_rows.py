"""Waiting tasks by the hundred thousand: rows as a submit leaves them, made by one statement. In a measure's own
database only.

Import it when the settings are known, that is inside a measure's function.
"""

import threading
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from backend.clock import monotonic
from db.database import transaction

STATEMENT_ROWS = 50_000  # a station's limit is 5 s a statement
_FILL = text("""
    INSERT INTO tasks (id, user_id, tool_id, status, agents, prices, cost, celery_task_id, queued_at, sort_at,
                       last_event)
    SELECT gen_random_uuid(), (CAST(:users AS bigint[]))[1 + n % cardinality(CAST(:users AS bigint[]))],
           CAST(:tool AS text), 'QUEUED', ARRAY[CAST(:tool AS text)],
           jsonb_build_object(CAST(:tool AS text), 0), :cost, gen_random_uuid(), clock_timestamp(), clock_timestamp(), 2
    FROM generate_series(CAST(:start AS integer), CAST(:stop AS integer)) n
""")
_LANES = text("INSERT INTO lanes (user_id) SELECT unnest(CAST(:users AS bigint[])) ON CONFLICT DO NOTHING")


def fill(users: Sequence[int], count: int, tool_id: str, cost: float = 1.0) -> None:
    """`count` tasks of a tool whose one agent bears its name, for no credits, dealt out to the customers in turn."""
    with transaction() as session:
        session.execute(_LANES, {"users": list(users)})
    for start in range(0, count, STATEMENT_ROWS):
        with transaction() as session:
            session.execute(text("SET LOCAL statement_timeout = 0"))
            session.execute(text("SET LOCAL transaction_timeout = 0"))
            stretch = {"start": start, "stop": min(count, start + STATEMENT_ROWS) - 1}
            named = {"users": list(users), "tool": tool_id, "cost": cost}
            session.execute(_FILL, named | stretch)


def forget_all() -> None:
    """No task is left; no worker may be at work."""
    with transaction() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        session.execute(text("SET LOCAL transaction_timeout = 0"))
        session.execute(text("TRUNCATE tasks CASCADE"))
        session.execute(text("UPDATE lanes SET vtime = 0"))
        session.execute(text("UPDATE admission_clock SET v = 0"))


def settle_down() -> None:
    """What autovacuum would do some minutes later."""
    from db.database import engine

    with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("SET transaction_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE tasks"))
        connection.invalidate()  # its limits are no station's


def ended() -> int:
    """How many tasks of the backlog have ended well."""
    with transaction() as session:
        return int(session.execute(text("SELECT count(*) FROM tasks WHERE status = 'COMPLETED'")).scalar_one())


def sql_now() -> datetime:
    with transaction() as session:
        found: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    return found


_SLOT_SECONDS = text("""
    SELECT u.id, coalesce((
        SELECT extract(epoch FROM sum(coalesce(t.finished_at, clock_timestamp()) - greatest(t.started_at, :since)))
        FROM tasks t WHERE t.user_id = u.id AND t.started_at IS NOT NULL
          AND coalesce(t.finished_at, clock_timestamp()) > :since), 0) AS seconds
    FROM unnest(CAST(:users AS bigint[])) WITH ORDINALITY u (id, at) ORDER BY u.at
""")


def slot_seconds(users: Sequence[int], since: datetime) -> list[float]:
    """How long slots have worked for each of them since then."""
    with transaction() as session:
        rows = session.execute(_SLOT_SECONDS, {"users": list(users), "since": since}).all()
    return [float(row.seconds) for row in rows]


_CANCEL = text("UPDATE tasks SET status = 'CANCELLED', finished_at = clock_timestamp(), ring_wanted = false "
               "WHERE status = 'QUEUED'")  # fmt: skip


def clear(patience: float = 30.0) -> None:
    """What waits is called off, what runs runs out; then no task is left. A worker may go on beside it."""
    pause, deadline = threading.Event(), monotonic() + patience
    while True:
        with transaction() as session:
            session.execute(_CANCEL)
            if not session.execute(text("SELECT count(*) FROM tasks WHERE status = 'PROCESSING'")).scalar_one():
                break
        if monotonic() > deadline:
            raise SystemExit("a task of the backlog does not end")
        pause.wait(0.05)
    forget_all()
