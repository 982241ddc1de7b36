"""`Idempotency-Key` for a route: the same request, sent twice, is done once and answered alike (DESIGN §5.12).

    return once(session, NewThing, lambda: make_the_thing(session))

Without the header the work is simply done. Auth routes do not use it, because an answer that is kept must hold no
secret; a link is signed anew each time, outside of what is kept. A kept answer that shows a task which was deleted
since is TASK_NOT_FOUND, on every route.
"""

import hashlib
import uuid
from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Request
from pydantic import BaseModel

from api.dependencies import CurrentUser
from db import idempotency, task_store
from db.database import Session

T = TypeVar("T", bound=BaseModel)
KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="A key of your own choice; the same request with the same key is done once within 24 hours.",
        examples=["5f2b6d1e-nightly-0001"],
    ),
]


class Nothing(BaseModel):
    """The body of an answer that has none."""


class Once:
    """The key of the request at hand, or none."""

    def __init__(self, asked: idempotency.Request | None, status_code: int) -> None:
        self._asked = asked
        self._status_code = status_code

    @property
    def has_key(self) -> bool:
        return self._asked is not None

    def answered(self, session: Session, kind: type[T]) -> T | None:
        """The kept answer, for a route that has slow checks to spare before it does the work."""
        kept = idempotency.answered(session, self._asked) if self._asked else None
        return self._shown(session, kind, kept) if kept else None

    def __call__(self, session: Session, kind: type[T], work: Callable[[], T]) -> T:
        """The kept answer, or that of `work`, kept in the same transaction.

        Raises:
            RequestInFlight, IdempotencyMismatch
            TaskNotFound: what was answered showed a task that was deleted since.
        """
        if self._asked is None:
            return work()
        kept = idempotency.begin(session, self._asked)
        if kept is not None:
            return self._shown(session, kind, kept)
        answer = work()
        idempotency.remember(session, self._asked, self._status_code, answer.model_dump(mode="json"))
        return answer

    def _shown(self, session: Session, kind: type[T], kept: idempotency.Answer) -> T:
        if self._asked is not None and (task_id := kept.body.get("task_id")) is not None:
            task_store.get(session, uuid.UUID(task_id), self._asked.user_id)
        return kind.model_validate(kept.body)


async def _once(request: Request, user: CurrentUser, key: KeyHeader = None) -> Once:
    route = request.scope["route"]
    status = route.status_code or 200
    if key is None:
        return Once(None, status)
    whole = b"\n".join(
        [request.method.encode(), request.url.path.encode(), request.url.query.encode(), await request.body()]
    )
    name = f"{request.method} {route.path}"
    return Once(idempotency.Request(user.id, name, key, hashlib.sha256(whole).hexdigest()), status)


OnceDep = Annotated[Once, Depends(_once)]
