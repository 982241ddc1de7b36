"""A worker's right to a task: take it, and prove it at every station. How it ends is in endings.py.

The row lock taken by `UPDATE … WHERE epoch = :mine` *is* the fence (DESIGN §5.2): every station's transaction
begins with it, and a zombie gets ClaimLost before it can write anything.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from backend.errors import ClaimLost
from backend.metrics.of_tasks import WAIT
from db import moves, noted
from db.database import MAY_BE_FORGOTTEN
from db.events import FAN_OUT, EventKind
from db.models import Queue, Task, TaskStatus
from db.prebuilt import Prebuilt, Station

FIRST = 1  # the epoch of the first claim


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a task, and what the work needs to know. `epoch` is the fence."""

    task_id: uuid.UUID
    user_id: int
    tool_id: str
    epoch: int
    agents: tuple[str, ...]
    parameters: Mapping[str, Any]
    inputs: Mapping[str, Any]
    prices: Mapping[str, int]
    queue: Queue
    parent_id: uuid.UUID | None
    run_seconds: float
    tariffs: Mapping[str, Any] = field(default_factory=dict)
    first_item: int = 0
    items: int = 0
    started_at: datetime | None = None  # of the first claim
    hiccups: int = 0  # at the step it is on, when it was taken
    traceparent: str | None = None  # of the submit
    queued_at: datetime | None = None
    admitted_at: datetime | None = None
    claimed_at: datetime | None = None

    @property
    def root_id(self) -> uuid.UUID:
        """The task that holds the credits and the items."""
        return self.parent_id or self.task_id

    @property
    def waited(self) -> Mapping[str, datetime]:
        """From when on it waited: for its turn, for a slot, until it was claimed. What ran before is no waiting."""
        times = {"queued": self.queued_at if self.epoch == FIRST else None, "admitted": self.admitted_at}
        return {name: at for name, at in (times | {"claimed": self.claimed_at}).items() if at is not None}


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted against the step a task is on; a checkpoint sets it to 0."""

    hiccups: int
    crashes: int


# The claim, its event and whom that is owed to, in one statement. It brings the columns of Claim, by position, after
# the seconds since the submit.
_TAKE = Prebuilt(f"""
    WITH taken AS (
        UPDATE tasks SET status = 'PROCESSING', epoch = epoch + 1, last_event = last_event + 1, worker = :worker,
            claimed_at = clock_timestamp(), lease_until = clock_timestamp() + CAST(:lease AS interval),
            started_at = coalesce(started_at, clock_timestamp()), ring_wanted = false,
            error_code = NULL, error_message = NULL, next_action = NULL, error_detail = NULL, recoverable = NULL
        WHERE id = :task_id AND user_id = :user_id AND status = 'QUEUED' AND admitted_at IS NOT NULL
            AND not_before IS NULL
        RETURNING id, user_id, tool_id, epoch, agents, parameters, inputs, prices, queue, parent_id, run_seconds,
            tariffs, first_item, items, started_at, hiccups, traceparent, queued_at, admitted_at, claimed_at,
            last_event,
            coalesce(extract(epoch FROM claimed_at - queued_at), 0)::float8 AS waited),
    event AS (
        INSERT INTO task_events (task_id, seq, kind, data)
        SELECT id, last_event, 'started', jsonb_build_object('epoch', epoch) FROM taken
        RETURNING task_id, seq, kind),
    owed AS ({FAN_OUT})
    SELECT waited, id, user_id, tool_id, epoch, agents, parameters, inputs, prices, queue, parent_id, run_seconds,
        tariffs, first_item, items, started_at, hiccups, traceparent, queued_at, admitted_at, claimed_at
    FROM taken
""")  # noqa: S608 (our own words only)


def take(session: Station, task_id: uuid.UUID, user_id: int, worker: uuid.UUID, lease: timedelta) -> Claim | None:
    """Claim a task that is queued, admitted and due; None means a copy, too early, or not this customer's."""
    values = {"task_id": task_id, "user_id": user_id, "worker": worker, "lease": lease}
    row = _TAKE.first(session, values)
    if row is None:
        return None
    waited, *columns = row
    claim = _claim_on(*columns)
    noted.move(session, claim.tool_id, EventKind.STARTED)
    if claim.epoch == FIRST and claim.parent_id is None:
        noted.observe(session, WAIT, max(0.0, waited), claim.tool_id)
    return claim


def counts(session: Session, claim: Claim) -> Counts:
    """The row's own counts, and its lock: what the claim knew at its start may be of an earlier step.

    Raises:
        ClaimLost: the row is not ours any more.
    """
    moves.lock_parent(session, claim.parent_id)
    row = session.execute(
        select(Task.hiccups, Task.crashes).where(*_mine(claim)).with_for_update(key_share=True)
    ).one_or_none()
    if row is None:
        raise ClaimLost
    return Counts(row.hiccups, row.crashes)


def was_cancelled(session: Session, claim: Claim) -> bool:
    """Of a claim that is lost: whether by its customer's wish. Else another worker has the task, or had it."""
    return session.scalar(select(Task.status).where(Task.id == claim.task_id)) == TaskStatus.CANCELLED


# Whose turn it is may be forgotten in a crash of PostgreSQL: the next checkpoint says it again.
_BEGIN = Prebuilt(f"""
    WITH finished AS (SELECT agent_id FROM task_steps WHERE task_id = :task_id),
    begun AS (
        UPDATE tasks SET current_agent = (
            SELECT step.id FROM unnest(CAST(:steps AS varchar[])) WITH ORDINALITY step(id, number)
            WHERE step.id NOT IN (SELECT agent_id FROM finished) ORDER BY number LIMIT 1)
        WHERE id = :task_id AND epoch = :epoch AND status = 'PROCESSING'
        RETURNING id)
    SELECT EXISTS (SELECT FROM finished), {MAY_BE_FORGOTTEN} FROM begun
""")  # noqa: S608 (our own words only)


def begin_steps(session: Station, claim: Claim, steps: Sequence[str]) -> bool:
    """Say whose turn it is, for those who watch: the first that is not finished. True where some are finished.

    No event: the step's own will tell.

    Raises:
        ClaimLost: the row is not ours any more.
    """
    values = {"task_id": claim.task_id, "epoch": claim.epoch, "steps": list(steps)}
    begun = _BEGIN.first(session, values)
    if begun is None:
        raise ClaimLost
    return bool(begun[0])


# A few words a second while an answer is being written, so one round trip. They are owed to nobody.
_TELL = Prebuilt("""
    WITH mine AS (
        UPDATE tasks SET last_event = last_event + 1
        WHERE id = :task_id AND epoch = :epoch AND status = 'PROCESSING'
        RETURNING id, last_event)
    INSERT INTO task_events (task_id, seq, kind, data)
    SELECT id, last_event, 'text', CAST(:data AS jsonb) FROM mine
    RETURNING seq
""")


def tell(session: Station, claim: Claim, data: Mapping[str, Any]) -> int:
    """A few words to those who follow the task; no webhook carries them. The number of their event.

    Raises:
        ClaimLost: the row is not ours any more.
    """
    values = {"task_id": claim.task_id, "epoch": claim.epoch, "data": json.dumps(dict(data))}
    told = _TELL.first(session, values)
    if told is None:
        raise ClaimLost(detail=f"epoch {claim.epoch} does not own task {claim.task_id}")
    return int(told[0])


def _mine(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    """The fence's words: the row, if it is still this claim's."""
    return Task.id == claim.task_id, Task.epoch == claim.epoch, Task.status == TaskStatus.PROCESSING


def _claim_on(task_id: uuid.UUID, user_id: int, tool_id: str, epoch: int, agents: Sequence[str], *others: Any) -> Claim:
    parameters, inputs, prices, queue, *rest = others
    return Claim(task_id, user_id, tool_id, epoch, tuple(agents), parameters, inputs, prices, Queue(queue), *rest)
