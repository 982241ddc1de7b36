"""What the model tools give back, as values. An empty answer is an answer: nothing here is read by its truth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.client.values import COMPLETED, Task, Value

TIMED_OUT = "TIMED_OUT"  # of a wait, never of a task


@dataclass(frozen=True, slots=True)
class Usage(Value):
    """Tokens as the provider counts them, over all calls that were answered."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Generated(Value):
    """A model's answer. `parsed` is the validated value where a schema was given; `model` is the one that answered."""

    content: str
    model: str
    parsed: Any = None
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    finish_reason: str = "stop"
    usage: Usage = field(default_factory=Usage)
    fallback: bool = False
    cached: bool = False
    task_id: str = ""


@dataclass(frozen=True, slots=True)
class ItemError(Value):
    code: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Answered(Value):
    """One item of a batch: its answer, or its error."""

    custom_id: str
    position: int
    ok: bool
    error: ItemError | None = None
    answer: Mapping[str, Any] | None = None

    @property
    def content(self) -> str | None:
        """The model's words; None where there is no answer."""
        return None if self.answer is None else self.answer.get("content")


@dataclass(frozen=True, slots=True)
class BatchResult:
    """All finished items, in the order of submission."""

    task: Task
    items: tuple[Answered, ...]

    @property
    def ok(self) -> tuple[Answered, ...]:
        return tuple(item for item in self.items if item.ok)

    @property
    def failed(self) -> tuple[Answered, ...]:
        return tuple(item for item in self.items if not item.ok)


@dataclass(frozen=True, slots=True)
class PipelineResult(Value):
    """`results` is by step: {output, time, model, status, fallback, error}. Times are in seconds."""

    results: Mapping[str, Mapping[str, Any]]
    total_time: float
    success_count: int
    total_count: int
    success_rate: float
    task_id: str = ""


@dataclass(frozen=True, slots=True)
class IngestResult:
    """`collections`: of each, what is in it now, or why it was not ingested."""

    task: Task
    collections: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Hit(Value):
    """A chunk that was found. `score` 1 is the nearest there can be."""

    id: str
    document: str
    position: int
    content: str
    score: float
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What a task has come to. `ready` False: nothing yet, whatever `value` is; an empty value is a value."""

    task: Task
    ready: bool
    value: Any = None


@dataclass(frozen=True, slots=True)
class Waited:
    """How a task stood when the waiting was over. `status` is TIMED_OUT where it has not ended: it goes on."""

    task: Task
    status: str

    @property
    def done(self) -> bool:
        """It completed, wholly or in part. One that was cancelled is not done."""
        return self.status == COMPLETED

    @property
    def timed_out(self) -> bool:
        return self.status == TIMED_OUT
