"""What all workers know of language models: which are left alone for a while, and answers that are kept.

Asked by the door to the models (backend/language_models) off its event loop, a statement a transaction; times are the
database's own clock.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from db.database import transaction


@dataclass(frozen=True, slots=True)
class OpenBreaker:
    """A model that is left alone. Both are seconds from now: not positive when it may be probed, or nobody probes."""

    cools_for: float
    probed_for: float


_LEFT = "EXTRACT(EPOCH FROM {} - clock_timestamp())::float8"
_OPEN_NOW = text(f"""
    SELECT name, {_LEFT.format("open_until")} AS cools_for, COALESCE({_LEFT.format("probe_until")}, 0) AS probed_for
    FROM model_breakers WHERE open_until IS NOT NULL
""")
_OPEN = text("""
    INSERT INTO model_breakers (name, failures, open_until)
    VALUES (:name, :failures, clock_timestamp() + make_interval(secs => :seconds))
    ON CONFLICT (name) DO UPDATE SET failures = EXCLUDED.failures, open_until = EXCLUDED.open_until,
        probe_until = NULL, updated_at = clock_timestamp()
""")
_PROBE = text("""
    UPDATE model_breakers SET probe_until = clock_timestamp() + make_interval(secs => :seconds),
        updated_at = clock_timestamp()
    WHERE name = :name AND open_until <= clock_timestamp()
        AND (probe_until IS NULL OR probe_until <= clock_timestamp())
    RETURNING name
""")
_CLOSE = text("DELETE FROM model_breakers WHERE name = :name")
_RECALL = text("SELECT answer FROM model_answers WHERE key = :key AND expires_at > clock_timestamp()")
_KEEP = text("""
    INSERT INTO model_answers (key, answer, expires_at)
    VALUES (:key, :answer, clock_timestamp() + make_interval(secs => :seconds))
    ON CONFLICT (key) DO UPDATE SET answer = EXCLUDED.answer, expires_at = EXCLUDED.expires_at
""").bindparams(bindparam("answer", type_=JSONB))
_FORGET = text("""
    DELETE FROM model_answers WHERE key IN (
        SELECT key FROM model_answers WHERE expires_at <= clock_timestamp()
        ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED
    )
""")


def open_breakers() -> dict[str, OpenBreaker]:
    """Every model that is left alone, by name."""
    with transaction() as session:
        rows = session.execute(_OPEN_NOW)
        return {row.name: OpenBreaker(row.cools_for, row.probed_for) for row in rows}


def open_breaker(name: str, failures: int, seconds: float) -> None:
    """Leave a model alone for so long, whoever asked it last."""
    with transaction() as session:
        session.execute(_OPEN, {"name": name, "failures": failures, "seconds": seconds})


def take_probe(name: str, seconds: float) -> bool:
    """The right to try a model that has cooled down: one call of all workers has it, for so long at most."""
    with transaction() as session:
        return session.execute(_PROBE, {"name": name, "seconds": seconds}).one_or_none() is not None


def close_breaker(name: str) -> None:
    with transaction() as session:
        session.execute(_CLOSE, {"name": name})


def recall_answer(key: str) -> dict[str, Any] | None:
    with transaction() as session:
        found: dict[str, Any] | None = session.execute(_RECALL, {"key": key}).scalar_one_or_none()
        return found


def keep_answer(key: str, answer: dict[str, Any], seconds: float) -> None:
    with transaction() as session:
        session.execute(_KEEP, {"key": key, "answer": answer, "seconds": seconds})


def forget_expired(session: Session, limit: int) -> int:
    """Remove answers whose time is over, the oldest first; how many went."""
    return session.execute(_FORGET, {"most": limit}).rowcount  # type: ignore[attr-defined, no-any-return]
