"""Watches every task of a deployment while things break: progress may not go down, a move may not be illegal."""

import threading
import uuid

from backend.chaos.invariants import Transactions
from db import evidence
from db.database import DATABASE_ERRORS
from db.evidence import Standing
from db.models import MOVES, TERMINAL, TaskStatus

LOOK_SECONDS = 0.15


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


class Observer(Watcher):
    """Watches the whole table in a thread from `start` to `stop`. `looks` says how often it saw it."""

    def __init__(self, transactions: Transactions) -> None:
        super().__init__()
        self._transactions = transactions
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)
        self.looks = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                with self._transactions() as session:
                    standings = evidence.standings(session)
            except DATABASE_ERRORS:  # it is being broken; the next look sees what it did
                continue
            self.looks += 1
            for standing in standings:
                self.see(standing)


def _reachable(status: TaskStatus) -> frozenset[TaskStatus]:
    """Where a task may be at the next look: between two looks it may move more than once."""
    found, new = {status}, {status}
    while new:
        new = {onward for one in new for onward in MOVES[one]} - found
        found |= new
    return frozenset(found)


REACHABLE = {status: _reachable(status) for status in TaskStatus}
assert all(REACHABLE[status] == {status} for status in TERMINAL)
