"""One heartbeat thread a process: one UPDATE renews the leases of all its claims, and brings back which are gone.

When the database is away, a claim without a beat for a lease ends by itself (StopSignal.check): somebody else may
have the task by then. Such a claim, and any whose ending could not be written, is owed to the queue, and is handed back
with the first beat that comes through: before the sweep, which gives everybody a lease after an outage, counts a loss.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache

from backend.errors import ClaimLost
from backend.logs import log
from backend.metrics.of_workers import BEATS_FAILED
from backend.settings import Settings, get_settings
from celery_queue import drain
from celery_queue.identity import BOOT_UUID
from db import endings, workers
from db.claims import Claim
from db.database import DATABASE_ERRORS, impatient, private_transactions
from db.endings import HandBackTerms
from db.events import EventKind
from db.workers import BeatAnswer, ClaimKey, Pulse
from transformers.stop_signal import StopReason, StopSignal


@dataclass
class Held:
    """A claim that this process works on: how far it is (0..100), what its agent takes, and how to stop it."""

    claim: Claim
    stop: StopSignal
    progress: float = 0.0
    memory_bytes: Callable[[], int] = lambda: 0

    @property
    def key(self) -> ClaimKey:
        return self.claim.task_id, self.claim.epoch

    def pulse(self) -> Pulse:
        return Pulse(self.claim.task_id, self.claim.epoch, self.progress, self.memory_bytes())


class Heartbeat:
    """The thread lives as long as its process; it sleeps while nothing is held."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lease = settings.lease
        self._held: dict[ClaimKey, Held] = {}
        self._owed: list[Claim] = []
        self._lock = threading.Lock()
        self._work = threading.Event()
        self._transaction = private_transactions()
        self._thread = self._begin()

    @contextmanager
    def hold(self, claim: Claim) -> Iterator[Held]:
        """Keep the claim's lease alive for the length of the block."""
        held = Held(claim, StopSignal(self._settings.drain_seconds, self._settings.lease_seconds))
        with self._lock:
            self._held[held.key] = held
            self._work.set()
            if not self._thread.is_alive():  # it met an error that nobody foresaw: the next claim is to live
                self._thread = self._begin()
        try:
            yield held
        finally:
            with self._lock:
                del self._held[held.key]

    def owe(self, claim: Claim) -> None:
        """Hand the claim back as soon as the database takes it."""
        with self._lock:
            self._owed.append(claim)
            self._work.set()

    def _begin(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            self._work.wait()
            pause.wait(self._settings.beat_seconds)
            with self._lock:
                held, owed = list(self._held.values()), list(self._owed)
                if not held and not owed:
                    self._work.clear()
            try:
                self._beat(held)
                self._settle_debts(owed)
            except (*DATABASE_ERRORS, OSError) as error:
                log().warning("beat failed", error=str(error))
                BEATS_FAILED.count()

    def _beat(self, held: list[Held]) -> None:
        if held:
            with self._transaction() as session:
                answer = workers.beat(session, BOOT_UUID, [one.pulse() for one in held], self._lease)
            _pass_on(answer, held)

    def _settle_debts(self, owed: list[Claim]) -> None:
        """After the beat, and without waiting for a locked row: a debt must cost no neighbour its lease."""
        for claim in owed:
            with suppress(ClaimLost), self._transaction() as session:
                impatient(session)
                endings.hand_back(session, claim, HandBackTerms(EventKind.HANDED_BACK, in_vain=True))
            self._owed.remove(claim)


def _pass_on(answer: BeatAnswer, held: list[Held]) -> None:
    for one in held:
        one.stop.beaten()
    _stop([one for one in held if one.key in answer.lost], StopReason.LOST)
    _stop([one for one in held if one.key in answer.cancelled], StopReason.CANCELLED)
    if answer.draining or drain.requested():
        _stop(held, StopReason.DRAIN)


def _stop(held: list[Held], reason: StopReason) -> None:
    for one in held:
        one.stop.stop(reason)


@lru_cache(maxsize=1)
def heartbeat() -> Heartbeat:
    """This process' heartbeat, started at the first claim (in prefork: in the child)."""
    return Heartbeat(get_settings())
