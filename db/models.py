"""The rows: what is remembered, and which states a task may pass through.

The task's row is the truth (DESIGN §5.1). Times are written by the database's own clock.
"""

import uuid
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    MetaData,
    String,
    UniqueConstraint,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REAL
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from db.queue_names import Queue as Queue  # noqa: PLC0414 (its readers know it from here)

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
CLOCK = func.clock_timestamp(type_=DateTime(timezone=True))
NOW = select(CLOCK).scalar_subquery()  # read once a statement, so that an index answers what is compared with it
FALSE = text("false")
ZERO = text("0")


class TaskStatus(StrEnum):
    CREATED = "CREATED"
    QUEUED = "QUEUED"
    PROCESSING = "PROCESSING"
    WAITING = "WAITING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


MOVES = MappingProxyType(
    {
        TaskStatus.CREATED: frozenset({TaskStatus.QUEUED, TaskStatus.CANCELLED, TaskStatus.EXPIRED}),
        TaskStatus.QUEUED: frozenset({TaskStatus.PROCESSING, TaskStatus.CANCELLED}),
        TaskStatus.PROCESSING: frozenset(
            {TaskStatus.QUEUED, TaskStatus.WAITING, TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELLED}
        ),
        TaskStatus.WAITING: frozenset({TaskStatus.QUEUED, TaskStatus.CANCELLED}),
        TaskStatus.COMPLETED: frozenset(),
        TaskStatus.FAILED: frozenset(),
        TaskStatus.CANCELLED: frozenset(),
        TaskStatus.EXPIRED: frozenset(),
    }
)
TERMINAL = frozenset(status for status, onward in MOVES.items() if not onward)


def sources_of(target: TaskStatus) -> list[TaskStatus]:
    """The states from which a task may move to `target`."""
    return [status for status, onward in MOVES.items() if target in onward]


class StepStatus(StrEnum):
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"  # what it depends on failed


class EntryKind(StrEnum):
    GRANT = "GRANT"
    HOLD = "HOLD"
    CAPTURE = "CAPTURE"
    RELEASE = "RELEASE"


class Scope(StrEnum):
    """What a program may do with an API key; each may what those before it may."""

    READ = "read"
    RUN = "run"
    MANAGE = "manage"

    def covers(self, other: "Scope") -> bool:
        ladder = list(Scope)
        return ladder.index(self) >= ladder.index(other)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy's own contract)
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[str]: ARRAY(String),
    }


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)  # lower case
    password_hash: Mapped[str]
    role: Mapped[str] = mapped_column(server_default="customer")
    sign_in_generation: Mapped[int] = mapped_column(server_default=ZERO)  # raised: older access tokens end
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK)

    __table_args__ = (CheckConstraint("role IN ('customer', 'admin')", name="role"),)


class ApiKey(Base):
    """A key is shown once; what is kept is its SHA-256, found by its prefix."""

    __tablename__ = "api_keys"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str]
    prefix: Mapped[str] = mapped_column(unique=True)
    key_hash: Mapped[str]
    scope: Mapped[str] = mapped_column(server_default=Scope.MANAGE)
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK)
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]  # to the hour
    revoked_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("scope IN ('read', 'run', 'manage')", name="scope"),)


class SignInTry(Base):
    """How often somebody failed to sign in of late; `who` is a keyed digest, of an account, a network, or both."""

    __tablename__ = "sign_in_tries"

    who: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[float] = mapped_column(server_default=ZERO)  # falls as time goes by
    open_at: Mapped[datetime] = mapped_column(server_default=CLOCK)  # before, nobody may try
    tried_at: Mapped[datetime] = mapped_column(server_default=CLOCK, index=True)
    known_until: Mapped[datetime] = mapped_column(server_default=text("to_timestamp(0)"))  # the password was right

    __table_args__ = ({"postgresql_with": {"fillfactor": 70}},)


class RefreshToken(Base):
    """One link in a chain of refresh tokens; using a link that was spent a while ago ends its whole family."""

    __tablename__ = "refresh_tokens"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    family: Mapped[uuid.UUID] = mapped_column(index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    spent_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK)


class IdempotencyKey(Base):
    """What a request with this key answered; `response` is null while it is in flight."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    status_code: Mapped[int | None]
    response: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK, index=True)

    __table_args__ = (Index("ix_idempotency_keys_of_task", "user_id", text("(response ->> 'task_id')")),)


WAITING = "status = 'QUEUED' AND admitted_at IS NULL AND not_before IS NULL"
BUSY = "status = 'PROCESSING' OR (status = 'QUEUED' AND admitted_at IS NOT NULL)"
RUNG = "status = 'QUEUED' AND admitted_at IS NOT NULL"
LATER = "status = 'QUEUED' AND not_before IS NOT NULL"
INPUTS_KEPT = "finished_at IS NOT NULL AND inputs_cleaned_at IS NULL"
OUTPUTS_KEPT = "finished_at IS NOT NULL AND outputs_cleaned_at IS NULL"
DELETED = "deleted_at IS NOT NULL AND outputs_cleaned_at IS NULL"
# By agents of ours, whose memory is watched: what waited for a model says nothing of paces.
COMPUTED = "status = 'DELIVERED' AND peak_memory_bytes IS NOT NULL"
UPLOADS_LEFT_OPEN = f"{INPUTS_KEPT} AND jsonb_path_exists(inputs, '$.*[*].\"upload_id\"')"


class Task(Base):
    """A customer's task.

    `lease_until` must stay out of every index: then a beat is a HOT update (ADMISSION.md). `sort_at` is the time of
    queueing less the priority's head start, so that waiting tasks age by themselves. `run_seconds` is the running
    time up to `claimed_at`, which is that of the claim or of its last checkpoint. `hiccups`, `crashes` and `losses`
    count at one step: a checkpoint sets them to 0.
    """

    __tablename__ = "tasks"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    parent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("tasks.id"))
    open_children: Mapped[int] = mapped_column(server_default=ZERO)
    first_item: Mapped[int] = mapped_column(server_default=ZERO)  # of a child: the position of its first
    items: Mapped[int] = mapped_column(server_default=ZERO)  # of a batch or a child: how many; below, those that ended
    items_ok: Mapped[int] = mapped_column(server_default=ZERO)
    items_failed: Mapped[int] = mapped_column(server_default=ZERO)
    retry_of: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("tasks.id"))
    tool_id: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=TaskStatus.CREATED)

    agents: Mapped[list[str]]  # the steps to run, in running order
    parameters: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    prices: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # agent → credits, at submit
    tariffs: Mapped[dict[str, Any]] = mapped_column(
        server_default=text("'{}'")
    )  # of agents paid by use; price: the most
    inputs: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # role → [{filename, key, size, …}]

    celery_task_id: Mapped[uuid.UUID | None]
    queue: Mapped[str] = mapped_column(server_default=Queue.DEFAULT)
    cost: Mapped[float] = mapped_column(REAL, server_default=text("1"))  # expected slot-seconds
    priority: Mapped[int] = mapped_column(server_default=ZERO)
    sort_at: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    admitted_at: Mapped[datetime | None]
    ring_wanted: Mapped[bool] = mapped_column(server_default=FALSE)
    rung_at: Mapped[datetime | None]
    rings: Mapped[int] = mapped_column(server_default=ZERO)

    epoch: Mapped[int] = mapped_column(server_default=ZERO)
    worker: Mapped[uuid.UUID | None]  # boot uuid of the claim's worker
    claimed_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    run_seconds: Mapped[float] = mapped_column(server_default=ZERO)
    hiccups: Mapped[int] = mapped_column(server_default=ZERO)
    crashes: Mapped[int] = mapped_column(server_default=ZERO)
    losses: Mapped[int] = mapped_column(server_default=ZERO)

    last_event: Mapped[int] = mapped_column(server_default=ZERO)
    progress: Mapped[float] = mapped_column(REAL, server_default=ZERO)  # 0..100, never goes down
    memory_bytes: Mapped[int | None] = mapped_column(BigInteger)  # of its agent's process, at the last beat
    current_agent: Mapped[str | None]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    next_action: Mapped[str | None]
    error_detail: Mapped[str | None]  # ours; never in a response
    recoverable: Mapped[bool | None]
    outcome: Mapped[str | None]  # success | partial, of a COMPLETED task
    manifest_key: Mapped[str | None]
    traceparent: Mapped[str | None]  # of the submit, as W3C writes it: every run goes on with that trace

    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK)
    queued_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]  # of the first claim
    finished_at: Mapped[datetime | None]
    inputs_cleaned_at: Mapped[datetime | None]  # retention: what the customer uploaded is gone
    outputs_cleaned_at: Mapped[datetime | None]  # everything in storage is gone
    deleted_at: Mapped[datetime | None]  # by its customer, for whom it is a 404 from then on

    __table_args__ = (
        CheckConstraint(f"status IN ({', '.join(repr(s.value) for s in TaskStatus)})", name="status"),
        CheckConstraint("progress BETWEEN 0 AND 100", name="progress"),
        CheckConstraint("open_children >= 0", name="open_children"),
        Index(
            "ix_tasks_waiting",
            "queue",
            "user_id",
            "sort_at",
            "id",
            postgresql_include=["cost"],
            postgresql_where=text(WAITING),
        ),
        Index("ix_tasks_busy", "queue", "user_id", postgresql_where=text(BUSY)),
        Index("ix_tasks_rung", "admitted_at", postgresql_where=text(RUNG)),
        Index("ix_tasks_to_ring", "admitted_at", postgresql_where=text("ring_wanted")),
        Index("ix_tasks_later", "not_before", postgresql_where=text(LATER)),
        Index("ix_tasks_running", "id", postgresql_where=text("status = 'PROCESSING'")),
        Index("ix_tasks_never_started", "created_at", postgresql_where=text("status = 'CREATED'")),
        Index("ix_tasks_of_user", "user_id", text("created_at DESC"), text("id DESC")),
        Index("ix_tasks_newest", text("created_at DESC"), text("id DESC")),
        Index("ix_tasks_of_parent", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
        Index("ix_tasks_retry_of", "retry_of", postgresql_where=text("retry_of IS NOT NULL")),
        Index("ix_tasks_failed", "finished_at", postgresql_where=text("status = 'FAILED'")),
        Index("ix_tasks_inputs_to_clean", "finished_at", postgresql_where=text(INPUTS_KEPT)),
        Index("ix_tasks_outputs_to_clean", "finished_at", postgresql_where=text(OUTPUTS_KEPT)),
        Index("ix_tasks_open_uploads", "finished_at", postgresql_where=text(UPLOADS_LEFT_OPEN)),
        Index("ix_tasks_deleted", "deleted_at", postgresql_where=text(DELETED)),
        {"postgresql_with": {"fillfactor": 75}},
    )


class TaskStep(Base):
    """A checkpoint: one agent's finished turn, and the artifact that proves it."""

    __tablename__ = "task_steps"

    task_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    agent_id: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    status: Mapped[str]
    fingerprint: Mapped[str]
    inline: Mapped[dict[str, Any] | None]  # a small artifact itself, in place of the three that follow
    artifact_key: Mapped[str | None]
    artifact_size: Mapped[int | None] = mapped_column(BigInteger)
    artifact_sha256: Mapped[str | None]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    error_detail: Mapped[str | None]  # ours; never in a response: a traceback, or where its threads stood
    duration_ms: Mapped[int]
    peak_memory_bytes: Mapped[int | None] = mapped_column(BigInteger)
    finished_at: Mapped[datetime] = mapped_column(server_default=CLOCK)

    __table_args__ = (
        Index(
            "ix_task_steps_computed", "agent_id", text("finished_at DESC"),
            postgresql_where=text(COMPUTED),
        ),
    )  # fmt: skip


class TaskItem(Base):
    """One finished item of a batch: its answer, or its error. The journal by which nothing is asked twice.

    `task_id` is the root. A customer's items live with the outputs of their task.
    """

    __tablename__ = "task_items"

    task_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)  # in the order of submission, from 0
    name: Mapped[str]  # custom_id, or the collection
    answer: Mapped[dict[str, Any] | None]
    error_code: Mapped[str | None]  # null: it went well
    error_message: Mapped[str | None]
    calls: Mapped[int] = mapped_column(server_default=ZERO)
    tokens: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    millicredits: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)  # what it costs, where it went well
    finished_at: Mapped[datetime] = mapped_column(server_default=CLOCK)


class ModelBreaker(Base):
    """What all workers know of a language model that does not answer."""

    __tablename__ = "model_breakers"

    name: Mapped[str] = mapped_column(primary_key=True)  # provider:model
    failures: Mapped[int] = mapped_column(server_default=ZERO)
    open_until: Mapped[datetime | None]
    probe_until: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=CLOCK)


class ModelAnswer(Base):
    """An answer that is kept for a while; the key is a digest of all that was asked, and by whom."""

    __tablename__ = "model_answers"

    key: Mapped[str] = mapped_column(primary_key=True)
    answer: Mapped[dict[str, Any]]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class AgentPace(Base):
    """How long an agent usually takes, and how much memory: by MiB of input (db/paces.py)."""

    __tablename__ = "agent_paces"

    agent_id: Mapped[str] = mapped_column(primary_key=True)
    seconds_per_mebibyte: Mapped[float]  # at its 95th percentile: what limits are made of
    median_seconds_per_mebibyte: Mapped[float]  # what is expected of it
    samples: Mapped[int]
    largest_mebibytes: Mapped[float] = mapped_column(server_default=ZERO)  # seen: beyond it nothing is known
    # A line through what was seen, and its 95th percentile above that line; null where no memory was measured.
    base_memory_bytes: Mapped[float | None]
    memory_bytes_per_mebibyte: Mapped[float | None]
    memory_spread_bytes: Mapped[float | None]
    measured_at: Mapped[datetime] = mapped_column(server_default=CLOCK)


class TaskEvent(Base):
    """What happened to a task, in one gapless sequence a task."""

    __tablename__ = "task_events"

    task_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    data: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(server_default=CLOCK)


class CreditWallet(Base):
    """What a customer may still spend: it changes at GRANT, HOLD and RELEASE only."""

    __tablename__ = "credit_wallets"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    balance: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)

    __table_args__ = (
        CheckConstraint("balance >= 0", name="balance"),
        {"postgresql_with": {"fillfactor": 70}},  # else nearly no change of a balance is a HOT update
    )


class CreditEntry(Base):
    """One movement of credits; append-only. `amount` is always positive, its kind says which way."""

    __tablename__ = "credit_entries"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    task_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("tasks.id"))  # null for a GRANT
    agent_id: Mapped[str]  # "" for a GRANT
    kind: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)
    note: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK)

    __table_args__ = (
        UniqueConstraint("task_id", "agent_id", "kind"),
        CheckConstraint(f"kind IN ({', '.join(repr(k.value) for k in EntryKind)})", name="kind"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("(kind = 'GRANT') = (task_id IS NULL)", name="grant_has_no_task"),
        Index("ix_credit_entries_of_user", "user_id", text("id DESC")),
    )


class Worker(Base):
    """A live Celery worker. Its identity is never reused, so a rescue can never hit the wrong one."""

    __tablename__ = "workers"

    boot_uuid: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    host: Mapped[str]
    pid: Mapped[int]
    pool: Mapped[str]
    slots: Mapped[int]
    memory_bytes: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)  # that one agent may use
    queues: Mapped[list[str]]
    tools: Mapped[list[str]]
    code_version: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(server_default=CLOCK)
    seen_at: Mapped[datetime] = mapped_column(server_default=CLOCK)
    draining: Mapped[bool] = mapped_column(server_default=FALSE)


class Lane(Base):
    """A customer's place in fair queueing: virtual time, weight, and the most tasks at once."""

    __tablename__ = "lanes"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    weight: Mapped[float] = mapped_column(REAL, server_default=text("1"))
    cap: Mapped[int] = mapped_column(server_default=text("1000"))
    vtime: Mapped[float] = mapped_column(server_default=ZERO)

    __table_args__ = (
        CheckConstraint("weight > 0", name="weight"),
        CheckConstraint("cap >= 0", name="cap"),
        {"postgresql_with": {"fillfactor": 50}},
    )


class AdmissionClock(Base):
    """The one row whose virtual time all lanes are measured against; its lock is the round's lock.

    Also when the house was last kept: once a minute by one conductor, not by each.
    """

    __tablename__ = "admission_clock"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    v: Mapped[float] = mapped_column(server_default=ZERO)
    house_kept_at: Mapped[datetime] = mapped_column(server_default=text("to_timestamp(0)"))

    __table_args__ = (CheckConstraint("id = 1", name="single"),)
