"""The ringer: rings for what a round has just let in, and for whatever else a committed row wants rung.

A thread of the conductor's, so that a frozen broker delays no round. What it could not send is due again.
"""

import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from backend.logs import log
from backend.metrics.of_doors import BROKER_FAULTS, BrokerOperation
from backend.metrics.of_workers import RINGS
from celery_queue.fork_gate import ForkGate
from celery_queue.ringing import RING_ERRORS, Bell
from celery_queue.rounds import ROUND_SECONDS, Round
from db import rings
from db.database import DATABASE_ERRORS, transaction
from db.rings import Ring


class Ringer:
    """`tell` is called by the thread that conducts; `run` is a thread of its own."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._told = deque[Ring]()  # marked as sent by their round; no lock, so that a fork may come at any time
        self._others_due = False
        self._due, self._stopping = threading.Event(), threading.Event()
        self._gate = ForkGate()

    def tell(self, done: Round) -> None:
        """After the round's commit."""
        self._told.extend(done.rings)
        if done.to_ring:
            self._others_due = True
        if done.rings or done.to_ring:
            self._due.set()

    def stop(self) -> None:
        """Leave `run`; what was told and not sent is another conductor's."""
        self._stopping.set()
        self._due.set()

    def run(self) -> None:
        """The thread's own work, until it is stopped."""
        while not self._stopping.is_set():
            self._due.wait()
            self._due.clear()
            if not self._ring_all():
                self._stopping.wait(ROUND_SECONDS)
                self._others_due = True
                self._due.set()
        with suppress(*DATABASE_ERRORS):
            self._put_back(self._all_told())

    def _ring_all(self) -> bool:
        """False when the broker or the database did not answer. A fork waits for one batch of rings, not for all."""
        try:
            while due := self._take() + self._all_told():
                if not self._rung(due):
                    self._put_back(due)
                    return False
        except DATABASE_ERRORS as error:
            log().warning("no rings", error=str(error))
            return False
        return True

    def _take(self) -> list[Ring]:
        """Those that no round has told us of: rescued, put back, not answered. They come first."""
        if not self._others_due:
            return []
        self._others_due = False
        with self._gate, transaction() as session:
            taken = list(rings.take(session))
        self._others_due = self._others_due or bool(taken)  # there may be more
        return taken

    def _all_told(self) -> list[Ring]:
        return [self._told.popleft() for _ in range(len(self._told))]

    def _rung(self, due: Sequence[Ring]) -> bool:
        with self._gate:
            try:
                self._bell.ring(*due)
            except RING_ERRORS as error:
                log().warning("the broker took no ring", rings=len(due), error=str(error))
                BROKER_FAULTS.count(BrokerOperation.RING)
                return False
            RINGS.count(by=len(due))
            return True

    def _put_back(self, unsent: Sequence[Ring]) -> None:
        if unsent:
            with self._gate, transaction() as session:
                rings.put_back(session, unsent)
