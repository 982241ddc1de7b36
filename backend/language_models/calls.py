"""One request to one model, as both lanes take it, and what they give back: an Answer of one call.

A lane raises nothing but the failures of failures.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from backend.language_models.names import ModelName
from backend.language_models.questions import Answer, Message

# What `extra` may not say: it is said by the question itself, or would change who answers, how often, or the protocol.
RESERVED = frozenset(
    {"model", "messages", "stream", "stream_options", "n", "best_of", "temperature"}
    | {"max_tokens", "max_completion_tokens"}
)


@dataclass(frozen=True, slots=True)
class Call:
    """`schema`: asked for natively, where the provider has a way to; nobody relies on it."""

    model: ModelName
    messages: tuple[Message, ...]
    temperature: float | None
    max_tokens: int | None
    extra: Mapping[str, Any]
    schema: Mapping[str, Any] | None = None


class Lane(Protocol):
    """A way to a provider; of one event loop."""

    async def answer(self, call: Call) -> Answer: ...


class StreamingLane(Lane, Protocol):
    async def stream(self, call: Call, on_text: Callable[[str], None]) -> Answer: ...


def check_extra(extra: Mapping[str, Any]) -> None:
    """A ValueError's sentence may be shown."""
    said = sorted(RESERVED & extra.keys())
    if said:
        raise ValueError(f"extra must not hold {', '.join(said)}: it is said elsewhere or would change who answers.")
