"""The conductor: threads in every worker's main process that keep the waiting tasks moving.

One listens for wake-ups, one conducts rounds, one rings (ringer.py), so that a frozen broker delays no round; the
janitor's is told once a minute by the conductor that kept house, and the post office's looks by itself. The conductor
is not itself a task, so nothing that loses tasks can lose it. Its death only delays, and two at once are harmless,
because every step is a conditional UPDATE.
"""

import threading
from collections.abc import Callable
from contextlib import closing, suppress

from backend.clock import monotonic
from backend.logs import log
from backend.metrics.of_workers import ROUNDS, RoundOutcome
from celery_queue import drain
from celery_queue.fork_gate import ForkGate
from celery_queue.janitor import Janitor
from celery_queue.post_office import PostOffice
from celery_queue.ringer import Ringer
from celery_queue.ringing import Bell
from celery_queue.rounds import ROUND_SECONDS, Round, Rounds
from celery_queue.watchdog import Watchdog
from db.database import DATABASE_ERRORS
from db.wakeups import Listener

LISTEN_SECONDS = 1.0  # between looks at whether we are to stop; wake-ups come at once


class Conductor:
    """Starts with the worker and stops with it. `stop` leaves at most a transaction's time-out behind."""

    def __init__(
        self,
        rounds: Rounds,
        bell: Bell,
        watchdog: Watchdog | None = None,
        janitor: Janitor | None = None,
        post_office: PostOffice | None = None,
    ) -> None:
        self._rounds = rounds
        self._ringer = Ringer(bell)
        self._watchdog = watchdog
        self._janitor = janitor
        self._post_office = post_office
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._gates = {name: ForkGate() for name in ("listen", "conduct")}
        targets: dict[str, Callable[[], None]] = {
            "listen": self._listen, "conduct": self._conduct, "ring": self._ringer.run,
        }  # fmt: skip
        if janitor is not None:
            targets["clean"] = janitor.run
        if post_office is not None:
            targets["deliver"] = post_office.run
        self._threads = {
            name: threading.Thread(target=self._guard, args=(target,), name=f"conductor-{name}", daemon=True)
            for name, target in targets.items()
        }

    def start(self) -> None:
        drain.wakes(self._wake)  # prefork's children learn of a drain from the row: it is to be written at once
        for thread in self._threads.values():
            thread.start()

    def stop(self, seconds: float = 3.0) -> None:
        """No more rounds, no more rings; the worker's row goes, and its going wakes also our own listener."""
        self._stopping.set()
        self._wake.set()
        self._ringer.stop()
        if self._janitor is not None:
            self._janitor.stop()
        if self._post_office is not None:
            self._post_office.stop()
        with self._gates["conduct"]:
            try:
                self._rounds.leave()
            except DATABASE_ERRORS as error:
                log().warning("could not say goodbye", error=str(error))
        deadline = monotonic() + seconds
        for thread in self._threads.values():
            thread.join(max(0.0, deadline - monotonic()))

    def _guard(self, work: Callable[[], None]) -> None:
        """A worker must not look alive when one of its organs is dead: it leaves, and is started anew."""
        try:
            work()
        finally:
            if not self._stopping.is_set():
                log().error("the conductor is broken; the worker leaves", thread=threading.current_thread().name)
                drain.leave()

    # wake-ups

    def _listen(self) -> None:
        while not self._stopping.is_set():
            listener = self._open_listener()
            if listener is None:
                self._stopping.wait(ROUND_SECONDS)
                continue
            self._wake.set()  # for what was notified while nobody listened
            self._pass_on(listener)

    def _open_listener(self) -> Listener | None:
        with self._gates["listen"]:
            try:
                return Listener()
            except DATABASE_ERRORS as error:
                log().warning("no wake-ups", error=str(error))
                return None

    def _pass_on(self, listener: Listener) -> None:
        with closing(listener), suppress(*DATABASE_ERRORS):
            while not self._stopping.is_set():
                if listener.wait(LISTEN_SECONDS):
                    self._wake.set()

    # rounds

    def _conduct(self) -> None:
        pause = 0.0
        while not self._stopping.is_set():
            self._wake.wait(pause)
            self._wake.clear()  # before the round: what comes during it is for the next
            done = self._one_round()
            pause = done.next_due
            self._ringer.tell(done)
            if done.house_is_due and self._janitor is not None:
                self._janitor.tell()
            if done.rest:
                self._stopping.wait(done.rest)

    def _one_round(self) -> Round:
        with self._gates["conduct"]:
            if self._stopping.is_set():  # this worker has left the list, and must not come back to it
                return Round(next_due=0.0)
            try:
                if self._watchdog is not None:
                    self._watchdog.look()
                return self._rounds.conduct()
            except DATABASE_ERRORS as error:
                log().warning("no round", error=str(error))
                ROUNDS.count(RoundOutcome.FAILED)
                return Round(next_due=ROUND_SECONDS)
