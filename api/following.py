"""The hub: one look at all the tasks that this process' customers follow, whatever their number.

    Hub        one task of the event loop; it looks every LOOK_SECONDS while anybody watches, and sleeps otherwise
    Watched    one followed task: how it stands, and its newest events, encoded once for all who follow it

A watcher is a coroutine with a cursor of its own. It holds no thread and no connection, has no queue, and never keeps
another one waiting: who reads slowly falls behind the short tail, and reads from the database what is missing.
"""

import asyncio
import math
import signal
import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Annotated

from fastapi import Depends, Request

from api.event_lines import Line, line_of
from backend.clock import monotonic
from backend.errors import TooManyFollowed
from backend.logs import log
from backend.settings import get_settings
from db.database import DATABASE_ERRORS
from db.watching import Lookout, News, Standing

LOOK_SECONDS = 0.1  # an event waits half of it on average; a look at 1,000 tasks takes a few milliseconds
LEAST_SECONDS = 0.02  # between two looks, however many submits and endings wake the lookout
AFTER_AN_ERROR_SECONDS = 1.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
TAIL = 64  # events of a task that are kept for those who follow it; a slower reader asks the database
POLLS_A_SECOND = 5  # of one task; more of them are answered from memory
FRESH_SECONDS = 0.2  # how old such an answer may be
LINGER_SECONDS = 5.0  # a task that was polled often stays watched for so long after the last poll


@dataclass(frozen=True, slots=True)
class Kept:
    """What a poll was answered: good for as long as the task stands like this, and until `until`."""

    standing: Standing
    read_at: float
    etag: str
    headers: Mapping[str, str]
    until: float = math.inf


class Watched:
    """One followed task."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        self.tail: tuple[Line, ...] = ()
        self.changed = asyncio.Event()  # of this moment: it is set once, and another one takes its place
        self.watchers = 0
        self.kept_until = 0.0
        self.fresh_at = 0.0  # when the look began that last saw it
        self.kept: Kept | None = None
        self.written_at = 0.0  # when this process itself last changed the task

    def take(self, news: News) -> None:
        self.standing = news.standing
        self.tail = (*self.tail, *(line_of(happened, news.standing) for happened in news.happened))[-TAIL:]
        self.wake()

    def seen_at(self, kept: Kept) -> float:
        """When the task was last seen to stand so: by the hub, or by the poll itself."""
        return max(kept.read_at, self.fresh_at) if kept.standing == self.standing else kept.read_at

    def wake(self) -> None:
        woken, self.changed = self.changed, asyncio.Event()
        woken.set()

    def lines_after(self, seq: int) -> tuple[Line, ...] | None:
        """What follows; None where the tail does not reach back so far."""
        if seq >= self.standing.last_event:
            return ()
        lines = tuple(line for line in self.tail if line.seq > seq)
        return lines if lines and lines[0].seq == seq + 1 else None


class Hub:
    """This process' own. It belongs to the event loop that first asks it something."""

    def __init__(self) -> None:
        self._watched: dict[uuid.UUID, Watched] = {}
        self._polled: dict[str, Watched] = {}  # those of them that are polled often, by the id as it is written
        self._of_customer: Counter[int] = Counter()
        self._looking: asyncio.Task[None] | None = None
        self._second, self._polls = 0, Counter[uuid.UUID]()  # of this second, by task
        self.closing = False

    # those who follow

    @contextmanager
    def watch(self, standing: Standing) -> Iterator[Watched]:
        """The task is looked at for as long as the block lasts; `standing` is how it was read just before."""
        watched = self._enter(standing)
        watched.watchers += 1
        self._of_customer[standing.user_id] += 1
        try:
            yield watched
        finally:
            watched.watchers -= 1
            self._of_customer -= Counter([standing.user_id])  # drops what comes to zero
            self._forget_unwatched(watched)

    def check_room(self, user_id: int) -> None:
        """Before a customer follows one more.

        Raises:
            TooManyFollowed: it would be more than one may here.
        """
        most = get_settings().followed_per_customer
        if self._of_customer[user_id] >= most:
            raise TooManyFollowed(most=most)

    @property
    def followed(self) -> int:
        """How many watchers there are."""
        return sum(watched.watchers for watched in self._watched.values())

    @property
    def looks(self) -> bool:
        """False while it sleeps."""
        return self._looking is not None and not self._looking.done()

    def close(self) -> None:
        """All that follow come to their end."""
        self.closing = True
        for watched in self._watched.values():
            watched.wake()

    def close_soon(self) -> None:
        """From another thread, or from a signal's handler."""
        self.closing = True
        if self._looking is not None:
            self._looking.get_loop().call_soon_threadsafe(self.close)

    # those who poll

    def unchanged(self, task_id: str, user_id: int) -> Kept | None:
        """What this customer's last poll of the task was answered, where it is so still."""
        watched = self._polled.get(task_id)
        if watched is None or (kept := watched.kept) is None or kept.standing.user_id != user_id:
            return None
        now = monotonic()
        if now > kept.until or now - watched.seen_at(kept) > FRESH_SECONDS:
            return None
        watched.kept_until = now + LINGER_SECONDS
        return kept

    def keep(self, kept: Kept) -> None:
        """Remember an answer, and watch the task for a while, if it is polled often enough to be worth it."""
        if self._is_polled_often(kept.standing.task_id):
            self._polled[str(kept.standing.task_id)] = watched = self._enter(kept.standing)
            watched.kept_until = monotonic() + LINGER_SECONDS
            if kept.read_at > watched.written_at:
                watched.kept = kept

    def forget(self, task_id: uuid.UUID) -> None:
        """The task was changed here: whoever did it reads the change."""
        watched = self._watched.get(task_id)
        if watched is not None:
            watched.kept, watched.written_at = None, monotonic()

    def _is_polled_often(self, task_id: uuid.UUID) -> bool:
        second = int(monotonic())
        if second != self._second:
            self._second, self._polls = second, Counter()
        self._polls[task_id] += 1
        return self._polls[task_id] > POLLS_A_SECOND

    # looking

    def _enter(self, standing: Standing) -> Watched:
        watched = self._watched.setdefault(standing.task_id, Watched(standing))
        if not self.looks:
            self._looking = asyncio.create_task(self._look_on())
        return watched

    def _forget_unwatched(self, *suspects: Watched) -> None:
        now = monotonic()
        for watched in suspects:
            if watched.watchers == 0 and watched.kept_until <= now:
                self._watched.pop(watched.standing.task_id, None)
                self._polled.pop(str(watched.standing.task_id), None)

    async def _look_on(self) -> None:
        """Until nobody watches: then its thread and its connection go too."""
        loop, eyes = asyncio.get_running_loop(), _Eyes()
        with ThreadPoolExecutor(1, thread_name_prefix="lookout") as thread:
            try:
                while self._watched and not self.closing:
                    looked_at = list(self._watched.values())
                    began_at = monotonic()
                    news = await loop.run_in_executor(thread, eyes.look, [watched.standing for watched in looked_at])
                    if news is not None:
                        self._take(looked_at, news, began_at)
                    await loop.run_in_executor(thread, eyes.rest)
                    self._forget_unwatched(*self._watched.values())
            finally:
                thread.submit(eyes.close)

    def _take(self, looked_at: list[Watched], news: list[News], began_at: float) -> None:
        for watched in looked_at:
            watched.fresh_at = began_at
        for moved in news:
            if moved.standing.task_id in self._watched:  # not forgotten meanwhile
                self._watched[moved.standing.task_id].take(moved)


class _Eyes:
    """What looks, in a thread of its own; the connection is opened when it is needed, and again after an error."""

    def __init__(self) -> None:
        self._lookout: Lookout | None = None

    def look(self, standings: list[Standing]) -> list[News] | None:
        """None: the database did not answer."""
        try:
            if self._lookout is None:
                self._lookout = Lookout()
            return self._lookout.look(standings)
        except DATABASE_ERRORS as error:
            log().warning("nobody sees how tasks move", error=str(error))
            self.close()
            return None

    def rest(self) -> None:
        """Until the next look is due, or a submit or an ending wakes us; never shorter than LEAST_SECONDS."""
        began_at = monotonic()
        try:
            if self._lookout is None:
                threading.Event().wait(AFTER_AN_ERROR_SECONDS)
            elif self._lookout.wait(LOOK_SECONDS) and (left := began_at + LEAST_SECONDS - monotonic()) > 0:
                self._lookout.wait(left)
        except DATABASE_ERRORS:
            self.close()

    def close(self) -> None:
        lookout, self._lookout = self._lookout, None
        if lookout is not None:
            lookout.close()


@contextmanager
def ends_with_its_process(hub: Hub) -> Iterator[None]:
    """All streams end when the process is told to stop.

    A server tells the app only when its last connection is closed, which a stream would keep open. So what the server
    does at a signal is done, and the hub is closed besides.
    """
    theirs = {sig: handler for sig in STOP_SIGNALS if callable(handler := signal.getsignal(sig))}

    def stop(sig: int, frame: FrameType | None) -> None:
        hub.close_soon()
        theirs[signal.Signals(sig)](sig, frame)

    if threading.current_thread() is not threading.main_thread():
        theirs = {}  # Python knows signals in the main thread alone
    for sig in theirs:
        signal.signal(sig, stop)
    try:
        yield
    finally:
        for sig, handler in theirs.items():
            signal.signal(sig, handler)
        hub.close()


async def happens(changed: asyncio.Event, seconds: float) -> bool:
    """False when the time was over first."""
    try:
        async with asyncio.timeout(seconds):
            await changed.wait()
    except TimeoutError:
        return False
    return True


async def _hub(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub


HubDep = Annotated[Hub, Depends(_hub)]
