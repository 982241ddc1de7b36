"""The janitor: beside the conductor, it keeps house and has the files cleaned whose time is over.

Cleaning is slow work for the store and must delay neither a round nor a fork. So the thread only looks whether
anything is due, inside its gate; what asks the store is a process of its own, `agensium clean`. Two janitors at once
are harmless, and so is one that is killed half-way.
"""

import sys
import threading
from collections.abc import Sequence

from backend.logs import log
from celery_queue.errands import run_errand
from celery_queue.fork_gate import ForkGate
from celery_queue.housekeeping import Chore, keep_house
from db import retention
from db.database import DATABASE_ERRORS, transaction
from db.retention import Kept

CLEANING = (sys.executable, "-m", "backend", "clean")
LONGEST_SECONDS = 300.0  # a cleaning stops by itself after one; this one hangs


class Janitor:
    """Told by the conductor once a minute; does nothing else on its own."""

    def __init__(self, kept: Kept, house: dict[str, Chore], command: Sequence[str] = CLEANING) -> None:
        self._kept = kept
        self._house = house
        self._command = command
        self._told, self._stopping = threading.Event(), threading.Event()
        self._gate = ForkGate()

    def tell(self) -> None:
        """It is time to look."""
        self._told.set()

    def stop(self) -> None:
        """Leave `run`; a cleaning under way is ended."""
        self._stopping.set()
        self._told.set()

    def run(self) -> None:
        """The thread's own work, until it is stopped."""
        while not self._stopping.is_set():
            self._told.wait()
            self._told.clear()
            if self._stopping.is_set():
                return
            with self._gate:
                keep_house(self._house)
            if self._anything_due():
                self._clean()

    def _anything_due(self) -> bool:
        with self._gate:
            try:
                with transaction() as session:
                    return retention.anything_due(session, self._kept)
            except DATABASE_ERRORS as error:
                log().warning("no look at what is due", error=str(error))
                return False

    def _clean(self) -> None:
        run_errand(self._command, longest_seconds=LONGEST_SECONDS, gate=self._gate, stopping=self._stopping)
