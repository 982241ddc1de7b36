"""Live workers, their slots and their beats.

A worker's identity is a boot uuid, never reused. A beat is one UPDATE for all claims of a process; it brings back
which claims are gone, and whether the worker is to drain.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, literal_column, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from db.database import MAY_BE_FORGOTTEN
from db.models import CLOCK, Queue, TaskStatus, Worker


@dataclass(frozen=True, slots=True)
class WorkerIdentity:
    """Who a worker is and what it can do."""

    boot_uuid: uuid.UUID
    host: str
    pid: int
    pool: str
    slots: int
    memory_bytes: int  # that one agent may use
    queues: tuple[str, ...]
    tools: tuple[str, ...]
    code_version: str


ClaimKey = tuple[uuid.UUID, int]  # task and epoch: a frozen process may hold a lost claim and its successor at once


@dataclass(frozen=True, slots=True)
class Pulse:
    """One claim's part of a beat: still at work, this far (0..100), with so much memory at the agent's."""

    task_id: uuid.UUID
    epoch: int
    progress: float
    memory_bytes: int = 0

    @property
    def key(self) -> ClaimKey:
        return self.task_id, self.epoch


@dataclass(frozen=True, slots=True)
class BeatAnswer:
    """What a beat brings back: the claims that were cancelled or lost, and whether to drain."""

    cancelled: frozenset[ClaimKey]
    lost: frozenset[ClaimKey]
    draining: bool


def check_in(session: Session, worker: WorkerIdentity) -> None:
    """Say that the worker lives; the first time, that it is there. Draining is not undone by it.

    What a crash of PostgreSQL forgets of it is said again within a second.
    """
    row = {
        "boot_uuid": worker.boot_uuid,
        "host": worker.host,
        "pid": worker.pid,
        "pool": worker.pool,
        "slots": worker.slots,
        "memory_bytes": worker.memory_bytes,
        "queues": list(worker.queues),
        "tools": list(worker.tools),
        "code_version": worker.code_version,
    }
    said = upsert(Worker).values(**row).on_conflict_do_update(index_elements=["boot_uuid"], set_={"seen_at": CLOCK})
    session.execute(said.returning(literal_column(MAY_BE_FORGOTTEN)))


def start_draining(session: Session, boot_uuid: uuid.UUID) -> None:
    """No new task comes to this worker; those it has are to reach a checkpoint and be handed back."""
    session.execute(update(Worker).where(Worker.boot_uuid == boot_uuid).values(draining=True))


def check_out(session: Session, boot_uuid: uuid.UUID) -> None:
    """The worker leaves the house."""
    session.execute(delete(Worker).where(Worker.boot_uuid == boot_uuid))


def forget_dead(session: Session, silent_for: timedelta) -> None:
    """Remove the rows of workers that never said goodbye."""
    session.execute(delete(Worker).where(Worker.seen_at < CLOCK - silent_for))


def live(session: Session, lease: timedelta) -> Sequence[Worker]:
    """The workers seen within a lease."""
    return session.scalars(select(Worker).where(Worker.seen_at > CLOCK - lease).order_by(Worker.started_at)).all()


def roomier(session: Session, than_bytes: int, lease: timedelta) -> bool:
    """True where a live worker takes high-memory tasks and gives an agent more than `than_bytes`."""
    offered = select(Worker.boot_uuid).where(
        Worker.seen_at > CLOCK - lease,
        Worker.draining.is_(False),
        Worker.queues.any_() == Queue.HIGH_MEMORY,
        Worker.memory_bytes > than_bytes,
    )
    return session.scalar(offered.limit(1)) is not None


def slots_for(session: Session, queue: str, tool_id: str, lease: timedelta) -> int:
    """Of all workers that may get such a task."""
    slots = select(func.coalesce(func.sum(Worker.slots), 0)).where(
        Worker.seen_at > CLOCK - lease,
        Worker.draining.is_(False),
        Worker.queues.any_() == queue,
        Worker.tools.any_() == tool_id,
    )
    return session.scalar(slots) or 0


def memory_given(session: Session, queue: str, tool_id: str, lease: timedelta) -> int | None:
    """Bytes that an agent may use on the least roomy of the workers that may get the task; None where there is none."""
    given = select(func.min(Worker.memory_bytes)).where(
        Worker.seen_at > CLOCK - lease,
        Worker.draining.is_(False),
        Worker.queues.any_() == queue,
        Worker.tools.any_() == tool_id,
    )
    return session.scalar(given)


_BEAT = text("""
    WITH mine AS (
        SELECT t.id, pulse.progress, pulse.memory_bytes
        FROM tasks t
        JOIN unnest(CAST(:ids AS uuid[]), CAST(:epochs AS int[]), CAST(:progress AS real[]), CAST(:memory AS bigint[]))
            pulse (id, epoch, progress, memory_bytes) ON t.id = pulse.id AND t.epoch = pulse.epoch
        WHERE t.status = 'PROCESSING'
        FOR NO KEY UPDATE OF t SKIP LOCKED)
    UPDATE tasks t
    SET lease_until = clock_timestamp() + :lease, progress = greatest(t.progress, least(mine.progress, 100)),
        memory_bytes = mine.memory_bytes
    FROM mine WHERE t.id = mine.id
    RETURNING t.id, t.epoch
""")
_STATES = text("SELECT id, epoch, status FROM tasks WHERE id = ANY(:ids)")


def beat(session: Session, boot_uuid: uuid.UUID, pulses: Sequence[Pulse], lease: timedelta) -> BeatAnswer:
    """Renew the leases of all claims of a process, and learn what became of them.

    A row that somebody holds right now is skipped, not waited for: one slow station must not cost the others their
    lease.
    """
    session.execute(text("SET LOCAL synchronous_commit = off"))
    draining = session.scalar(select(Worker.draining).where(Worker.boot_uuid == boot_uuid))
    renewed = _renew(session, pulses, lease) if pulses else set()
    missed = [pulse for pulse in pulses if pulse.key not in renewed]
    cancelled, lost = _what_became_of(session, missed) if missed else (frozenset(), frozenset())
    return BeatAnswer(cancelled=cancelled, lost=lost, draining=bool(draining))


def _renew(session: Session, pulses: Sequence[Pulse], lease: timedelta) -> set[ClaimKey]:
    values = {
        "ids": [pulse.task_id for pulse in pulses],
        "epochs": [pulse.epoch for pulse in pulses],
        "progress": [pulse.progress for pulse in pulses],
        "memory": [pulse.memory_bytes for pulse in pulses],
        "lease": lease,
    }
    return {(row.id, row.epoch) for row in session.execute(_BEAT, values)}


def _what_became_of(session: Session, missed: Sequence[Pulse]) -> tuple[frozenset[ClaimKey], frozenset[ClaimKey]]:
    states = {row.id: row for row in session.execute(_STATES, {"ids": [pulse.task_id for pulse in missed]})}
    gone = [
        pulse
        for pulse in missed
        if (row := states.get(pulse.task_id)) is None or row.epoch != pulse.epoch or row.status != TaskStatus.PROCESSING
    ]
    ended = {task_id for task_id, row in states.items() if row.status == TaskStatus.CANCELLED}
    cancelled = frozenset(pulse.key for pulse in gone if pulse.task_id in ended)
    return cancelled, frozenset(pulse.key for pulse in gone) - cancelled
