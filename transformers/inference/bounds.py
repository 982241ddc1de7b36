"""The most that a question may use: what is held at submit, before any model has counted.

A token is at least one byte of UTF-8 in every tokenizer in use, so bytes are a bound that holds; around each message
stand some more.
"""

import json

from backend.language_models.questions import Question, Usage

TOKENS_AROUND = 16  # a message: its role and its marks
REPAIRS = 3  # CATALOGUE §6: an answer that does not fit its schema is given back at most so often
TOKENS_OF_A_REPAIR = 2_000  # what the model is then told about its answer


def most_usage(question: Question) -> Usage:
    """Of one question to one model, with its repairs. Raises ValueError where it sets its answer no length."""
    if question.max_tokens is None:
        raise ValueError("an answer without an end has no price")
    read = sum(tokens_of(message.content) for message in question.messages)
    read += len(json.dumps(question.extra)) if question.extra else 0  # tools are described there
    return most_usage_of(read, question.max_tokens, question.output_schema)


def tokens_of(words: str) -> int:
    """At most; of one message."""
    return len(words.encode("utf-8", "replace")) + TOKENS_AROUND


def most_usage_of(read: int, max_tokens: int, schema: dict[str, object] | None = None) -> Usage:
    """For so many tokens that are read at first. A repair reads all that was said before it."""
    if schema is None:
        return Usage(calls=1, input_tokens=read, output_tokens=max_tokens)
    calls = 1 + REPAIRS
    first = read + len(json.dumps(schema)) + TOKENS_OF_A_REPAIR
    again = sum(range(calls)) * (max_tokens + TOKENS_OF_A_REPAIR)
    return Usage(calls=calls, input_tokens=calls * first + again, output_tokens=calls * max_tokens)
