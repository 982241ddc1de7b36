"""What is asked of a language model, and what it answers: values only, without a client library or a secret.

A model is named `provider:model`. Sizes of text are in tokens as the provider counts them; times are in seconds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from backend.clock import monotonic

CALL_SECONDS = 180.0  # CATALOGUE §6: how long one call may take


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Said(BaseModel):
    model_config = ConfigDict(frozen=True)


class Message(Said):
    role: Role
    content: str


class Usage(Said):
    """What was used, over all calls that were answered: also those whose answers had to be repaired."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
        )

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


class ToolCall(Said):
    id: str
    name: str
    arguments: str  # JSON, as the model wrote it


class Question(Said):
    """One thing to ask. `extra` are further fields of the provider's own request; `fallback_models` come in order.

    `cache_seconds` 0: the answer is not kept. `cache_scope` is whose it is: no answer crosses it.
    """

    model: str
    messages: tuple[Message, ...]
    temperature: float | None = None
    max_tokens: int | None = None
    extra: dict[str, Any] = Field(default_factory=dict)
    output_schema: dict[str, Any] | None = None
    fallback_models: tuple[str, ...] = ()
    timeout_seconds: float = CALL_SECONDS
    cache_seconds: float = 0.0
    cache_scope: str = ""


class Answer(Said):
    """`parsed` is the validated value where a schema was given. `model` is the one that answered."""

    content: str
    model: str
    parsed: Any = None
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = "stop"
    usage: Usage = Usage()
    fallback: bool = False
    cached: bool = False


class Embedded(Said):
    """One vector a text, in their order."""

    vectors: list[list[float]]
    usage: Usage = Usage()


@dataclass
class Budget:
    """What one step may spend on repeating itself, over all its questions. `deadline` is on clock.monotonic."""

    deadline: float
    retries: int

    def take_retry(self) -> bool:
        """One more try, if there is one left."""
        if self.retries <= 0:
            return False
        self.retries -= 1
        return True

    def seconds_left(self) -> float:
        return max(0.0, self.deadline - monotonic())


OnText = Callable[[str], None]  # partial text, as it comes


class Models(Protocol):
    """Whoever answers: the door, or what an agent gets of it."""

    async def ask(self, question: Question, budget: Budget, on_text: OnText | None = None) -> Answer: ...

    async def embed(self, model: str, texts: Sequence[str], budget: Budget) -> Embedded: ...
