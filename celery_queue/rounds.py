"""What one round does, in one short transaction: let in, rescue, admit, ring again, keep house.

Leaderless: the round belongs to whoever locks the admission clock's row first.
"""

from dataclasses import dataclass
from datetime import timedelta

from backend.clock import monotonic
from backend.settings import Settings
from celery_queue import drain
from db import accounts, admission, endings, idempotency, paces, rings, task_store, wakeups, workers
from db.database import Session, transaction
from db.workers import WorkerIdentity

ROUND_SECONDS = 1.0  # at least one round a second, whether or not anybody knocked
AFTER_ANOTHERS_ROUND = 0.02  # seconds: another conductor is at it; look again when it should be done
SOONEST_SWEEP = 0.05  # seconds: a row that was locked during this sweep is looked at again, without a busy loop
HOUSEKEEPING = timedelta(seconds=60)  # by one conductor of them all
DEAD_WORKER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Round:
    """Whether there is something to ring, in how many seconds the next round is due, whether this one kept house."""

    to_ring: bool
    next_due: float
    kept_house: bool = False


class Rounds:
    """One worker's rounds, and the little they remember: nothing that another worker could miss."""

    def __init__(self, identity: WorkerIdentity, settings: Settings) -> None:
        self._identity = identity
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._never_started = timedelta(hours=settings.never_started_hours)
        self._answered_at = float("-inf")  # when the database last answered, on clock.monotonic
        self._sweep_from = float("inf")
        self._house_tried_at = float("-inf")

    def conduct(self) -> Round:
        """Say that this worker lives, then do the round if it is ours. Raises database errors."""
        with transaction() as session:
            workers.check_in(session, self._identity)
            if drain.requested():
                workers.start_draining(session, self._identity.boot_uuid)
        self._database_answered()
        with transaction() as session:
            if not admission.lock_round(session):
                return Round(to_ring=False, next_due=AFTER_ANOTHERS_ROUND)
            return self._conduct(session)

    def leave(self) -> None:
        """Take this worker off the list, and let the others know."""
        with transaction() as session:
            workers.check_out(session, self._identity.boot_uuid)
            wakeups.notify(session)

    def _database_answered(self) -> None:
        """After an outage nobody is punished: leases that could not be renewed are left alone for one lease."""
        now, lease = monotonic(), self._lease.total_seconds()
        if now - self._answered_at > lease:
            self._sweep_from = now + lease
        self._answered_at = now

    def _conduct(self, session: Session) -> Round:
        ripe_in = admission.ripen(session)
        rescued = endings.lost(session) if monotonic() >= self._sweep_from else ()
        admitted = admission.admit(session, admission.free_slots(session, self._lease))
        idle = admission.idle_slots(session, self._lease)
        again = rings.ring_again(session, idle) if idle else 0
        kept_house = self._keep_house(session)
        return Round(
            to_ring=bool(rescued or admitted or again or rings.are_due(session)),
            next_due=min(due for due in (ROUND_SECONDS, ripe_in, self._next_sweep(session)) if due is not None),
            kept_house=kept_house,
        )

    def _next_sweep(self, session: Session) -> float | None:
        """Seconds until a lease may run out: a lost worker's task is not to wait for the next full second."""
        expiry = endings.next_expiry(session)
        if expiry is None:
            return None
        return max(SOONEST_SWEEP, expiry, self._sweep_from - monotonic())

    def _keep_house(self, session: Session) -> bool:
        """Once a minute in the whole cluster. What fails here undoes that mark too, and must not fail every round."""
        if monotonic() - self._house_tried_at < HOUSEKEEPING.total_seconds() / 2:
            return False
        if not admission.house_is_due(session, HOUSEKEEPING):
            return False
        self._house_tried_at = monotonic()
        task_store.expire(session, self._never_started)
        workers.forget_dead(session, DEAD_WORKER)
        idempotency.forget_old(session)
        accounts.forget_expired_tokens(session)
        paces.measure(session)
        return True
