"""What an administrator sees: the house at a glance, every customer's tasks, and what a bulk retry does."""

import uuid
from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from api.account_schemas import Email
from api.schemas import A_RUN, A_TASK, A_TIME, BIGGEST_ID, Asked, ShortText, TaskSummary, Told
from db.models import TaskStatus

MOST_REPLAYED = 200  # in one request; a shell's `agensium replay` has no limit
AN_EMAIL = "ada@example.com"
Hours = Annotated[float, Field(gt=0, le=24 * 30, description="How far back, in hours.", examples=[24])]


class BacklogView(Told):
    queue: str = Field(examples=["default"])
    waiting: int = Field(examples=[12])
    cost_seconds: float = Field(description="Slot-seconds that they are expected to take.", examples=[96.5])
    oldest_seconds: float = Field(description="How long the first of them has waited.", examples=[4.2])


class SlotView(Told):
    task_id: uuid.UUID = Field(examples=[A_TASK])
    user_email: str = Field(examples=[AN_EMAIL])
    tool_id: str = Field(examples=["profile-my-data"])
    agent_id: str | None = Field(None, examples=["score-risk"])
    progress: float = Field(examples=[33.3])
    seconds: float = Field(description="Since the claim or its last checkpoint.", examples=[2.4])
    memory_bytes: int | None = Field(
        None, description="Of the agent's process, at the last beat.", examples=[148_000_000]
    )


class WorkerView(Told):
    id: uuid.UUID = Field(examples=[A_RUN])
    host: str = Field(examples=["worker-1"])
    pid: int = Field(examples=[4711])
    pool: str = Field(examples=["prefork"])
    slots: int = Field(examples=[4])
    busy: list[SlotView] = Field(description="What its slots do; the longest at work first.")
    memory_bytes: int = Field(description="That one agent may use.", examples=[1_024_000_000])
    queues: list[str] = Field(examples=[["default"]])
    code_version: str = Field(examples=["0.1.0"])
    draining: bool = Field(examples=[False])
    started_at: datetime = Field(examples=[A_TIME])
    seen_seconds_ago: float = Field(examples=[0.4])
    live: bool = Field(description="Seen within a lease.", examples=[True])


class Overview(Told):
    """From the database alone: it is told with the broker down."""

    tasks: dict[str, int] = Field(
        description="Not ended, by what they wait for.",
        examples=[{"created": 3, "queued": 12, "queued_later": 1, "admitted": 2, "processing": 4}],
    )
    backlogs: list[BacklogView]
    workers: list[WorkerView] = Field(description="Oldest first, the silent ones too until they are forgotten.")
    slots: int = Field(description="Of live workers that do not drain.", examples=[4])
    slots_busy: int = Field(examples=[4])


class CustomerLoadView(Told):
    user_id: int = Field(examples=[1])
    email: str = Field(examples=[AN_EMAIL])
    balance: int = Field(examples=[470])
    weight: float = Field(examples=[1.0])
    cap: int = Field(examples=[1000])
    waiting: int = Field(examples=[12])
    running: int = Field(examples=[2])
    completed: int = Field(examples=[40])
    failed: int = Field(examples=[1])
    oldest_seconds: float = Field(examples=[4.2])


class ToolLoadView(Told):
    """Seconds of running, of those that completed, and of waiting for the first claim."""

    tool_id: str = Field(examples=["profile-my-data"])
    completed: int = Field(examples=[40])
    failed: int = Field(examples=[1])
    cancelled: int = Field(examples=[0])
    run_p50: float | None = Field(None, examples=[3.1])
    run_p95: float | None = Field(None, examples=[9.8])
    wait_p50: float | None = Field(None, examples=[0.02])
    wait_p95: float | None = Field(None, examples=[1.4])


class Loads(Told):
    hours: float = Field(examples=[24])
    customers: list[CustomerLoadView] = Field(description="Those with most at hand first.")
    tools: list[ToolLoadView]


class FailureView(Told):
    error_code: str = Field(examples=["UNREADABLE_FILE"])
    tool_id: str = Field(examples=["profile-my-data"])
    count: int = Field(examples=[7])
    customers: int = Field(examples=[2])
    newest_at: datetime = Field(examples=[A_TIME])
    message: str | None = Field(None, description="What the newest one's customer was told.")
    examples: list[uuid.UUID] = Field(description="The newest.", examples=[[A_TASK]])


class Failures(Told):
    hours: float = Field(examples=[24])
    failures: list[FailureView] = Field(description="The most frequent first.")


class AnyTask(TaskSummary):
    user_id: int = Field(examples=[1])
    user_email: str = Field(examples=[AN_EMAIL])


class AnyTaskPage(Told):
    tasks: list[AnyTask] = Field(description="Every customer's, newest first.")
    next: str | None = Field(None, description="The `cursor` of the next page.", examples=[None])


class ReplayAsked(Asked):
    """Which ended tasks are meant; times are of the end. Those that have a retry already are left out."""

    status: TaskStatus = Field(TaskStatus.FAILED, description="FAILED or CANCELLED.", examples=[TaskStatus.FAILED])
    error_code: ShortText | None = Field(None, examples=["WORKER_LOST"])
    tool_id: ShortText | None = Field(None, examples=["profile-my-data"])
    user_id: int | None = Field(None, ge=1, le=BIGGEST_ID, examples=[None])
    email: Email | None = None
    since: datetime | None = Field(None, examples=[A_TIME])
    until: datetime | None = Field(None, examples=[None])
    limit: int = Field(50, ge=1, le=MOST_REPLAYED, examples=[50])
    dry_run: bool = Field(default=True, description="Show what would be done; change nothing.", examples=[True])

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if self.status not in {TaskStatus.FAILED, TaskStatus.CANCELLED}:
            raise ValueError("status is FAILED or CANCELLED")
        if not any((self.error_code, self.tool_id, self.user_id, self.email, self.since)):
            raise ValueError("name at least one of error_code, tool_id, user_id, email and since")
        if any(moment is not None and moment.utcoffset() is None for moment in (self.since, self.until)):
            raise ValueError("a time has a zone, such as 2025-11-21T09:30:00Z")
        return self


class ReplayedView(Told):
    task_id: uuid.UUID = Field(examples=[A_TASK])
    tool_id: str = Field(examples=["profile-my-data"])
    error_code: str | None = Field(None, examples=["WORKER_LOST"])
    finished_at: datetime | None = Field(None, examples=[A_TIME])
    retry_id: uuid.UUID | None = Field(None, description="The new task; null in a dry run.", examples=[None])
    taken_over: int = Field(0, description="Agents that are neither run nor paid again.", examples=[1])
    credits_to_hold: int = Field(0, examples=[75])
    refused: str | None = Field(None, description="Why it was left out.", examples=[None])


class Replays(Told):
    dry_run: bool = Field(examples=[True])
    made: int = Field(description="In a dry run: that would be made.", examples=[1])
    skipped: int = Field(examples=[0])
    tasks: list[ReplayedView]


class BreachView(Told):
    rule: str = Field(examples=["a wallet's balance is its grants less its holds plus its releases"])
    subject: str = Field(examples=["user 7"])


class Proof(Told):
    what: str = Field(examples=["ledger"])
    holds: bool = Field(examples=[True])
    rules: int = Field(description="How many were looked at.", examples=[7])
    breaches: list[BreachView] = Field(examples=[[]])
    more: bool = Field(description="There are more than are shown.", examples=[False])
    seconds: float = Field(examples=[0.2])


def window_of(hours: float) -> timedelta:
    return timedelta(hours=hours)
