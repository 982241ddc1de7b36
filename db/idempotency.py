"""Answers by Idempotency-Key: asked twice, done once (DESIGN §5.12).

The key's row is written in the very transaction that does the work, so it cannot survive work that failed. "In
flight" is an advisory lock of that transaction, so it cannot survive its process either.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from backend.errors import IdempotencyMismatch, RequestInFlight
from db.models import CLOCK, NOW, IdempotencyKey

KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as its customer names it. `route` is the address with its holes, the hash is over all of it."""

    user_id: int
    route: str
    key: str
    request_hash: str


@dataclass(frozen=True, slots=True)
class Answer:
    status_code: int
    body: dict[str, Any]


def answered(session: Session, request: Request) -> Answer | None:
    """What was answered before, if anything within the last 24 h.

    Raises:
        IdempotencyMismatch: the key was used with another request.
    """
    wanted = select(IdempotencyKey).where(*_is(request), IdempotencyKey.created_at > CLOCK - KEPT)
    row = session.scalar(wanted)
    if row is None:
        return None
    if row.request_hash != request.request_hash:
        raise IdempotencyMismatch
    return Answer(row.status_code or 200, row.response or {})


def begin(session: Session, request: Request) -> Answer | None:
    """Take the key for the rest of this transaction, unless it was answered already.

    Raises:
        RequestInFlight: another transaction has the key at this moment.
        IdempotencyMismatch: the key was used with another request.
    """
    name = f"{request.user_id}\n{request.route}\n{request.key}"
    if not session.scalar(select(func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0)))):
        raise RequestInFlight
    return answered(session, request)


def remember(session: Session, request: Request, status_code: int, body: Mapping[str, Any]) -> None:
    """Keep the answer with the work; a row older than 24 h is replaced."""
    kept = {"request_hash": request.request_hash, "status_code": status_code, "response": dict(body)}
    row = {"user_id": request.user_id, "route": request.route, "key": request.key}
    session.execute(
        upsert(IdempotencyKey)
        .values(**row, **kept)
        .on_conflict_do_update(index_elements=list(row), set_={**kept, "created_at": CLOCK})
    )


def forget_old(session: Session, limit: int = 5000) -> int:
    """Remove what is older than 24 h, the oldest first; how many."""
    mine = (IdempotencyKey.user_id, IdempotencyKey.route, IdempotencyKey.key)
    old = select(*mine).where(IdempotencyKey.created_at < NOW - KEPT).order_by(IdempotencyKey.created_at).limit(limit)
    forgotten = delete(IdempotencyKey).where(tuple_(*mine).in_(old)).returning(IdempotencyKey.key)
    return len(session.scalars(forgotten, execution_options={"synchronize_session": False}).all())


def _is(request: Request) -> tuple[Any, ...]:
    return (
        IdempotencyKey.user_id == request.user_id,
        IdempotencyKey.route == request.route,
        IdempotencyKey.key == request.key,
    )
