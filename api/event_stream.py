"""What one watcher does: a snapshot or a replay, each event once and in order, the last one always, then the end."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from anyio import CancelScope, create_task_group, move_on_after
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.event_lines import KEEP_ALIVE, RETRY, Line, ProgressView, block, line_of
from api.following import Hub, Watched, happens
from api.schemas import TaskView
from api.task_view import item_counts, whole_view
from backend.clock import monotonic
from backend.errors import TaskNotFound
from backend.logs import log
from db import task_store, watching
from db.database import DatabaseError, transaction
from db.models import Task
from db.watching import Standing, standing_of

KEEP_ALIVE_SECONDS = 15.0  # half of what proxies commonly wait
PROGRESS_SECONDS = 0.5  # between two words of progress on one stream
LAST_SECONDS = 5.0  # for the last words, at most
READ_AT_ONCE = 200  # events that are replayed from the database in one read


@dataclass(frozen=True, slots=True)
class Opening:
    """How a stream begins: its first block, and the number of the last event that the client then knows."""

    standing: Standing
    cursor: int
    text: bytes = b""

    @property
    def nothing_follows(self) -> bool:
        """The client has seen the last event of a task that ended."""
        return self.standing.ended and self.cursor == self.standing.last_event


def opening_of(task_id: uuid.UUID, user_id: int, last_event_id: str | None) -> Opening:
    """A snapshot for who comes first, nothing for who comes back, `resync` where the number is not one of the task's.

    Raises:
        TaskNotFound
    """
    with transaction() as session:
        task = task_store.get(session, task_id, user_id)
        if last_event_id is None:
            return _told(task, "snapshot", whole_view(session, task))
        seen = int(last_event_id) if last_event_id.isdecimal() and last_event_id.isascii() else -1
        if 0 <= seen <= task.last_event:
            return Opening(standing_of(task), seen)
        return _told(task, "resync", whole_view(session, task))


def _told(task: Task, event: str, view: TaskView) -> Opening:
    """Of a task that has ended all but its last event, so that this one follows also when the stream breaks between."""
    standing = standing_of(task)
    cursor = task.last_event - 1 if standing.ended else task.last_event
    return Opening(standing, cursor, block(event, view, cursor))


async def stream(hub: Hub, opening: Opening) -> AsyncIterator[bytes]:
    """All blocks until the task's end; shorter when the task is deleted or the process shuts down."""
    with hub.watch(opening.standing) as watched:
        yield RETRY + opening.text
        watcher = _Watcher(watched, opening)
        while not (watcher.at_the_end or hub.closing):
            changed = watched.changed
            text = await watcher.news()
            if text:
                yield text
            elif watched.standing.deleted:
                return
            elif not await happens(changed, watcher.patience):
                yield watcher.on_silence()


class _Watcher:
    """A cursor into the task's events, and what was told of its progress."""

    def __init__(self, watched: Watched, opening: Opening) -> None:
        self._watched = watched
        self._cursor = opening.cursor
        self._progress = round(opening.standing.progress, 1)
        self._agent = opening.standing.current_agent
        self._parts = opening.standing.parts
        self._progress_due = monotonic()
        self.at_the_end = False

    async def news(self) -> bytes:
        """What is to be said now, if anything."""
        lines = self._watched.lines_after(self._cursor)
        if lines is None:
            lines = await run_in_threadpool(_read, self._watched.standing, self._cursor)
            if lines and lines[0].seq != self._cursor + 1:
                return await self._resync()
        if lines:
            return self._said(lines)
        return self._progressed() if monotonic() >= self._progress_due else b""

    def _said(self, lines: Sequence[Line]) -> bytes:
        last = lines[-1]
        self._cursor, self.at_the_end = last.seq, last.last
        self._progress, self._agent = max(self._progress, last.progress), last.current_agent
        return b"".join(line.text for line in lines)

    def _progressed(self) -> bytes:
        if not self._has_progressed:
            return b""
        standing = self._watched.standing
        self._progress = max(self._progress, round(standing.progress, 1))
        self._agent, self._parts = standing.current_agent, standing.parts
        self._progress_due = monotonic() + PROGRESS_SECONDS
        return block("progress", self._view())

    @property
    def _has_progressed(self) -> bool:
        standing = self._watched.standing
        moved = round(standing.progress, 1) > self._progress or standing.current_agent != self._agent
        return moved or standing.parts != self._parts

    def _view(self) -> ProgressView:
        return ProgressView(
            progress=self._progress, current_agent=self._agent, items=item_counts(self._watched.standing.parts)
        )

    @property
    def patience(self) -> float:
        """How long nothing may be said: until the progress that waits may be told, or a sign of life is due."""
        return max(0.0, self._progress_due - monotonic()) if self._has_progressed else KEEP_ALIVE_SECONDS

    def on_silence(self) -> bytes:
        return self._progressed() or KEEP_ALIVE

    async def _resync(self) -> bytes:
        """What follows the cursor is gone: all of the task instead."""
        standing = self._watched.standing
        again = await run_in_threadpool(opening_of, standing.task_id, standing.user_id, "gone")
        self._cursor, self._progress = again.cursor, max(self._progress, round(again.standing.progress, 1))
        return again.text


def _read(standing: Standing, after: int) -> tuple[Line, ...]:
    with transaction() as session:
        happened = watching.happened_after(session, standing.task_id, after, READ_AT_ONCE)
    return tuple(line_of(event, standing) for event in happened)


class EventStream(Response):
    """Sends blocks as they come. It ends with them, with its client, or after `seconds`: then the client comes back,
    and shows anew who it is. A client that reads nothing is let go of by then, too.
    """

    media_type = "text/event-stream"

    def __init__(self, blocks: AsyncIterator[bytes], seconds: float) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._blocks = blocks
        self._seconds = seconds

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        async with create_task_group() as both:
            both.start_soon(_until_gone, receive, both.cancel_scope)
            await self._send(send)
            both.cancel_scope.cancel()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        with move_on_after(self._seconds):
            await self._send_blocks(send)
        with move_on_after(LAST_SECONDS):  # who has read nothing for long does not read this either
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_blocks(self, send: Send) -> None:
        try:
            async with aclosing(self._blocks):  # type: ignore[type-var]
                async for text in self._blocks:
                    await send({"type": "http.response.body", "body": text, "more_body": True})
        except (
            DatabaseError,
            TaskNotFound,
        ) as error:  # deleted just now: its client will hear of it when it comes back
            log().warning("a stream breaks, its client will come back", error=str(error))


async def _until_gone(receive: Receive, stop: CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stop.cancel()
