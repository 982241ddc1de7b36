"""The most that questions may use: what is held at submit, before any model has counted.

A token is at least one byte of UTF-8 in every tokenizer in use, so bytes are a bound that holds; around each message
stand some more.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from backend.language_models.questions import Message, Usage
from backend.language_models.repair import REPAIR, REPAIRS, WANTED

TOKENS_AROUND = 16  # a message: its role and its marks
BYTES_OF_A_JOINER = 3  # the door puts one into what may look like a model's own punctuation
TOKENS_OF_FAULTS = 1_000  # ten sentences of at most 300 characters


def most_usage(messages: Iterable[Message], max_tokens: int, extra: Mapping[str, Any]) -> Usage:
    """Of one question; whatever failed before it was answered costs nothing."""
    read = sum(tokens_of(message.content) for message in messages)
    if extra:
        read += len(json.dumps(extra))  # tools are described there
    return Usage(calls=1, input_tokens=read, output_tokens=max_tokens)


def tokens_of(words: str) -> int:
    """At most; of one message."""
    joiners = words.count("<") + words.count("[")
    return len(words.encode("utf-8", "replace")) + BYTES_OF_A_JOINER * joiners + TOKENS_AROUND


def most_usage_of(read: int, max_tokens: int, schema: Mapping[str, Any] | None = None) -> Usage:
    """Of one question of so many tokens, with its repairs."""
    return with_repairs(Usage(calls=1, input_tokens=read, output_tokens=max_tokens), schema)


def with_repairs(plain: Usage, schema: Mapping[str, Any] | None) -> Usage:
    """The same questions, where each answer must fit a schema: it is told, and a repair reads the answer before it."""
    if schema is None:
        return plain
    told = tokens_of(WANTED) + len(json.dumps(schema, ensure_ascii=False).encode("utf-8", "replace"))
    repair = tokens_of(REPAIR) + TOKENS_OF_FAULTS + TOKENS_AROUND
    answers = 1 + REPAIRS
    return Usage(
        calls=answers * plain.calls,
        input_tokens=answers * (plain.input_tokens + plain.calls * told)
        + REPAIRS * (plain.output_tokens + plain.calls * repair),
        output_tokens=answers * plain.output_tokens,
    )
