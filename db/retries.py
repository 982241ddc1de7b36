"""Retries: a new task that repeats one that has ended, takes over its finished steps and pays only for the rest.

The old row is not touched: terminal is terminal (DESIGN §5.1). The first task of its line is only locked, so that two
who ask make one, whichever of the line they name.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, insert, literal, select, text, tuple_, update
from sqlalchemy.orm import Session, aliased

from backend import traces
from backend.errors import InvalidTaskState, ResultsExpired
from db import items, retention, task_store
from db.models import CLOCK, StepStatus, Task, TaskStatus, TaskStep
from db.retention import Kept
from db.task_store import Submission

EARLIER_TASK = 0  # the epoch of a step that was taken over; claims count from 1


@dataclass(frozen=True, slots=True)
class Resubmission:
    """What a retry begins with: the submission, the agents whose steps it takes over, and their share in percent."""

    retry_of: uuid.UUID
    submission: Submission
    taken_over: Sequence[str]
    progress: float

    @property
    def credits_to_hold(self) -> int:
        return sum(self.submission.prices.values())


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which ended tasks an operator means; None: any. Times are of the end."""

    status: TaskStatus = TaskStatus.FAILED
    error_code: str | None = None
    tool_id: str | None = None
    user_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


def create(
    session: Session, user_id: int, wanted: Resubmission, kept: Kept, *, only_if_never_retried: bool = False
) -> Task:
    """The retry, queued, in the lane of its customer.

    Raises:
        TaskNotFound: the old task was deleted meanwhile.
        InvalidTaskState: it is repeated already; `retry_id` in the context names the task that does or did.
        ResultsExpired: its files are not kept any longer.
        InsufficientCredits: nothing is held and nothing is made.
    """
    session.execute(_LOCK_THE_FIRST, {"id": wanted.retry_of})
    original = task_store.get(session, wanted.retry_of, user_id, lock=True)
    check_possible(session, original, kept, only_if_never_retried=only_if_never_retried)
    asked = wanted.submission
    traces.current_span().link(original.traceparent)
    task = task_store.create(
        session, user_id, original.tool_id, asked.agents, original.parameters,
        priority=original.priority, retry_of=original.id,
    )  # fmt: skip
    _take_over(session, original.id, task.id, wanted.taken_over)
    if original.items:
        items.take_over(session, original.id, task.id)
    session.execute(update(Task).where(Task.id == task.id).values(progress=wanted.progress))
    return task_store.submit(session, task, asked)


def check_possible(session: Session, original: Task, kept: Kept, *, only_if_never_retried: bool = False) -> None:
    """Whoever holds the locks of `create` may rely on it. Raises InvalidTaskState, ResultsExpired as that."""
    _check_not_repeated(session, original)
    if only_if_never_retried:
        any_retry = select(Task.id).where(Task.retry_of == original.id).limit(1)
        if (retry_id := session.scalar(any_retry)) is not None:
            raise InvalidTaskState("The task has a retry already.", retry_id=str(retry_id))
    if retention.inputs_are_gone(session, original, kept):
        raise ResultsExpired


# A task that was retried, its retries and theirs are one line; what one of them delivers, another must not be paid for.
_ABOVE = """
    WITH RECURSIVE above(id, retry_of) AS (
        SELECT id, retry_of FROM tasks WHERE id = :id
        UNION ALL
        SELECT t.id, t.retry_of FROM tasks t JOIN above ON t.id = above.retry_of)
"""
_LOCK_THE_FIRST = text(f"""{_ABOVE}
    SELECT id FROM tasks WHERE id = (SELECT id FROM above WHERE retry_of IS NULL) FOR NO KEY UPDATE
""")  # noqa: S608 (our own words only)
# A deleted retry is out of its customer's sight: who has thrown the result away may pay for it anew.
_REPEATED = text(f"""{_ABOVE}, line(id) AS (
        SELECT id FROM above WHERE retry_of IS NULL
        UNION ALL
        SELECT t.id FROM tasks t JOIN line ON t.retry_of = line.id)
    SELECT id, finished_at FROM tasks JOIN line USING (id)
    WHERE id <> :id AND deleted_at IS NULL AND (finished_at IS NULL OR outcome = 'success')
    ORDER BY finished_at NULLS FIRST LIMIT 1
""")  # noqa: S608 (the same)


# A batch's retry begins with the items of the one task that it repeats: another way would pay for some of them twice.
_WENT_FURTHER = text("""
    WITH RECURSIVE below(id) AS (
        SELECT id FROM tasks WHERE retry_of = :id
        UNION ALL
        SELECT t.id FROM tasks t JOIN below ON t.retry_of = below.id)
    SELECT id FROM tasks JOIN below USING (id) WHERE deleted_at IS NULL AND items_ok > :items_ok
    ORDER BY items_ok DESC, created_at DESC LIMIT 1
""")


def _check_not_repeated(session: Session, original: Task) -> None:
    repeated = session.execute(_REPEATED, {"id": original.id}).one_or_none()
    if repeated is not None:
        how = "is under way" if repeated.finished_at is None else "has completed"
        raise InvalidTaskState(f"A retry of this task {how} already.", retry_id=str(repeated.id))
    if original.items:
        further = session.scalar(_WENT_FURTHER, {"id": original.id, "items_ok": original.items_ok})
        if further is not None:
            raise InvalidTaskState(
                "A retry of this task has finished more of its items; retry that.", retry_id=str(further)
            )


_COPIED = (
    "agent_id", "status", "fingerprint", "inline", "artifact_key", "artifact_size", "artifact_sha256", "duration_ms",
    "peak_memory_bytes", "finished_at",
)  # fmt: skip


def _take_over(session: Session, old: uuid.UUID, new: uuid.UUID, agents: Sequence[str]) -> None:
    columns = [TaskStep.__table__.c[name] for name in _COPIED]
    delivered = select(literal(new), literal(EARLIER_TASK), *columns).where(
        TaskStep.task_id == old, TaskStep.agent_id.in_(agents), TaskStep.status == StepStatus.DELIVERED
    )
    session.execute(insert(TaskStep).from_select(["task_id", "epoch", *_COPIED], delivered))


def now(session: Session) -> datetime:
    """The clock by which tasks end."""
    return session.execute(select(CLOCK)).scalar_one()


def never_retried(session: Session, wanted: Wanted, after: Task | None = None, limit: int = 50) -> Sequence[Task]:
    """The tasks that were submitted, ended so, have files left and no retry yet; the first that ended comes first.

    By keyset: `after` is the last task of the page before.
    """
    retry = aliased(Task)
    chosen = select(Task).where(
        *_conditions(wanted),
        Task.finished_at.is_not(None), Task.outputs_cleaned_at.is_(None),  # an index has these two
        Task.queued_at.is_not(None), Task.parent_id.is_(None), Task.deleted_at.is_(None),
        ~exists().where(retry.retry_of == Task.id),
    )  # fmt: skip
    if after is not None:
        chosen = chosen.where(tuple_(Task.finished_at, Task.id) > (after.finished_at, after.id))
    return session.scalars(chosen.order_by(Task.finished_at, Task.id).limit(limit)).all()


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    yield Task.status == wanted.status
    for column, value in (
        (Task.error_code, wanted.error_code), (Task.tool_id, wanted.tool_id), (Task.user_id, wanted.user_id),
    ):  # fmt: skip
        if value is not None:
            yield column == value
    if wanted.since is not None:
        yield Task.finished_at >= wanted.since
    if wanted.until is not None:
        yield Task.finished_at < wanted.until
