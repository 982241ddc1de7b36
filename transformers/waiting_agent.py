"""What an agent knows that waits for others: it is `async def`, runs in the supervisor's loop, and computes little.

It gets its ways out of the house with its context, and knows neither doors nor database itself.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from backend.language_models.questions import Budget, Models, Usage
from transformers.tool import AgentParameters, Delivery, LocalFile

RETRIES = 2  # of a single question: three tries (CATALOGUE §6)
RETRIED_SHARE = 5  # of many questions one in so many more may be asked again


class ItemResult(BaseModel):
    """One finished item: its answer, or why there is none. `name` is its custom_id, or the collection."""

    model_config = ConfigDict(frozen=True)

    position: int
    name: str
    answer: dict[str, Any] | None = None
    error_code: str | None = None
    error_message: str | None = None
    usage: Usage = Field(default_factory=Usage)

    @property
    def is_ok(self) -> bool:
        return self.error_code is None


class Journal(Protocol):
    """The items of a batch that are finished: what is in here is never asked again."""

    positions: range  # of this child; of a root, all

    async def done(self) -> set[int]:
        """Those of `positions` that are finished."""

    async def record(self, items: Sequence[ItemResult]) -> None:
        """Write them down, many in one statement. Raises ClaimLost."""

    def every(self) -> AsyncIterator[ItemResult]:
        """All finished items of the whole batch, in the order of submission."""


@dataclass(frozen=True)
class WaitingContext:
    """All that an agent may know that waits. `earlier` are the deliveries of the steps it comes after, by id.

    `last_try`: the task is not handed back once more, so what does not answer now has failed. `tell` sends a few
    words to those who follow the task.
    """

    task_id: UUID
    user_id: int
    parameters: Any  # an instance of the agent's own form
    forms: Mapping[str, AgentParameters]
    files: Mapping[str, tuple[LocalFile, ...]]  # by role
    earlier: Mapping[str, Delivery]
    inputs: Mapping[str, tuple[str, ...]]  # names of the task's own files, by role, read or not
    scratch: Path
    models: Models
    default_model: str
    calls_at_once: int
    deadline: float  # on clock.monotonic
    journal: Journal
    vectors: Any
    last_try: bool
    report_progress: Callable[[float], None]
    tell: Callable[[Mapping[str, Any]], Awaitable[None]]
    embedding_model: str = ""  # the one that is set up

    def budget(self, questions: int = 1) -> Budget:
        """What one step may spend on asking again."""
        return Budget(self.deadline, RETRIES + questions // RETRIED_SHARE)
