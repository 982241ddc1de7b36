"""Watches every task of a deployment while things break: progress may not go down, a move may not be illegal."""

import threading
import uuid
from collections.abc import Callable, Iterable

import httpx

from backend.chaos.invariants import Transactions
from backend.clock import monotonic
from backend.errors import AgensiumError
from backend.processes import POLL_SECONDS
from db import evidence
from db.database import DATABASE_ERRORS
from db.evidence import Standing
from db.models import MOVES, TERMINAL, TaskStatus

LOOK_SECONDS = 0.15
FAILED_LOOKS = (AgensiumError, httpx.HTTPError, LookupError, ValueError)


class Watcher:
    """Remembers how each task stood; `breaches` is what it saw go wrong."""

    def __init__(self) -> None:
        self._last: dict[uuid.UUID, Standing] = {}
        self.breaches: list[str] = []

    def see(self, now: Standing) -> None:
        """Compare a task with what was seen of it before."""
        before = self._last.get(now.task_id)
        self._last[now.task_id] = now
        if before is None:
            return
        if now.progress < before.progress:
            self.breaches.append(f"task {now.task_id}: progress went from {before.progress} down to {now.progress}")
        if now.epoch < before.epoch:
            self.breaches.append(f"task {now.task_id}: its epoch went from {before.epoch} down to {now.epoch}")
        if now.status not in REACHABLE[before.status]:
            self.breaches.append(f"task {now.task_id}: from {before.status} it came to {now.status}")


class Lookout(Watcher):
    """Looks again and again in a thread from `start` to `stop`. `looks` says how often it saw something.

    `passing` are the errors that a look may meet while things are broken; any other is a breach, and so is a lookout
    that has seen nothing since it was last asked: who sees nothing finds nothing.
    """

    def __init__(
        self, look: Callable[[], Iterable[Standing]], every: float, passing: tuple[type[Exception], ...] = ()
    ) -> None:
        super().__init__()
        self._look = look
        self._every = every
        self._passing = passing
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lookout", daemon=True)
        self._asked_at = 0  # how many looks there were
        self.looks = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float | None = None) -> None:
        self._stopping.set()
        self._thread.join(seconds)

    def told(self, patience: float = 10.0) -> list[str]:
        """The breaches since it was last asked; one more where it saw nothing, after waiting so long for a look."""
        pause, deadline = threading.Event(), monotonic() + patience
        while self.looks == self._asked_at and self._thread.is_alive() and monotonic() < deadline:
            pause.wait(POLL_SECONDS)
        if not self._thread.is_alive():
            self.breaches.append("nobody watched: the lookout ended")
        elif self.looks == self._asked_at:
            self.breaches.append(f"nobody watched: no look in {patience:g} s")
        self._asked_at = self.looks
        found, self.breaches = self.breaches, []
        return found

    def _run(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                standings = list(self._look())
            except self._passing:  # it is being broken; the next look sees what it did
                continue
            except FAILED_LOOKS as error:
                self.breaches.append(f"a look failed: {type(error).__name__}: {error}")
                continue
            for standing in standings:
                self.see(standing)
            self.looks += 1


class Observer(Lookout):
    """Watches every task of the table."""

    def __init__(self, transactions: Transactions) -> None:
        def look() -> Iterable[Standing]:
            with transactions() as session:
                return evidence.standings(session)

        super().__init__(look, LOOK_SECONDS, DATABASE_ERRORS)


def _reachable(status: TaskStatus) -> frozenset[TaskStatus]:
    """Where a task may be at the next look: between two looks it may move more than once."""
    found, new = {status}, {status}
    while new:
        new = {onward for one in new for onward in MOVES[one]} - found
        found |= new
    return frozenset(found)


REACHABLE = {status: _reachable(status) for status in TaskStatus}
assert all(REACHABLE[status] == {status} for status in TERMINAL)
