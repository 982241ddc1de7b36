"""Rows for tests, each written by the product's own functions and committed: a customer, a task at each station of
its life. They use whatever database is bound to `db.database`.
"""

import itertools
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from db import accounts, checkpoints, children, claims, events, task_store, workers
from db.checkpoints import Checkpoint
from db.children import ChildTask
from db.claims import Claim
from db.database import transaction
from db.models import CLOCK, Lane, StepStatus, Task
from db.task_store import Submission
from db.workers import WorkerIdentity

TOOL = "profile-my-data"
PRICES: Mapping[str, int] = {"unified-profiler": 30, "score-risk": 20, "readiness-rater": 10}
LEASE = timedelta(seconds=30)  # long enough for a test that stands still for a while

_numbers = itertools.count(1)


def customer(credits: int = 1000, *, weight: float = 1.0, cap: int = 1000) -> int:  # noqa: A002 (the field's word)
    """A customer with a wallet of `credits` and a lane; the user's id."""
    with transaction() as session:
        user = accounts.register(session, f"customer-{next(_numbers)}@example.org", "no hash", credits)
        session.execute(update(Lane).where(Lane.user_id == user.id).values(weight=weight, cap=cap))
        return user.id


def created_task(user_id: int | None = None, **columns: Any) -> Task:
    """A task in CREATED; `columns` are set on its row."""
    with transaction() as session:
        owner = user_id or customer()
        task = task_store.create(session, owner, TOOL, list(PRICES), {})
    return change(task.id, **columns) if columns else task


def submitted_task(
    user_id: int | None = None, *, prices: Mapping[str, int] = PRICES, cost: float = 1.0, **columns: Any
) -> Task:
    """A task in QUEUED whose prices are held; nobody has admitted it yet."""
    task = created_task(user_id, **columns)
    with transaction() as session:
        return task_store.submit(session, task, Submission(list(prices), prices, {}, cost))


def admitted_task(user_id: int | None = None, *, prices: Mapping[str, int] = PRICES, **columns: Any) -> Task:
    """A task in QUEUED that a worker may claim, still to be rung."""
    task = submitted_task(user_id, prices=prices, **columns)
    return change(task.id, admitted_at=CLOCK, ring_wanted=True)


def claimed_task(
    user_id: int | None = None,
    *,
    prices: Mapping[str, int] = PRICES,
    worker: uuid.UUID | None = None,
    lease: timedelta = LEASE,
    **columns: Any,
) -> Claim:
    """A task in PROCESSING, and the right to work on it."""
    return claim(admitted_task(user_id, prices=prices, **columns), worker=worker, lease=lease)


def claim(task: Task, *, worker: uuid.UUID | None = None, lease: timedelta = LEASE) -> Claim:
    """The right to work on an admitted task; it must be free."""
    with transaction() as session:
        taken = claims.take(session, task.id, task.user_id, worker or uuid.uuid4(), lease)
    assert taken is not None, f"{read(task.id).status} could not be claimed"
    return taken


def deliver(
    claim: Claim, agent_id: str, *, amount: int | None = None, progress: float = 50.0, inline: str | None = None
) -> None:
    """One agent's checkpoint and its capture; the amount is the held price unless given."""
    step = delivered_step(agent_id)
    if inline is not None:
        step = replace(step, inline=inline, artifact_key=None, artifact_size=None, artifact_sha256=None)
    price = claim.prices.get(agent_id, 0) if amount is None else amount
    with transaction() as session:
        checkpoints.record(session, claim, step, amount=price, progress=progress, next_agent=None)


def delivered_step(agent_id: str) -> Checkpoint:
    return Checkpoint(
        agent_id=agent_id,
        status=StepStatus.DELIVERED,
        fingerprint="f" * 64,
        duration_ms=12,
        artifact_key=f"steps/{agent_id}/result.json",
        artifact_size=2,
        artifact_sha256="0" * 64,
    )


def failed_step(agent_id: str) -> Checkpoint:
    return Checkpoint(
        agent_id=agent_id,
        status=StepStatus.FAILED,
        fingerprint="f" * 64,
        duration_ms=12,
        error_code="BAD_PARAMETERS",
        error_message="A parameter is not valid.",
        error_detail="where it was",
    )


def waiting_parent(
    user_id: int | None = None, *, children_count: int = 2, prices: Mapping[str, int] = PRICES
) -> tuple[Claim, list[Task]]:
    """A parent in WAITING (its spent claim) and its queued children, in order."""
    parent = claimed_task(user_id, prices=prices)
    with transaction() as session:
        wanted = [ChildTask(agents=list(prices)) for _ in range(children_count)]
        ids = children.add_children(session, parent.task_id, parent.epoch, wanted)
    return parent, [read(child_id) for child_id in ids]


def claimed_child(child: Task) -> Claim:
    """The right to work on a child that a round would have admitted."""
    return claim(change(child.id, admitted_at=CLOCK))


def live_worker(
    slots: int = 2, queues: tuple[str, ...] = ("default",), *, memory_bytes: int = 1_000_000_000
) -> WorkerIdentity:
    """A worker that has just checked in."""
    identity = WorkerIdentity(
        boot_uuid=uuid.uuid4(),
        host="test-host",
        pid=next(_numbers),
        pool="solo",
        slots=slots,
        memory_bytes=memory_bytes,
        queues=queues,
        tools=(TOOL,),
        code_version="test",
    )
    with transaction() as session:
        workers.check_in(session, identity)
    return identity


def change(task_id: uuid.UUID, **columns: Any) -> Task:
    """Set columns of a row behind the product's back: a lease that ran out, a ring long ago."""
    with transaction() as session:
        changed = update(Task).where(Task.id == task_id).values(**columns).returning(Task)
        return session.scalars(changed).one()


def read(task_id: uuid.UUID) -> Task:
    """The row as it is now."""
    with transaction() as session:
        return session.get_one(Task, task_id)


def sql_now() -> datetime:
    """The database's clock."""
    with transaction() as session:
        return session.execute(select(CLOCK)).scalar_one()


def story(task_id: uuid.UUID) -> list[str]:
    """The kinds of a task's events, in order; their numbers must have no gap."""
    with transaction() as session:
        told = events.after(session, task_id, 0)
        assert [event.seq for event in told] == list(range(1, len(told) + 1))
        assert session.get_one(Task, task_id).last_event == len(told)
    return [event.kind for event in told]
