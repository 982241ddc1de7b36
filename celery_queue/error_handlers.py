"""From whatever ended a run to what is written on the row, and what Celery is told (DESIGN §5.8).

FAILED is written only when it is final; everything that may go well later goes back to QUEUED.
"""

from dataclasses import dataclass
from enum import StrEnum

from backend.clock import jitter
from backend.errors import ClaimLost, Drained, ErrorClass, HandBack, Reroute, UnknownTool, Verdict, Waiting
from backend.logs import log
from backend.metrics.of_tasks import CLAIMS_LOST, LearntFrom, LostBy
from backend.release import release
from backend.settings import Settings, get_settings
from backend.verdicts import verdict_for
from celery_queue import drain
from celery_queue.heartbeat import heartbeat
from db import claims, endings, workers
from db.claims import Claim, Counts
from db.database import DATABASE_ERRORS, transaction
from db.endings import Ending, HandBackTerms
from db.events import EventKind
from db.models import Queue, TaskStatus
from transformers.stop_signal import StopReason

WAITING = "WAITING"  # where an error's code would stand
MOST_CRASHES_AT_ONE_STEP = 3
_LOST_BY = {StopReason.LOST: LostBy.LEASE, StopReason.CANCELLED: LostBy.CANCEL}
LONGEST_RETRY_AFTER = 3600.0  # seconds; a service that wants to be left alone for longer is asked again all the same
OTHERS_TURN = 5.0  # seconds until a worker of another version, which lives, may have it
NEXT_DEPLOY = 300.0  # seconds until the next look where only such workers live as do not know the tool


class Fate(StrEnum):
    """What became of the run, as far as this worker is concerned."""

    FAILED = "failed"  # final
    RETRYING = "retrying"  # back in the queue
    DROPPED = "dropped"  # not ours any more, or not to be written down now: the heartbeat will see to it


@dataclass(frozen=True, slots=True)
class Answer:
    fate: Fate
    error_code: str
    message: str

    @property
    def status(self) -> TaskStatus | None:
        """In which the row was left; None where it is not known."""
        if self.fate is Fate.DROPPED:
            return None
        if self.fate is Fate.FAILED:
            return TaskStatus.FAILED
        return TaskStatus.WAITING if self.error_code == WAITING else TaskStatus.QUEUED


def answer(claim: Claim, error: BaseException) -> Answer:
    """Write down how the claim ended.

    What the database does not take now is handed back by the heartbeat as soon as it answers: the task runs again,
    and an outage counts against nobody.
    """
    try:
        return _write(claim, error)
    except ClaimLost as lost:
        _count_lost(claim, lost)
        return Answer(Fate.DROPPED, "CLAIM_LOST", "The task is not this worker's any more.")
    except DATABASE_ERRORS as refusal:
        log().warning("the ending could not be written", error=str(refusal))
        heartbeat().owe(claim)
        return Answer(Fate.DROPPED, "DATABASE_UNAVAILABLE", "The task runs again when the database answers.")


def _count_lost(claim: Claim, lost: ClaimLost) -> None:
    """A station that refuses does not say why: the row does, unless the database is away."""
    told = {reason.name: by for reason, by in _LOST_BY.items()}
    by, learnt_from = told.get(lost.detail), LearntFrom.BEAT
    if by is None:
        learnt_from = LearntFrom.STATION
        try:
            with transaction() as session:
                by = LostBy.CANCEL if claims.was_cancelled(session, claim) else LostBy.LEASE
        except DATABASE_ERRORS:
            by = LostBy.LEASE
    CLAIMS_LOST.count(by, learnt_from)


def _write(claim: Claim, error: BaseException) -> Answer:
    if isinstance(error, ClaimLost):
        raise error
    if isinstance(error, Waiting):  # written down with the children themselves
        return Answer(Fate.RETRYING, WAITING, str(error))
    if _interrupted(error):
        shut_down = HandBackTerms(EventKind.HANDED_BACK, in_vain=isinstance(error, Drained) or drain.requested())
        return _hand_back(claim, shut_down, "HANDED_BACK", "The task goes on elsewhere.")
    if isinstance(error, Reroute):
        _say(error.verdict, error)
        roomier = HandBackTerms(EventKind.REROUTED, queue=Queue.HIGH_MEMORY)
        return _hand_back(claim, roomier, "MEMORY_LIMIT", str(error))
    if isinstance(error, UnknownTool):
        later = HandBackTerms(EventKind.HANDED_BACK, delay_seconds=_until_somebody_knows())
        return _hand_back(claim, later, "HANDED_BACK", "This worker does not know the tool.")
    verdict = verdict_for(error)
    _say(verdict, error)
    with transaction() as session:
        terms = _another_try(claims.counts(session, claim), verdict, get_settings())
        if terms is not None:
            endings.hand_back(session, claim, terms)
            return Answer(Fate.RETRYING, verdict.error_code, verdict.message)
        endings.settle(session, claim, Ending(verdict=verdict.final))
    return Answer(Fate.FAILED, verdict.error_code, verdict.message)


def _until_somebody_knows() -> float:
    """Seconds. During a deploy both versions live; a tool that was taken away is not asked after every moment."""
    with transaction() as session:
        living = workers.live(session, get_settings().lease)
    ours = release()
    return OTHERS_TURN if any(worker.code_version != ours for worker in living) else NEXT_DEPLOY


def _interrupted(error: BaseException) -> bool:
    """A drain, or whatever a shutdown throws into a running task (on solo: SystemExit, NotImplementedError)."""
    return isinstance(error, HandBack) or not isinstance(error, Exception) or (drain.requested() and _cold(error))


def _cold(error: BaseException) -> bool:
    return isinstance(error, NotImplementedError)


def _hand_back(claim: Claim, terms: HandBackTerms, code: str, message: str) -> Answer:
    with transaction() as session:
        endings.hand_back(session, claim, terms)
    return Answer(Fate.RETRYING, code, message)


def _another_try(so_far: Counts, verdict: Verdict, settings: Settings) -> HandBackTerms | None:
    """The terms of the next try, or None where the failure is final."""
    if verdict.error_class is ErrorClass.CRASH and so_far.crashes + 1 < MOST_CRASHES_AT_ONE_STEP:
        return HandBackTerms(EventKind.RETRYING, verdict=verdict, counts={"crashes": so_far.crashes + 1})
    if verdict.error_class is ErrorClass.TRANSIENT and so_far.hiccups < settings.transient_retries:
        # not before the service wants it, and not all at once when it does
        asked_for = min(verdict.retry_after or 0.0, LONGEST_RETRY_AFTER)
        delay = asked_for + backoff(so_far.hiccups, settings)
        counts = {"hiccups": so_far.hiccups + 1}
        return HandBackTerms(EventKind.RETRYING, delay_seconds=delay, verdict=verdict, counts=counts)
    return None


def backoff(tries: int, settings: Settings) -> float:
    """Seconds before the next try: doubling up to a cap, with full jitter."""
    return jitter(min(settings.retry_cap_seconds, settings.retry_base_seconds * 2.0**tries))


def _say(verdict: Verdict, error: BaseException) -> None:
    """At the level of DESIGN §5.8's table; a trace only where it is our bug."""
    said = {"error_code": verdict.error_code, "error_class": verdict.error_class.value, "detail": verdict.detail}
    match verdict.error_class:
        case ErrorClass.USER | ErrorClass.CANCELLED:
            log().info("task failed", **said)
        case ErrorClass.TRANSIENT | ErrorClass.LIMIT:
            log().warning("task failed", **said)
        case ErrorClass.CRASH:
            log().error("task failed", **said)
        case ErrorClass.INTERNAL:
            log().error("task failed", exc_info=error, **said)
