"""One request to one model, as both lanes take it, and what they give back: an Answer of one call.

A lane raises nothing but the failures of failures.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from backend.language_models import special_tokens
from backend.language_models.names import ModelName, Provider
from backend.language_models.questions import Answer, Message, Question, Role

CONNECT_SECONDS = 5.0  # of either lane; the rest of a call's time is the caller's clock


@dataclass(frozen=True, slots=True)
class Call:
    """`schema`: asked for natively, where the provider has a way to; nobody relies on it."""

    model: ModelName
    messages: tuple[Message, ...]
    temperature: float | None
    max_tokens: int | None
    extra: Mapping[str, Any]
    schema: Mapping[str, Any] | None = None

    @classmethod
    def of(
        cls, question: Question, model: ModelName, messages: tuple[Message, ...], schema: Mapping[str, Any] | None
    ) -> "Call":
        if model.provider is Provider.COMPATIBLE:  # the others' servers read text as text
            messages = tuple(_as_text(message) for message in messages)
        return cls(model, messages, question.temperature, question.max_tokens, question.extra, schema)


class Lane(Protocol):
    """A way to a provider; of one event loop."""

    async def answer(self, call: Call) -> Answer: ...


class StreamingLane(Lane, Protocol):
    async def stream(self, call: Call, on_text: Callable[[str], None]) -> Answer: ...

    async def close(self) -> None: ...


def as_said(answer: Answer) -> Answer:
    """The answer without what `Call.of` put into the question's words."""
    if not any(special_tokens.JOINER in said for said in (answer.content, *(c.arguments for c in answer.tool_calls))):
        return answer
    calls = tuple(
        call.model_copy(update={"arguments": special_tokens.mended(call.arguments)}) for call in answer.tool_calls
    )
    return answer.model_copy(update={"content": special_tokens.mended(answer.content), "tool_calls": calls})


def _as_text(message: Message) -> Message:
    if message.role is Role.SYSTEM:
        return message
    text = special_tokens.broken(message.content)
    return message if text is message.content else Message(role=message.role, content=text)
