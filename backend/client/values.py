"""What the API tells, as values. A field that a newer server adds is ignored; what an older one lacks has a default."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from types import UnionType
from typing import Any, Self, Union, get_args, get_origin, get_type_hints

COMPLETED = "COMPLETED"
ENDED = frozenset({COMPLETED, "FAILED", "CANCELLED", "EXPIRED"})


class Value:
    """A frozen dataclass that is read from JSON by its annotations."""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        hints = get_type_hints(cls)
        known = {one.name for one in fields(cls)}  # type: ignore[arg-type]
        return cls(**{name: _read(hints[name], value) for name, value in told.items() if name in known})


def _read(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if get_origin(hint) in {Union, UnionType}:
        [hint] = [one for one in get_args(hint) if one is not type(None)]
    if get_origin(hint) is tuple:
        return tuple(_read(get_args(hint)[0], one) for one in value)
    if hint is datetime:
        return datetime.fromisoformat(value)
    if isinstance(hint, type) and issubclass(hint, Value):
        return hint.of(value)
    return value


@dataclass(frozen=True, slots=True)
class Failure(Value):
    """Why a task ended badly, as the customer is told."""

    error_code: str
    message: str
    next_action: str = ""
    recoverable: bool = False


@dataclass(frozen=True, slots=True)
class Step(Value):
    """One agent's turn. `state` is pending, running, delivered, failed or skipped; `price` is in credits."""

    agent_id: str
    agent_name: str
    state: str
    price: int = 0
    duration_ms: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error_code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting(Value):
    """Why a task does not run yet. `position` 1 is next."""

    reason: str
    message: str
    position: int | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Eta(Value):
    """Seconds until a task's end: likely, and a range."""

    low: float
    likely: float
    high: float
    based_on: str = ""


@dataclass(frozen=True, slots=True)
class Credits(Value):
    """A task's credits: held at the submit, captured for what was delivered, released for the rest."""

    held: int = 0
    captured: int = 0
    released: int = 0


@dataclass(frozen=True, slots=True)
class Items(Value):
    """Of a batch: those that are in neither `ok` nor `failed` are still to be done, or were never come to."""

    total: int = 0
    ok: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Task(Value):
    """A task as it stands. `progress` is 0..100; `outcome` is success or partial, of a COMPLETED one.

    Whatever word a server says for `status` that is none of those in which tasks end: it has not ended.
    """

    task_id: str
    tool_id: str
    status: str
    progress: float = 0.0
    outcome: str | None = None
    current_agent: str | None = None
    retry_of: str | None = None
    parent_id: str | None = None
    items: Items | None = None
    error: Failure | None = None
    steps: tuple[Step, ...] = ()
    waiting: Waiting | None = None
    eta: Eta | None = None
    credits: Credits = field(default_factory=Credits)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def succeeded(self) -> bool:
        """It completed, wholly or in part."""
        return self.status == COMPLETED


@dataclass(frozen=True, slots=True)
class TaskEvent(Value):
    """Something that happened to a task.

    `kind` is created, queued, started, step_delivered, step_failed, …, completed, failed, cancelled or expired; between
    them progress, and snapshot or resync, which carry the whole `task`. `text` is a stretch of an answer that is being
    written: data's `text`, from character `at` on. `seq` numbers the task's events without a gap; progress has none.
    """

    kind: str
    progress: float
    status: str | None = None
    current_agent: str | None = None
    seq: int | None = None
    at: datetime | None = None
    items: Items | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    task: Task | None = None

    @property
    def ended(self) -> bool:
        """Nothing follows."""
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class Output(Value):
    """One file that a task left. `url` lives for an hour; `kind` says what it is for, the final table's is data."""

    name: str
    url: str
    size: int
    sha256: str
    content_type: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Download:
    """A file that arrived whole: its checksum was compared."""

    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class CreditEntry(Value):
    """One movement of credits; the amount is positive, the kind says which way."""

    id: int
    kind: str
    amount: int
    agent_id: str | None = None
    task_id: str | None = None
    note: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ApiKey(Value):
    """`key` is shown once, when it is made."""

    id: str
    name: str
    prefix: str
    created_at: datetime | None = None
    key: str | None = None
    scope: str = "manage"
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
