"""How full the house is, for /metrics: from partial indexes. Tasks that ended are not counted.

What is bounded by the slots is read in a moment. What may be a million rows (`Mounting`) takes a tenth of a second or
more of PostgreSQL's: whoever asks often remembers it for a while (api/standing.py).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import QueuePool, text
from sqlalchemy.orm import Session

from db import overview
from db.database import engine
from db.deliveries import DUE
from db.models import BUSY, LATER
from db.overview import Backlog
from db.webhook_models import PENDING


@dataclass(frozen=True, slots=True)
class Standing:
    """Workers by live, draining, silent; models' breakers: whether open; seconds since a conductor last kept house.

    By queue: slots of live workers, those with no task at work, tasks at work or let in, and the seconds since one was
    let in that nobody took.
    """

    admitted: int
    processing: int
    workers: Mapping[str, int]
    slots: Mapping[str, int]
    idle: Mapping[str, int]
    busy: Mapping[str, int]
    oldest_rung_seconds: Mapping[str, float]
    breakers: Mapping[str, bool]
    house_kept_seconds: float


@dataclass(frozen=True, slots=True)
class Mounting:
    """What waits, and webhooks' tellings that are not through: how many, and for how long the first has been due."""

    created: int
    queued_later: int
    backlogs: Sequence[Backlog]
    webhooks_pending: int
    webhooks_given_up: int  # within the last hour
    webhooks_due_seconds: float


_BUSY = text(f"""
    SELECT queue, count(*) FILTER (WHERE status = 'QUEUED'), count(*) FILTER (WHERE status = 'PROCESSING'),
        max(extract(epoch FROM clock_timestamp() - admitted_at)) FILTER (WHERE status = 'QUEUED')
    FROM tasks WHERE {BUSY} GROUP BY queue
""")  # noqa: S608 (the predicates are the indexes' own)
_WORKERS = text("""
    SELECT CASE WHEN seen_at < clock_timestamp() - CAST(:lease AS interval) THEN 'silent'
        WHEN draining THEN 'draining' ELSE 'live' END AS state, queues, slots,
        slots - (SELECT count(*) FROM tasks t WHERE t.status = 'PROCESSING' AND t.worker = w.boot_uuid) AS idle
    FROM workers w
""")
_BREAKERS = text(
    "SELECT name, open_until IS NOT NULL AND open_until > clock_timestamp() AS is_open FROM model_breakers"
)
_HOUSE_KEPT = text("SELECT extract(epoch FROM clock_timestamp() - house_kept_at) FROM admission_clock")
_MOUNTING = text(f"""
    SELECT (SELECT count(*) FROM tasks WHERE status = 'CREATED'),
        (SELECT count(*) FROM tasks WHERE {LATER}),
        (SELECT count(*) FROM webhook_deliveries d JOIN webhook_endpoints e ON e.id = d.endpoint_id
         WHERE e.disabled_at IS NULL AND d.{PENDING}),
        (SELECT count(*) FROM webhook_deliveries
         WHERE NOT ({PENDING}) AND state = 'GIVEN_UP' AND attempted_at > clock_timestamp() - interval '1 hour'),
        (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(d.next_at)), 0)
         FROM webhook_endpoints e JOIN webhook_deliveries d ON d.endpoint_id = e.id AND {DUE}
         WHERE e.disabled_at IS NULL)
""")  # noqa: S608 (the same)


def connections() -> tuple[int, int]:
    """Of this process: in use, and how many it may have."""
    pool = engine().pool
    assert isinstance(pool, QueuePool)  # SQLAlchemy's own choice
    return pool.checkedout(), pool.size() + pool._max_overflow  # noqa: SLF001 (it tells nobody)


def standing(session: Session, lease: timedelta) -> Standing:
    busy = session.execute(_BUSY).all()
    workers = session.execute(_WORKERS, {"lease": lease}).all()
    states = [worker.state for worker in workers]
    slots, idle = Counter[str](), Counter[str]()
    for worker in workers:
        for queue in worker.queues if worker.state == "live" else ():
            slots[queue] += worker.slots
            idle[queue] += worker.idle
    return Standing(
        admitted=sum(rung for _, rung, _, _ in busy),
        processing=sum(running for _, _, running, _ in busy),
        workers={state: states.count(state) for state in ("live", "draining", "silent")},
        slots=slots,
        idle=idle,
        busy={queue: rung + running for queue, rung, running, _ in busy},
        oldest_rung_seconds={queue: float(seconds or 0) for queue, _, _, seconds in busy},
        breakers={row.name: row.is_open for row in session.execute(_BREAKERS)},
        house_kept_seconds=float(session.execute(_HOUSE_KEPT).scalar_one()),
    )


def mounting(session: Session) -> Mounting:
    created, later, pending, given_up, due_seconds = session.execute(_MOUNTING).one()
    return Mounting(
        created=created,
        queued_later=later,
        backlogs=overview.backlogs(session),
        webhooks_pending=pending,
        webhooks_given_up=given_up,
        webhooks_due_seconds=max(0.0, float(due_seconds)),
    )
