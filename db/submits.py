"""From CREATED to QUEUED: what a submit reads of a row, and the one statement that is the submit."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend import traces
from backend.errors import AgensiumError, Conflict, InsufficientCredits, InvalidTaskState, TaskNotFound
from backend.metrics.of_tasks import CreditKind
from db import ledger, noted, wakeups
from db.events import FAN_OUT, EventKind
from db.models import Task, TaskStatus
from db.prebuilt import Prebuilt, Station

AGEING_STEP = timedelta(seconds=60)  # one step of priority is worth this much waiting


@dataclass(frozen=True, slots=True)
class Submission:
    """What a submit fixes on the row. `prices` are credits by agent; `cost` is expected slot-seconds.

    `parameters` None: those of the row stay.
    """

    agents: Sequence[str]
    prices: Mapping[str, int]
    inputs: Mapping[str, Any]
    cost: float
    parameters: Mapping[str, Any] | None = None
    tariffs: Mapping[str, Any] = field(default_factory=dict)  # of agents that are paid by use: their price is the most


@dataclass(frozen=True, slots=True)
class Draft:
    """The columns of a task that a submit checks."""

    id: uuid.UUID
    user_id: int
    tool_id: str
    status: str
    agents: Sequence[str]
    parameters: Mapping[str, Any]
    inputs: Mapping[str, Any]


class Submitted(Protocol):
    """What of a row the submit must know: a Task, or a Draft of it."""

    @property
    def id(self) -> uuid.UUID: ...
    @property
    def user_id(self) -> int: ...
    @property
    def inputs(self) -> Mapping[str, Any]: ...


_DRAFT = Prebuilt("""
    SELECT id, user_id, tool_id, status, agents, parameters, inputs FROM tasks
    WHERE id = :task_id AND user_id = :user_id AND deleted_at IS NULL
""")


def draft(session: Station, task_id: uuid.UUID, user_id: int) -> Draft:
    """The customer's own task, in whatever state. Raises TaskNotFound, as task_store.get."""
    row = _DRAFT.first(session, {"task_id": task_id, "user_id": user_id})
    if row is None:
        raise TaskNotFound(task_id=str(task_id))
    return Draft(*row)


# A submit in one statement, for each costs a round trip and as much again to build it: the row, the event and whom it
# is owed to, the place in the customer's lane, the hold, and the wake-up at the commit. It is locked first, the wallet
# next (the lock order), and written last: whose credits do not reach, or whose row is not as it was read, gets no row
# back, and nothing is written.
_SUBMIT = Prebuilt(f"""
    WITH draft AS (
        SELECT id FROM tasks
        WHERE id = :task_id AND status = 'CREATED' AND deleted_at IS NULL AND inputs = CAST(:inputs_seen AS jsonb)
        FOR NO KEY UPDATE),
    paid AS (
        UPDATE credit_wallets SET balance = balance - CAST(:total AS bigint)
        WHERE user_id = :user_id AND balance >= CAST(:total AS bigint) AND EXISTS (SELECT FROM draft)
        RETURNING user_id),
    queued AS (
        UPDATE tasks t SET status = 'QUEUED', last_event = last_event + 1, queued_at = clock_timestamp(),
            sort_at = clock_timestamp() - priority * CAST(:ageing_step AS interval),
            agents = CAST(:agents AS varchar[]),
            prices = CAST(:prices AS jsonb), tariffs = CAST(:tariffs AS jsonb), inputs = CAST(:inputs AS jsonb),
            parameters = coalesce(CAST(:parameters AS jsonb), parameters), cost = :cost,
            celery_task_id = CAST(:celery_task_id AS uuid), traceparent = CAST(:traceparent AS varchar)
        FROM draft, paid
        WHERE t.id = draft.id
        RETURNING t.id, t.user_id, t.last_event, t.agents, t.prices, t.tool_id),
    event AS (
        INSERT INTO task_events (task_id, seq, kind, data)
        SELECT id, last_event, 'queued', jsonb_build_object('credits_held', CAST(:total AS bigint)) FROM queued
        RETURNING task_id, seq, kind),
    owed AS ({FAN_OUT}),
    lane AS (INSERT INTO lanes (user_id) SELECT user_id FROM queued ON CONFLICT DO NOTHING),
    held AS (
        INSERT INTO credit_entries (user_id, task_id, agent_id, kind, amount)
        SELECT q.user_id, q.id, price.key, 'HOLD', CAST(price.value AS bigint)
        FROM queued q, jsonb_each_text(q.prices) price WHERE CAST(price.value AS bigint) > 0
        ORDER BY array_position(q.agents, price.key))
    SELECT q.tool_id FROM queued q, {wakeups.NOTIFY}
""")  # noqa: S608 (our own words only)


def enqueue(session: Station, task: Submitted, submission: Submission) -> uuid.UUID | None:
    """CREATED → QUEUED; the Celery id. None: it is refused, and nothing is written; `refusal` says why."""
    celery_task_id = uuid.uuid4()
    total = sum(submission.prices.values())
    values = {
        "task_id": task.id,
        "user_id": task.user_id,
        "inputs_seen": json.dumps(task.inputs),
        "agents": list(submission.agents),
        "prices": json.dumps(dict(submission.prices)),
        "tariffs": json.dumps(dict(submission.tariffs)),
        "inputs": json.dumps(dict(submission.inputs)),
        "parameters": None if submission.parameters is None else json.dumps(dict(submission.parameters)),
        "cost": float(submission.cost),
        "celery_task_id": celery_task_id,
        "traceparent": traces.current(),
        "ageing_step": AGEING_STEP,
        "total": total,
    }
    queued = _SUBMIT.first(session, values)
    if queued is None:
        return None
    noted.move(session, queued[0], EventKind.QUEUED)
    noted.credits_moved(session, CreditKind.HOLD, total)
    return celery_task_id


def submit(session: Session, task: Submitted, submission: Submission) -> uuid.UUID:
    """The same, within a transaction.

    Raises:
        TaskNotFound, InvalidTaskState, Conflict, InsufficientCredits
    """
    celery_task_id = enqueue(session, task, submission)
    if celery_task_id is None:
        raise refusal(session, task, sum(submission.prices.values()))
    return celery_task_id


_NOW = select(Task.status, Task.inputs)


def refusal(session: Session, task: Submitted, total: int) -> AgensiumError:
    """What kept a submit from happening."""
    now = session.execute(_NOW.where(Task.id == task.id, Task.deleted_at.is_(None))).one_or_none()
    if now is None:
        return TaskNotFound(task_id=str(task.id))
    if now.status != TaskStatus.CREATED:
        return InvalidTaskState(f"The task is {now.status.lower()} already.", status=now.status)
    available = ledger.balance(session, task.user_id)
    if now.inputs == task.inputs and available < total:
        return InsufficientCredits(available=available, required=total, shortfall=total - available)
    return Conflict("Other files were announced while the submit was being checked.")
