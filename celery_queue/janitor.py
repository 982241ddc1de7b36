"""The janitor: beside the conductor, it keeps house and has the files cleaned whose time is over.

Cleaning is slow work for the store and must delay neither a round nor a fork. So the thread only looks whether
anything is due, inside its gate; what asks the store is a process of its own, `agensium clean`. Locks of boto3,
urllib3 and OpenSSL are then never held in a process that prefork may fork, a store that hangs is ended by a kill, and
the worker keeps the memory. Two janitors at once are harmless, and so is one that is killed half-way.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence

from backend.clock import monotonic
from backend.logs import log
from celery_queue.fork_gate import ForkGate
from celery_queue.housekeeping import Chore, keep_house
from db import retention
from db.database import DATABASE_ERRORS, transaction
from db.retention import Kept

CLEANING = (sys.executable, "-m", "backend", "clean")
LONGEST_SECONDS = 300.0  # a cleaning stops by itself after one; this one hangs
POLL_SECONDS = 0.2


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
        process = self._start()
        if process is None:
            return
        deadline = monotonic() + LONGEST_SECONDS
        while process.poll() is None:
            if self._stopping.wait(POLL_SECONDS) or monotonic() > deadline:
                process.kill()
                process.wait()
        with self._gate:
            if process.returncode and not self._stopping.is_set():
                log().warning("the cleaning did not go well", exit_code=process.returncode)

    def _start(self) -> "subprocess.Popen[bytes] | None":
        """Its words go to this worker's log; a terminal's Ctrl+C does not reach it."""
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        with self._gate:
            try:
                return subprocess.Popen(
                    self._command, env=environment, stdin=subprocess.DEVNULL, start_new_session=sys.platform != "win32"
                )
            except OSError as error:
                log().warning("no cleaning", error=str(error))
                return None
