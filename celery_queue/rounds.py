"""What one round does, in one short transaction: let in, rescue, admit, ring again.

Leaderless: the round belongs to whoever locks the admission clock's row first.
"""

from dataclasses import dataclass
from datetime import timedelta

from backend.clock import monotonic
from backend.settings import Settings
from celery_queue import drain
from db import admission, endings, rings, wakeups, workers
from db.database import Session, must_last, transaction
from db.workers import WorkerIdentity

ROUND_SECONDS = 1.0  # at least one round a second, whether or not anybody knocked
AFTER_ANOTHERS_ROUND = 0.02  # seconds: another conductor is at it; look again when it should be done
SOONEST = 0.05  # seconds: a row that was locked during this round is looked at again, without a busy loop
HOUSEKEEPING = timedelta(seconds=60)  # by one conductor of them all


@dataclass(frozen=True, slots=True)
class Round:
    """Whether there is something to ring, in how many seconds the next round is due, whether to keep house."""

    to_ring: bool
    next_due: float
    house_is_due: bool = False


class Rounds:
    """One worker's rounds, and the little they remember: nothing that another worker could miss."""

    def __init__(self, identity: WorkerIdentity, settings: Settings) -> None:
        self._identity = identity
        self._lease = settings.lease
        self._answered_at = float("-inf")  # when the database last answered, on clock.monotonic
        self._sweep_from = float("inf")
        self._checked_in_at = float("-inf")
        self._draining = False

    def conduct(self) -> Round:
        """Say that this worker lives, then do the round if it is ours. Raises database errors."""
        self._check_in()
        with transaction() as session:
            mine = admission.lock_round(session)
            self._database_answered()
            if not mine:
                return Round(to_ring=False, next_due=AFTER_ANOTHERS_ROUND)
            return self._conduct(session)

    def leave(self) -> None:
        """Take this worker off the list, and let the others know."""
        with transaction() as session:
            workers.check_out(session, self._identity.boot_uuid)
            wakeups.notify(session)

    def _check_in(self) -> None:
        """Not at every look: whoever loses the race for the round looks again in 20 ms."""
        lease = self._lease.total_seconds()
        if monotonic() - self._checked_in_at < lease / 4 and self._draining == drain.requested():
            return
        with transaction() as session:
            workers.check_in(session, self._identity)
            if drain.requested():
                workers.start_draining(session, self._identity.boot_uuid)
        self._checked_in_at, self._draining = monotonic(), drain.requested()

    def _database_answered(self) -> None:
        """After an outage nobody is punished: leases that could not be renewed are left alone for one lease.

        Half a lease of silence is an outage already: beats were missed by then, and are as late as this round.
        """
        now, lease = monotonic(), self._lease.total_seconds()
        if now - self._answered_at > max(lease / 2, 1.5 * ROUND_SECONDS):
            self._sweep_from = now + lease
        self._answered_at = now

    def _conduct(self, session: Session) -> Round:
        ripe_in = admission.ripen(session)
        rescued = endings.lost(session) if monotonic() >= self._sweep_from else ()
        if rescued:  # what its customer may have seen already
            must_last(session)
        admitted = admission.admit(session, admission.free_slots(session, self._lease))
        idle = admission.idle_slots(session, self._lease)
        again = rings.ring_again(session, idle, self._lease) if idle else 0
        due = [seconds for seconds in (ripe_in, self._next_sweep(session)) if seconds is not None]
        return Round(
            to_ring=bool(rescued or admitted or again or rings.are_due(session)),
            next_due=min([ROUND_SECONDS, *(max(SOONEST, seconds) for seconds in due)]),
            house_is_due=admission.house_is_due(session, HOUSEKEEPING),
        )

    def _next_sweep(self, session: Session) -> float | None:
        """Seconds until a lease may run out: a lost worker's task is not to wait for the next full second."""
        expiry = endings.next_expiry(session)
        if expiry is None:
            return None
        return max(expiry, self._sweep_from - monotonic())
