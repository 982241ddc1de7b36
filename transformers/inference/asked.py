"""From an item or a form to the question that a model is asked. An item's words are the user's, never the system's."""

from collections.abc import Iterable
from typing import Any, Protocol

from backend.language_models.questions import Message, Question, Role
from transformers.inference.items import BatchItem


class Options(Protocol):
    """The part of a form that says how to ask."""

    @property
    def model(self) -> str: ...
    @property
    def fallback_models(self) -> tuple[str, ...]: ...
    @property
    def temperature(self) -> float | None: ...
    @property
    def max_tokens(self) -> int: ...
    @property
    def extra(self) -> dict[str, Any]: ...
    @property
    def output_schema(self) -> dict[str, Any] | None: ...
    @property
    def timeout_seconds(self) -> float: ...


def question(options: Options, default_model: str, messages: Iterable[Message], **more: Any) -> Question:
    """`more` goes over what the options say."""
    said: dict[str, Any] = {
        "model": options.model or default_model,
        "temperature": options.temperature,
        "max_tokens": options.max_tokens,
        "extra": options.extra,
        "output_schema": options.output_schema,
        "fallback_models": options.fallback_models,
        "timeout_seconds": options.timeout_seconds,
    }
    return Question(messages=tuple(messages), **{**said, **more})


def messages_of(item: BatchItem, system: str) -> tuple[Message, ...]:
    """`system`: for an item that brings none of its own."""
    words = item.system or system
    opening = (Message(role=Role.SYSTEM, content=words),) if words else ()
    if item.messages is not None:
        return opening + item.messages
    assert item.user_message is not None
    return (*opening, Message(role=Role.USER, content=item.user_message))


def own_options(item: BatchItem, options: Options) -> dict[str, Any]:
    """What the item says itself, for `question`."""
    own: dict[str, Any] = {}
    if item.temperature is not None:
        own["temperature"] = item.temperature
    if item.max_tokens is not None:
        own["max_tokens"] = item.max_tokens
    if item.extra:
        own["extra"] = {**options.extra, **item.extra}
    return own
