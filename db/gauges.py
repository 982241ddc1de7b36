"""How full the house is, for /metrics: counts that partial indexes answer. Terminal tasks are not counted here."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from db.models import LATER, RUNG, WAITING


@dataclass(frozen=True, slots=True)
class Gauges:
    """Tasks by what they wait for, and how long the oldest one that could run has waited, in seconds."""

    tasks: dict[str, int]
    oldest_waiting_seconds: float


_READ = text(f"""
    SELECT (SELECT count(*) FROM tasks WHERE status = 'CREATED') AS created,
           (SELECT count(*) FROM tasks WHERE {WAITING}) AS queued,
           (SELECT count(*) FROM tasks WHERE {LATER}) AS queued_later,
           (SELECT count(*) FROM tasks WHERE {RUNG}) AS admitted,
           (SELECT count(*) FROM tasks WHERE status = 'PROCESSING') AS processing,
           (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(sort_at)), 0)
            FROM tasks WHERE {WAITING}) AS oldest
""")  # noqa: S608 (the predicates are the indexes' own)


def read(session: Session) -> Gauges:
    row = session.execute(_READ).one()
    counts = {name: getattr(row, name) for name in ("created", "queued", "queued_later", "admitted", "processing")}
    return Gauges(tasks=counts, oldest_waiting_seconds=max(0.0, float(row.oldest)))
