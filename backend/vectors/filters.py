"""What a search is narrowed to, read from the customer's own words into a closed form that every store understands.

    {"author": "Ada", "year": {"$gte": 1990, "$lt": 2000}, "language": {"$in": ["en", "de"]}, "$document": "notes.md"}

All conditions hold together. Equality and $in take text, numbers and true or false; ranges take numbers. A chunk that
lacks the key, or has a value of another kind there, is not found by it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from backend.errors import BadRequest, writable
from backend.vectors.chunks import Scalar

DOCUMENT = "$document"  # in place of a metadata key: the document's name
MOST_CONDITIONS = 20
MOST_VALUES = 200  # of one $in
LONGEST_KEY = 200
BIGGEST_NUMBER = 2**63


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
    conditions = tuple(condition for key, asked in filters.items() for condition in _of_key(writable(key), asked))
    if len(conditions) > MOST_CONDITIONS:
        raise _refused("filters", f"at most {MOST_CONDITIONS} conditions")
    return conditions


def fault_in_metadata(metadata: Mapping[str, Any]) -> str | None:
    """Why it cannot be kept and filtered by; None where it can."""
    for key, value in metadata.items():
        fault = _fault_in_key(key) or _fault_in_value(value)
        if fault is not None:
            return f"{key[:LONGEST_KEY]!r}: {fault}"
    return None


def _of_key(key: str, asked: Any) -> Iterator[Condition]:
    fault = None if key == DOCUMENT else _fault_in_key(key)
    if fault is not None:
        raise _refused(key, fault)
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
    fault = "a document's name is text" if key == DOCUMENT and not isinstance(value, str) else _fault_in_value(value)
    if fault is not None:
        raise _refused(key, fault)
    return writable(value) if isinstance(value, str) else value


def _fault_in_key(key: str) -> str | None:
    if not 0 < len(key) <= LONGEST_KEY:
        return f"a key has 1 to {LONGEST_KEY} characters"
    return "a key does not begin with $" if key.startswith("$") else None


def _fault_in_value(value: Any) -> str | None:
    if not isinstance(value, str | int | float | bool):
        return "a value is text, a number, true or false"
    if not isinstance(value, str) and not abs(value) <= BIGGEST_NUMBER:
        return "a number is finite, and not beyond 2^63"
    return None


def _refused(key: str, message: str) -> BadRequest:
    shown = writable(key[:LONGEST_KEY])
    return BadRequest(
        f"The filter on {shown!r} is not accepted: {message}.", fields=[{"field": shown, "message": message}]
    )
