"""Which JSON we take in: what Python's reader accepts and PostgreSQL's jsonb, or a person, would not."""

import math
from typing import Any

DEEPEST = 32  # parameters are three deep; far below what makes a recursive reader give up


def fault_in(value: Any) -> str | None:
    """Why a parsed JSON value is refused, in words for its sender; None where it is fine."""
    waiting: list[tuple[Any, int]] = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if depth > DEEPEST:
            return f"it is nested deeper than {DEEPEST} levels"
        if isinstance(item, dict):
            waiting += [(key, depth) for key in item]
            waiting += [(inner, depth + 1) for inner in item.values()]
        elif isinstance(item, list):
            waiting += [(inner, depth + 1) for inner in item]
        elif (fault := _fault_in_scalar(item)) is not None:
            return fault
    return None


def _fault_in_scalar(item: Any) -> str | None:
    if isinstance(item, float) and not math.isfinite(item):
        return "it holds a number that is not finite"
    if isinstance(item, str) and ("\0" in item or any("\ud800" <= character <= "\udfff" for character in item)):
        return "it holds a character that is no text (NUL or half of a pair)"
    return None
