"""What comes in and what goes out: the two kinds of bodies, problems, and tasks. The examples are what /docs shows."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from db.durations import Basis
from db.models import TaskStatus
from db.waiting import Reason
from transformers.reporting.plain_json import fault_in

A_TASK = "7b9f5a4e-6d1c-4c55-9a39-0f0d7f6d2b11"
A_RUN = "0c8f1d7e-93b4-4a35-8a0e-5f6f0e1c9a77"
A_TIME = "2025-11-21T09:30:00Z"
BIGGEST_ID = 2**63 - 1  # PostgreSQL's bigint
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Asked(BaseModel):
    """A request's body: unknown fields are refused, so that a typing error is never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _is_plain(cls, value: Any) -> Any:
        if (fault := fault_in(value)) is not None:
            raise ValueError(f"The body is not accepted: {fault}")
        return value


class Told(BaseModel):
    """A response's body."""

    model_config = ConfigDict(frozen=True)


class Problem(Told):
    """RFC 9457, with what a program needs (`error_code`, `context`) and what a person needs (`next_action`)."""

    type: str = Field(examples=["urn:agensium:error:task-not-found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no such task."])
    error_code: str = Field(examples=["TASK_NOT_FOUND"])
    next_action: str = Field(examples=["Check the task id; GET /tasks lists yours."])
    context: dict[str, Any] = Field(default_factory=dict, examples=[{"task_id": A_TASK}])
    request_id: str | None = Field(
        None, description="As in X-Request-Id; support finds by it what was logged.", examples=["5f0c0a7e8d9b4b0c"]
    )


class NewTask(Asked):
    tool_id: ShortText = Field(examples=["profile-my-data"])
    agents: list[ShortText] = Field(
        default_factory=list,
        max_length=100,
        description="A subset of the tool's agents; empty: all whose inputs are there.",
        examples=[["unified-profiler", "readiness-rater"]],
    )
    parameters: dict[ShortText, dict[str, Any]] = Field(
        default_factory=dict, description="agent → parameters.", examples=[{"unified-profiler": {"top_n_values": 5}}]
    )
    priority: int = Field(
        0,
        ge=-10,
        le=10,
        description="Among your own waiting tasks: each step counts as a minute of waiting; other customers' tasks "
        "are not moved by it.",
        examples=[0],
    )


class Queued(Told):
    status: Literal["queued"] = "queued"
    task_id: uuid.UUID = Field(examples=[A_TASK])
    celery_task_id: uuid.UUID = Field(examples=[A_RUN])
    message: str = Field(examples=["The task is queued; 105 credits are held for 3 agents."])


class StepView(Told):
    agent_id: str = Field(examples=["unified-profiler"])
    agent_name: str = Field(examples=["Unified profiler"])
    state: Literal["pending", "running", "delivered", "failed", "skipped"] = Field(examples=["delivered"])
    price: int = Field(description="Credits.", examples=[30])
    is_most: bool = Field(
        default=False, description="The price is the most: what is used of it is charged.", examples=[False]
    )
    attempt: int | None = Field(
        None,
        description="Which run of the task finished it, from 1; 0: a run of the task that this one repeats.",
        examples=[1],
    )
    duration_ms: int | None = Field(None, examples=[812])
    started_at: datetime | None = Field(
        None, description="Of the run that counts; also while it runs.", examples=[A_TIME]
    )
    finished_at: datetime | None = Field(None, examples=[A_TIME])
    error_code: str | None = Field(None, examples=[None])
    message: str | None = Field(None, examples=[None])


class TaskError(Told):
    error_code: str = Field(examples=["UNREADABLE_FILE"])
    message: str = Field(examples=["The file could not be read."])
    next_action: str = Field(examples=["Open the file, mend what the message names, and upload it again."])
    recoverable: bool = Field(examples=[True])


class TaskCredits(Told):
    """Sums of the task's entries: what is held at this moment is `held - captured - released`."""

    held: int = Field(0, examples=[105])
    captured: int = Field(0, examples=[30])
    released: int = Field(0, examples=[0])


class WaitingView(Told):
    """Why a task that is QUEUED or WAITING does not run."""

    reason: Reason = Field(examples=[Reason.BEHIND_OTHERS])
    message: str = Field(examples=["3 tasks are before it."])
    position: int | None = Field(
        None,
        description="1 is next: among all (behind_others), among your own (own_cap). Above 1,000 to two digits.",
        examples=[4],
    )
    until: datetime | None = Field(None, description="When it is tried again (back_off).", examples=[None])


class EtaView(Told):
    """Seconds from now until the task's end."""

    low: float = Field(examples=[8.5])
    likely: float = Field(examples=[14.0])
    high: float = Field(examples=[31.0])
    based_on: Basis = Field(
        description="history: what these agents took for others' data, by size; declared: nobody knows yet.",
        examples=[Basis.HISTORY],
    )


class ItemCounts(Told):
    """Of a batch. Those that are in neither are still to be done, or were never come to."""

    total: int = Field(examples=[10_000])
    ok: int = Field(examples=[8_112])
    failed: int = Field(examples=[3])


class ChildCounts(Told):
    """The parts that a task was split into: `GET /tasks/{id}/children`."""

    total: int = Field(examples=[20])
    open: int = Field(description="That have not ended.", examples=[4])


class TaskSummary(Told):
    task_id: uuid.UUID = Field(examples=[A_TASK])
    tool_id: str = Field(examples=["profile-my-data"])
    status: TaskStatus = Field(examples=[TaskStatus.PROCESSING])
    outcome: str | None = Field(None, description="Of a COMPLETED task: success or partial.", examples=[None])
    retry_of: uuid.UUID | None = Field(None, description="The task that this one repeats.", examples=[None])
    progress: float = Field(ge=0, le=100, examples=[33.3])
    items: ItemCounts | None = Field(None, description="Of a batch.")
    error: TaskError | None = Field(None, examples=[None])
    created_at: datetime = Field(examples=[A_TIME])
    queued_at: datetime | None = Field(None, examples=[A_TIME])
    started_at: datetime | None = Field(None, examples=[A_TIME])
    finished_at: datetime | None = Field(None, examples=[None])


class TaskView(TaskSummary):
    agents: list[str] = Field(description="As chosen; from the submit on, as they run.")
    parameters: dict[str, Any] = Field(examples=[{"unified-profiler": {"top_n_values": 5}}])
    priority: int = Field(0, examples=[0])
    celery_task_id: uuid.UUID | None = Field(None, examples=[A_RUN])
    current_agent: str | None = Field(None, examples=["score-risk"])
    waiting: WaitingView | None = Field(None, description="Null where it does not wait.")
    eta: EtaView | None = Field(None, description="Null once ended, and where nothing is known. Not in the ETag.")
    steps: list[StepView]
    children: ChildCounts | None = Field(None, description="Of a task that was split into parts.")
    parent_id: uuid.UUID | None = Field(None, description="The task that this one is a part of.", examples=[None])
    credits: TaskCredits


class TaskPage(Told):
    tasks: list[TaskSummary] = Field(description="Newest first.")
    next: str | None = Field(None, description="The `cursor` of the next page.", examples=[None])


class OutputView(Told):
    name: str = Field(examples=["report.html"])
    url: str = Field(description="A GET link, good for an hour.", examples=["https://s3.example.com/agensium/…"])
    size: int = Field(examples=[41_870])
    sha256: str = Field(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])
    content_type: str = Field(examples=["text/html"])
    kind: str = Field("", description="What it is for; the final table's is `data`.", examples=["report_html"])


class Outputs(Told):
    outputs: list[OutputView]
