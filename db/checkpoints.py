"""A finished step, in one statement: fence, checkpoint, capture, progress and event (ADMISSION.md).

The artifact is in storage before its row is, or lies in the row; a row is the proof that the step was delivered.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, null, select, update
from sqlalchemy.orm import Session, defer

from backend.errors import ClaimLost
from db import ledger
from db.claims import Claim
from db.events import FAN_OUT, EventKind
from db.models import StepStatus, TaskStep
from db.prebuilt import Prebuilt, Station

DETAIL_KEPT = 10_000  # characters of what is ours to know: a traceback, or where an agent's threads stood


@dataclass(frozen=True)  # without slots: what it holds is what its statement is given
class Checkpoint:
    """One agent's finished turn. One that FAILED (an optional agent's own failure) or was SKIPPED costs nothing."""

    agent_id: str
    status: StepStatus
    fingerprint: str
    duration_ms: int
    inline: str | None = None  # a small artifact itself, as JSON
    artifact_key: str | None = None
    artifact_size: int | None = None
    artifact_sha256: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    error_detail: str | None = None  # ours; never in a response
    peak_memory_bytes: int | None = None


_RECORD = Prebuilt(f"""
    WITH t AS (
        UPDATE tasks
        SET last_event = last_event + 1, progress = greatest(progress, :progress), current_agent = :next_agent,
            hiccups = 0, crashes = 0, losses = 0,
            run_seconds = run_seconds + extract(epoch FROM clock_timestamp() - claimed_at),
            claimed_at = clock_timestamp()
        WHERE id = :task_id AND epoch = :epoch AND status = 'PROCESSING'
        RETURNING id, user_id, coalesce(parent_id, id) AS root_id, last_event),
    checkpoint AS (
        INSERT INTO task_steps (task_id, agent_id, epoch, status, fingerprint, duration_ms, inline, artifact_key,
            artifact_size, artifact_sha256, error_code, error_message, error_detail, peak_memory_bytes)
        SELECT t.id, :agent_id, :epoch, :status, :fingerprint, :duration_ms, CAST(:inline AS jsonb), :artifact_key,
            :artifact_size, :artifact_sha256, :error_code, :error_message, :error_detail, :peak_memory_bytes FROM t
        ON CONFLICT (task_id, agent_id) DO UPDATE SET
            epoch = excluded.epoch, status = excluded.status, fingerprint = excluded.fingerprint,
            duration_ms = excluded.duration_ms, inline = excluded.inline, artifact_key = excluded.artifact_key,
            artifact_size = excluded.artifact_size, artifact_sha256 = excluded.artifact_sha256,
            error_code = excluded.error_code, error_message = excluded.error_message,
            error_detail = excluded.error_detail, peak_memory_bytes = excluded.peak_memory_bytes,
            finished_at = clock_timestamp()
        WHERE NOT (task_steps.status = 'DELIVERED' AND excluded.status <> 'DELIVERED')),  -- it was paid for
    capture AS (
        INSERT INTO credit_entries (user_id, task_id, agent_id, kind, amount)
        SELECT t.user_id, t.root_id, :agent_id, 'CAPTURE', CAST(:amount AS bigint) FROM t
        WHERE CAST(:amount AS bigint) > 0
        ON CONFLICT (task_id, agent_id, kind) DO NOTHING
        RETURNING amount),
    rest AS (
        INSERT INTO credit_entries (user_id, task_id, agent_id, kind, amount)
        SELECT t.user_id, t.root_id, :agent_id, 'RELEASE', CAST(:rest AS bigint) FROM t
        WHERE CAST(:rest AS bigint) > 0
        ON CONFLICT (task_id, agent_id, kind) DO NOTHING
        RETURNING user_id, amount),
    wallet AS (
        UPDATE credit_wallets w SET balance = w.balance + rest.amount FROM rest WHERE w.user_id = rest.user_id),
    event AS (
        INSERT INTO task_events (task_id, seq, kind, data)
        SELECT t.id, t.last_event, :kind, CAST(:data AS jsonb) FROM t
        RETURNING task_id, seq, kind),
    fan_out AS ({FAN_OUT})
    SELECT coalesce((SELECT amount FROM capture), 0), coalesce((SELECT amount FROM rest), 0) FROM t
""")  # noqa: S608 (our own words only)


_TOLD_AS = {
    StepStatus.DELIVERED: EventKind.STEP_DELIVERED,
    StepStatus.FAILED: EventKind.STEP_FAILED,
    StepStatus.SKIPPED: EventKind.STEP_SKIPPED,
}


def record(
    session: Station,
    claim: Claim,
    checkpoint: Checkpoint,
    *,
    amount: int,
    progress: float,
    next_agent: str | None,
    rest: int = 0,
) -> None:
    """Write a step down and capture `amount` credits for it; at most once, however often it is asked.

    `rest` is what a step that is paid by use leaves of its hold: it goes back to the wallet here and now.

    Raises:
        ClaimLost: the claim is not ours any more; nothing was written.
    """
    delivered = checkpoint.status == StepStatus.DELIVERED
    charged = amount if delivered else 0
    told: dict[str, Any] = {"agent_id": checkpoint.agent_id, "progress": progress, "credits": charged}
    if not delivered:
        told |= {"error_code": checkpoint.error_code, "message": checkpoint.error_message}
    row = _RECORD.first(
        session,
        vars(checkpoint)
        | {
            "task_id": claim.task_id,
            "epoch": claim.epoch,
            "amount": charged,
            "rest": rest if delivered else 0,
            "progress": progress,
            "next_agent": next_agent,
            "kind": _TOLD_AS[checkpoint.status],
            "data": json.dumps(told),
        },
    )
    if row is None:
        raise ClaimLost
    ledger.note_amounts(session, *row)


def forget_small_artifacts(session: Session, task_ids: Sequence[uuid.UUID]) -> None:
    """With the outputs of their tasks go the artifacts that lie in rows."""
    lying = TaskStep.task_id.in_(task_ids) & TaskStep.inline.is_not(None)
    session.execute(update(TaskStep).where(lying).values(inline=null()))


def of_task(session: Session, task_id: uuid.UUID) -> Mapping[str, TaskStep]:
    """The finished steps by agent."""
    rows: Sequence[TaskStep] = session.scalars(_of_task(task_id)).all()
    return {row.agent_id: row for row in rows}


def without_artifacts(session: Session, task_id: uuid.UUID) -> Mapping[str, TaskStep]:
    """The same for who asks often, and only how they ended: a small artifact may be 32 KiB."""
    rows = session.scalars(_of_task(task_id).options(defer(TaskStep.inline, raiseload=True))).all()
    return {row.agent_id: row for row in rows}


def _of_task(task_id: uuid.UUID) -> Select[TaskStep]:
    return select(TaskStep).where(TaskStep.task_id == task_id).order_by(TaskStep.finished_at)
