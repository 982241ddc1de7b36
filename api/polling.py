"""How `GET /tasks/{id}` is answered: from the database, from the hub for who asks again and again, or after a while."""

import math
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from fastapi import Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.following import Hub, Kept, happens
from api.recognised import remembered
from api.schemas import TaskView
from api.task_view import NO_OUTLOOK, WAITS, etag_of, outlook_of, retry_after_of, whole_view
from backend.clock import monotonic
from db import task_store
from db.database import statement, transaction
from db.models import TaskStatus
from db.watching import Standing, standing, standing_of

PLACE_SECONDS = 1.0  # how old the place of a task may be that is polled often
UUID_LENGTH = 36
SLICE_SECONDS = 2.0  # of a long poll: then the place in the queue is looked at anew, and whether the client is there


@dataclass(frozen=True, slots=True)
class Look:
    """A task as it was read just now; `view` None: as the client knows it."""

    standing: Standing
    read_at: float
    etag: str
    retry_after: int | None
    view: TaskView | None

    @property
    def headers(self) -> dict[str, str]:
        again = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return {"ETag": self.etag, "Cache-Control": "private, no-cache", **again}

    def response(self) -> Response:
        if self.view is None:
            return Response(status_code=304, headers=self.headers)
        return Response(self.view.model_dump_json(), headers=self.headers, media_type="application/json")


class Poll:
    """One request for how a task stands."""

    def __init__(self, hub: Hub, task_id: uuid.UUID, user_id: int, if_none_match: str | None) -> None:
        self._hub = hub
        self._task_id = task_id
        self._user_id = user_id
        self._known = _tags(if_none_match)

    async def answer(self, wait: float, gone: Callable[[], Awaitable[bool]]) -> Response:
        """At once, or with `wait` when there is something new; 304 where there is not.

        Raises:
            TaskNotFound
            TooManyFollowed: the customer waits for as many tasks as one may.
        """
        found = await run_in_threadpool(self._look)
        self._keep(found)
        if wait and found.view is None and not found.standing.ended:
            found = await self._changed(found, monotonic() + wait, gone)
        return found.response()

    def _keep(self, found: Look) -> None:
        """Not before the submit, whose own answer is to be followed by what it says, and a place for a moment only."""
        status = found.standing.status
        if status != TaskStatus.CREATED:
            until = monotonic() + PLACE_SECONDS if status in WAITS else math.inf
            self._hub.keep(Kept(found.standing, found.read_at, found.etag, found.headers, until))

    async def _changed(self, found: Look, deadline: float, gone: Callable[[], Awaitable[bool]]) -> Look:
        self._hub.check_room(self._user_id)
        with self._hub.watch(found.standing) as watched:
            changed = watched.changed
            if watched.standing != found.standing:  # it was watched already, and what it saw meanwhile woke nobody here
                found = await run_in_threadpool(self._look)
            while found.view is None and (left := deadline - monotonic()) > 0 and not self._hub.closing:
                if not await happens(changed, min(left, SLICE_SECONDS)) and await gone():
                    break
                changed = watched.changed  # of before the look: what comes during it wakes the next wait
                found = await run_in_threadpool(self._look)
        return found

    def _look(self) -> Look:
        return self._unchanged() or self._whole()

    def _unchanged(self) -> Look | None:
        """What is mostly answered, and needs a few columns only: the client knows all there is to know."""
        if not self._known:
            return None
        read_at = monotonic()
        with statement() as session:
            found = standing(session, self._task_id, self._user_id)
        if found is None or found.status in WAITS or not self._knows(etag := etag_of(found, None)):
            return None
        return Look(found, read_at, etag, retry_after_of(found, NO_OUTLOOK), None)

    def _whole(self) -> Look:
        read_at = monotonic()
        with transaction() as session:
            task = task_store.get(session, self._task_id, self._user_id)
            found = standing_of(task)
            outlook = outlook_of(session, task) if found.status in WAITS else NO_OUTLOOK
            etag = etag_of(found, outlook.waiting)
            view = None if self._knows(etag) else whole_view(session, task, outlook)
            return Look(found, read_at, etag, retry_after_of(found, outlook), view)

    def _knows(self, etag: str) -> bool:
        return not self._known.isdisjoint((etag, "*"))


def _tags(if_none_match: str | None) -> frozenset[str]:
    """RFC 9110: a list, weak or strong alike, or `*`."""
    return frozenset(tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")) - {""}


class PollsFromMemory:
    """Answers 304 to who polls a task again and again, where the hub saw just now that nothing has changed.

    The innermost layer: all others have had their word by then. It stands before the routes because half of the time of
    such an answer went into finding one and into solving what it depends on. No route, no count: the rate limit is one
    of these dependencies, so such an answer takes nothing from what a customer may ask.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = _from_memory(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        await (response or self._app)(scope, receive, send)


class _GetTask(NamedTuple):
    """What the layer that counts requests reads of a route."""

    path: str = "/tasks/{task_id}"


def _from_memory(scope: Scope) -> Response | None:
    task_id = scope["path"].removeprefix("/tasks/")
    if len(task_id) != UUID_LENGTH or scope["path"] == task_id or scope["query_string"]:
        return None
    headers = Headers(scope=scope)
    user, asked = remembered(headers), headers.get("if-none-match")
    if user is None or asked is None:
        return None
    kept = scope["app"].state.hub.unchanged(task_id, user.id)
    if kept is None or kept.etag not in _tags(asked):
        return None
    scope["route"] = _GetTask()
    return Response(status_code=304, headers=kept.headers)
