"""The post office: looks once a second whether a customer's webhook is to be told something, and has it brought.

What asks customers' servers is a process of its own, `agensium deliver` (backend/courier.py), which stays while there
is something to bring.
"""

import sys
import threading
from collections.abc import Sequence

from backend.logs import log
from celery_queue.errands import run_errand
from celery_queue.fork_gate import ForkGate
from db import deliveries
from db.database import DATABASE_ERRORS, transaction

DELIVERING = (sys.executable, "-m", "backend", "deliver")
LOOK_SECONDS = 1.0
LONGEST_SECONDS = 3600.0  # then the next courier goes on


class PostOffice:
    """A thread of the conductor's."""

    def __init__(self, command: Sequence[str] = DELIVERING) -> None:
        self._command = command
        self._stopping = threading.Event()
        self._gate = ForkGate()

    def stop(self) -> None:
        """Leave `run`; a courier on its way is ended, and what it was bringing is brought again."""
        self._stopping.set()

    def run(self) -> None:
        """The thread's own work, until it is stopped."""
        while not self._stopping.wait(LOOK_SECONDS):
            if self._anything_due():
                run_errand(self._command, longest_seconds=LONGEST_SECONDS, gate=self._gate, stopping=self._stopping)

    def _anything_due(self) -> bool:
        with self._gate:
            try:
                with transaction() as session:
                    return deliveries.anything_due(session)
            except DATABASE_ERRORS as error:
                log().warning("no look at the webhooks", error=str(error))
                return False
