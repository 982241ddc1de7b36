"""What one round does, in one short transaction: let in, rescue, admit, ring again.

Leaderless: the round belongs to whoever locks the admission clock's row first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from backend.clock import monotonic
from backend.metrics.of_workers import ADMITTED, ROUND, ROUNDS, RoundOutcome
from backend.settings import Settings
from celery_queue import drain
from db import admission, endings, rings, survey, wakeups, workers
from db.database import Session, must_last, transaction
from db.rings import Ring
from db.survey import Survey
from db.workers import WorkerIdentity

ROUND_SECONDS = 1.0  # at least one round a second, whether or not anybody knocked
AFTER_ANOTHERS_ROUND = 0.02  # seconds: another conductor is at it; look again when it should be done
SOONEST = 0.05  # seconds: a row that was locked during this round is looked at again, without a busy loop
# Seconds: with every slot at work and the next tasks waiting in the broker, a round for each that ends would cost more
# than the quickest tasks themselves. Whoever comes meanwhile has those before it anyway.
SHORTEST_REST, LONGEST_REST = 0.008, 0.015
ANSWERED_WITHIN = 0.2  # seconds: a slot that was just left takes what waits in the broker; that ring is not lost
HOUSEKEEPING = timedelta(seconds=60)  # by one conductor of them all


@dataclass(frozen=True, slots=True)
class Round:
    """The rings to send; whether others are due; in how many seconds the next round is due, and before how many it is
    of no use; whether to keep house.
    """

    next_due: float
    rings: Sequence[Ring] = ()
    to_ring: bool = False
    rest: float = 0.0
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
        self._idle_since = float("inf")  # since when each of our rounds has seen a slot in which nothing runs

    def conduct(self) -> Round:
        """Do the round if it is ours, and say that this worker lives: where there is something to ring, the next time.

        Raises database errors.
        """
        lease = self._lease.total_seconds()
        self._check_in(older_than=lease / 2)
        done = self._try_round()
        if not done.rings:
            self._check_in(older_than=lease / 4)
        return done

    def _try_round(self) -> Round:
        began = monotonic()
        with transaction() as session:
            mine = admission.lock_round(session)
            self._database_answered()
            done = self._conduct(session) if mine else Round(next_due=AFTER_ANOTHERS_ROUND)
        ROUNDS.count(RoundOutcome.DONE if mine else RoundOutcome.OTHERS)
        if mine:
            ROUND.observe(monotonic() - began)
            ADMITTED.count(by=len(done.rings))
        return done

    def leave(self) -> None:
        """Take this worker off the list, and let the others know."""
        with transaction() as session:
            workers.check_out(session, self._identity.boot_uuid)
            wakeups.notify(session)

    def _check_in(self, older_than: float) -> None:
        """Not at every look: whoever loses the race for the round looks again in 20 ms."""
        if monotonic() - self._checked_in_at < older_than and self._draining == drain.requested():
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
        seen = survey.look(session, self._lease, HOUSEKEEPING)
        if self._put_in_order(session, seen):
            seen = survey.look(session, self._lease, HOUSEKEEPING)
        admitted = admission.admit(session, seen.slots) if seen.waiting else ()
        again = self._is_unheard(seen) and rings.ring_again(session, seen.idle, self._lease)
        return Round(
            rings=admitted,
            to_ring=bool(seen.to_ring or again),
            next_due=self._next_due(seen),
            rest=_rest(ahead=len(admitted) - seen.spare, pace=seen.pace),
            house_is_due=seen.house_is_due and admission.house_is_due(session, HOUSEKEEPING),
        )

    def _put_in_order(self, session: Session, seen: Survey) -> bool:
        """Let in what is ripe, rescue what is lost; True where something of it was due."""
        ripe = seen.ripe_in is not None and seen.ripe_in <= 0
        if ripe:
            admission.ripen(session)
        lost = seen.expires_in is not None and seen.expires_in <= 0 and monotonic() >= self._sweep_from
        if lost and endings.lost(session):  # what its customer may have seen already
            must_last(session)
        return ripe or lost

    def _is_unheard(self, seen: Survey) -> bool:
        """Some ring was not answered, though a slot has been idle for longer than an answer takes."""
        self._idle_since = min(self._idle_since, monotonic()) if seen.idle else float("inf")
        return seen.unanswered and monotonic() - self._idle_since >= ANSWERED_WITHIN

    def _next_due(self, seen: Survey) -> float:
        due = [ROUND_SECONDS]
        if seen.ripe_in is not None:
            due.append(max(SOONEST, seen.ripe_in))
        if seen.expires_in is not None:  # a lost worker's task is not to wait for the next full second
            due.append(max(SOONEST, seen.expires_in, self._sweep_from - monotonic()))
        if seen.unanswered and seen.idle:
            due.append(ANSWERED_WITHIN)
        return min(due)


def _rest(ahead: int, pace: float) -> float:
    """Seconds in which a third of what is ahead has ended: the others are for the next ones' way to their slots."""
    if ahead <= 0:
        return 0.0
    return min(LONGEST_REST, max(SHORTEST_REST, ahead / 3 / max(1.0, pace)))
