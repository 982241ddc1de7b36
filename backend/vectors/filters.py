"""What a search is narrowed to, read from the customer's own words into a closed form that every store understands.

    {"author": "Ada", "year": {"$gte": 1990, "$lt": 2000}, "language": {"$in": ["en", "de"]}, "$document": "notes.md"}

All conditions hold together. Equality and $in take text, numbers and true or false; ranges take numbers. A chunk that
lacks the key, or has a value of another kind there, is not found by it.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from backend.errors import BadRequest
from backend.vectors.chunks import Scalar

DOCUMENT = "$document"  # in place of a metadata key: the document's name
MOST_CONDITIONS = 20
MOST_VALUES = 200  # of one $in
LONGEST_KEY = 200


class Operator(StrEnum):
    IN = "$in"  # also equality: one value
    LESS = "$lt"
    AT_MOST = "$lte"
    MORE = "$gt"
    AT_LEAST = "$gte"


@dataclass(frozen=True, slots=True)
class Condition:
    """`key` is a metadata key or DOCUMENT; a range has one value."""

    key: str
    operator: Operator
    values: tuple[Scalar, ...]


def conditions_of(filters: Mapping[str, Any]) -> tuple[Condition, ...]:
    """The filters as conditions.

    Raises:
        BadRequest: they are none of ours; the context names the key.
    """
    conditions = tuple(condition for key, asked in filters.items() for condition in _of_key(key, asked))
    if len(conditions) > MOST_CONDITIONS:
        raise _refused("filters", f"at most {MOST_CONDITIONS} conditions")
    return conditions


def _of_key(key: str, asked: Any) -> Iterator[Condition]:
    if not 0 < len(key) <= LONGEST_KEY or (key.startswith("$") and key != DOCUMENT):
        raise _refused(key, f"a key has 1 to {LONGEST_KEY} characters; with $ begins only {DOCUMENT}")
    if not isinstance(asked, Mapping):
        yield Condition(key, Operator.IN, (_value(key, asked),))
        return
    if not asked:
        raise _refused(key, "say what its value is to be")
    for word, operand in asked.items():
        yield _condition(key, word, operand)


def _condition(key: str, word: str, operand: Any) -> Condition:
    if word not in {*Operator, "$eq"}:
        raise _refused(key, f"there are {', '.join(['$eq', *Operator])}")
    if word == Operator.IN:
        if not isinstance(operand, list) or not 0 < len(operand) <= MOST_VALUES:
            raise _refused(key, f"$in takes a list of 1 to {MOST_VALUES} values")
        return Condition(key, Operator.IN, tuple(_value(key, value) for value in operand))
    value = _value(key, operand)
    if word == "$eq":
        return Condition(key, Operator.IN, (value,))
    if isinstance(value, str | bool):
        raise _refused(key, f"{word} takes a number")
    return Condition(key, Operator(word), (value,))


def _value(key: str, value: Any) -> Scalar:
    if key == DOCUMENT and not isinstance(value, str):
        raise _refused(key, "a document's name is text")
    if not isinstance(value, str | int | float | bool) or (isinstance(value, float) and not math.isfinite(value)):
        raise _refused(key, "a value is text, a number, true or false")
    return value


def _refused(key: str, message: str) -> BadRequest:
    shown = key[:LONGEST_KEY]
    return BadRequest(
        f"The filter on {shown!r} is not accepted: {message}.", fields=[{"field": shown, "message": message}]
    )
