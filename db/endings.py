"""How a claim ends: settled for good, handed back to the queue, or lost with its worker.

A terminal state is written once, by a conditional UPDATE; whoever comes later finds no row (DESIGN §5.1).
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.errors import ClaimLost, Verdict, WorkerLost
from backend.logs import log
from db import checkpoints, children, ledger, moves, noted, wakeups
from db.claims import Claim
from db.events import FAN_OUT, EventKind
from db.models import CLOCK, Queue, Task, TaskStatus
from db.prebuilt import Prebuilt, Station

MOST_LOSSES_AT_ONE_STEP = 5  # workers lost under one step before the step itself is held to be the cause


@dataclass(frozen=True, slots=True)
class Ending:
    """COMPLETED with an outcome and a manifest, or FAILED with a verdict."""

    outcome: str | None = None
    manifest_key: str | None = None
    verdict: Verdict | None = None

    @property
    def status(self) -> TaskStatus:
        return TaskStatus.COMPLETED if self.verdict is None else TaskStatus.FAILED


@dataclass(frozen=True, slots=True)
class HandBackTerms:
    """Why a task goes back to QUEUED, when it may run again, and what is counted against its step.

    `delay_seconds` None: at once, ahead of every lane. `queue` None: the one it came from. `in_vain`: what ran since
    the last checkpoint does not count towards the time limit, because we ended it.
    """

    kind: EventKind
    delay_seconds: float | None = None
    queue: Queue | None = None
    in_vain: bool = False
    verdict: Verdict | None = None
    counts: dict[str, int] = field(default_factory=dict)  # column → new value


# A success in one statement: the row's end, its event and whom that is owed to, the release of the rest, the wake-up.
# It sees the books as they were before it had the row's lock. So it is for a row that nobody moved meanwhile: a
# checkpoint that this very claim still had under way may have captured something since. And for no batch, whose items
# move nothing on its row.
_COMPLETE = Prebuilt(f"""
    WITH ended AS (
        UPDATE tasks SET status = 'COMPLETED', last_event = last_event + 1, finished_at = clock_timestamp(),
            progress = 100, outcome = :outcome, manifest_key = :manifest_key, {moves.CLAIM_ENDED}
        WHERE id = :task_id AND epoch = :epoch AND status = 'PROCESSING' AND parent_id IS NULL
            AND items = 0 AND last_event = (SELECT seen.last_event FROM tasks seen WHERE seen.id = :task_id)
        RETURNING id, last_event, items, tariffs, tool_id, run_seconds),
    event AS (
        INSERT INTO task_events (task_id, seq, kind, data)
        SELECT id, last_event, 'completed', CAST(:data AS jsonb) FROM ended
        RETURNING task_id, seq, kind),
    owed AS ({FAN_OUT}),
    {ledger.SETTLED}
    SELECT ended.tool_id, ended.run_seconds, {ledger.AMOUNTS} FROM ended, {wakeups.NOTIFY}
""")  # noqa: S608 (our own words only)


def complete_at_once(session: Station, claim: Claim, ending: Ending) -> bool:
    """Settle a success in one statement. False: nothing is written; it is no such case, and `settle` has the word."""
    if claim.parent_id is not None or ending.verdict is not None:
        return False
    values = {
        "task_id": claim.task_id,
        "epoch": claim.epoch,
        "outcome": ending.outcome,
        "manifest_key": ending.manifest_key,
        "data": json.dumps(_told(None, outcome=ending.outcome)),
    }
    completed = _COMPLETE.first(session, values)
    if completed is None:
        return False
    tool_id, run_seconds, *amounts = completed
    noted.move(session, tool_id, EventKind.COMPLETED)
    noted.ending(session, tool_id, TaskStatus.COMPLETED, None)
    noted.run(session, tool_id, run_seconds)
    ledger.note_amounts(session, *amounts)
    return True


def settle(session: Session, claim: Claim, ending: Ending) -> None:
    """The last station: terminal state, manifest pointer, release of the rest, the parent's counter.

    Raises:
        ClaimLost: the row is not ours any more; nothing was written.
    """
    moves.lock_parent(session, claim.parent_id)
    if not _end(session, claim.task_id, claim.epoch, ending):
        raise ClaimLost


def _end(session: Session, task_id: uuid.UUID, epoch: int, ending: Ending) -> bool:
    kind = EventKind.COMPLETED if ending.verdict is None else EventKind.FAILED
    ended = moves.claim_ended() | {"finished_at": CLOCK, **_result(ending)}
    told = _told(ending.verdict, outcome=ending.outcome)
    task = moves.move(session, task_id, ending.status, kind, ended, held_epoch=epoch, data=told)
    if task is None:
        return False
    if task.parent_id is None:
        ledger.settle(session, task.id)
    else:
        children.child_ended(session, task.parent_id)
    wakeups.notify(session)
    return True


def _result(ending: Ending) -> dict[str, Any]:
    if ending.verdict is None:
        return {"outcome": ending.outcome, "manifest_key": ending.manifest_key, "progress": 100}
    return _error(ending.verdict)


def _error(verdict: Verdict) -> dict[str, Any]:
    return {
        "error_code": verdict.error_code,
        "error_message": verdict.message,
        "next_action": verdict.next_action,
        "error_detail": verdict.detail[: checkpoints.DETAIL_KEPT],
        "recoverable": verdict.recoverable,
    }


def _told(verdict: Verdict | None, **more: Any) -> dict[str, Any]:
    """What an event says in public."""
    said = {name: value for name, value in more.items() if value is not None}
    if verdict is not None:
        said |= {"error_code": verdict.error_code, "message": verdict.message, "next_action": verdict.next_action}
    return said


def hand_back(session: Session, claim: Claim, terms: HandBackTerms) -> None:
    """PROCESSING → QUEUED; the finished steps stay, and so do the held credits.

    Raises:
        ClaimLost: the row is not ours any more; nothing was written.
    """
    if not _requeue(session, claim.task_id, claim.epoch, terms):
        raise ClaimLost


def _requeue(session: Session, task_id: uuid.UUID, epoch: int, terms: HandBackTerms) -> bool:
    if terms.delay_seconds is None:
        turn = moves.goes_first()
    else:
        turn = {"not_before": CLOCK + timedelta(seconds=terms.delay_seconds)}
    error = {} if terms.verdict is None else _error(terms.verdict)
    queue = {} if terms.queue is None else {"queue": terms.queue}
    values = moves.claim_ended(in_vain=terms.in_vain) | turn | queue | terms.counts | error
    told = _told(terms.verdict, delay_seconds=terms.delay_seconds, queue=terms.queue)
    # From PROCESSING alone: the claim that fanned out has the epoch of its WAITING row still.
    task = moves.move(
        session, task_id, TaskStatus.QUEUED, terms.kind, values,
        came_from=TaskStatus.PROCESSING, held_epoch=epoch, data=told,
    )  # fmt: skip
    wakeups.notify(session)
    return task is not None


def lost(session: Session, limit: int = 100) -> Sequence[uuid.UUID]:
    """Tasks whose worker fell silent for a lease go back to QUEUED at the step they were on; their ids.

    The fifth worker lost under one step ends the task: WORKER_LOST.
    """
    silent = (
        select(Task.id, Task.parent_id)
        .where(Task.status == TaskStatus.PROCESSING, Task.lease_until < CLOCK)
        .limit(limit)
    )
    return [task_id for task_id, parent_id in session.execute(silent).all() if _rescue(session, task_id, parent_id)]


def _rescue(session: Session, task_id: uuid.UUID, parent_id: uuid.UUID | None) -> bool:
    if parent_id is not None:
        parent = select(Task.id).where(Task.id == parent_id)
        if session.scalar(parent.with_for_update(skip_locked=True, key_share=True)) is None:
            return False
    still = select(Task).where(Task.id == task_id, Task.status == TaskStatus.PROCESSING, Task.lease_until < CLOCK)
    task = session.scalar(
        still.with_for_update(skip_locked=True, key_share=True), execution_options={"populate_existing": True}
    )
    if task is None:
        return False
    losses = task.losses + 1
    log().warning(
        "a task has lost its worker",
        task_id=str(task.id), user_id=task.user_id, epoch=task.epoch, agent=task.current_agent, losses=losses,
    )  # fmt: skip
    if losses >= MOST_LOSSES_AT_ONE_STEP:
        return _end(session, task_id, task.epoch, Ending(verdict=WorkerLost(losses=losses).verdict))
    return _requeue(
        session, task_id, task.epoch, HandBackTerms(EventKind.RESCUED, in_vain=True, counts={"losses": losses})
    )
