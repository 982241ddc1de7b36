"""How values are written into a prompt, and what a template may do with them: a few functions of plain JSON values.

None of them calls what it is given or reads an attribute; none makes more than a prompt can hold.
"""

import json
from collections.abc import Callable, Mapping, Sized
from typing import Any

from jinja2 import Undefined

from transformers.pipelines.grammar import TemplateFault

MOST_TEXT = 1_000_000  # bytes of a step's prompt


def written(value: Any) -> str:
    """A value as it stands in a prompt: text as it is, all else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, Undefined):
        return str(value)  # raises UndefinedError
    if not isinstance(value, dict | list | tuple | int | float | None):
        raise TemplateFault("it writes something that is no value")
    return _dumped(value)


def _dumped(value: Any) -> str:
    """Measured before it is written: a list may hold the same long text a thousand times."""
    waiting, length = [value], 0
    while waiting and length <= MOST_TEXT:
        one = waiting.pop()
        length += len(one) + 2 if isinstance(one, str) else 1
        if isinstance(one, dict):
            length += sum(map(len, one))
        if isinstance(one, dict | list | tuple):
            waiting += one.values() if isinstance(one, dict) else one
    if length > MOST_TEXT:
        raise TemplateFault(f"it makes more than {MOST_TEXT:,} characters")
    return json.dumps(value, ensure_ascii=False)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TemplateFault("upper, lower, trim and truncate take text")
    return value


def _sized(value: Any) -> Sized:
    if not isinstance(value, str | list | tuple | dict):
        raise TemplateFault("length, first and last take text, a list or an object")
    return value


def _join(values: Any, between: str = "") -> str:
    if not isinstance(values, list | tuple):
        raise TemplateFault("join takes a list")
    parts, left = [], MOST_TEXT - len(_text(between)) * len(values)
    for value in values:
        parts.append(written(value))
        left -= len(parts[-1])
        if left < 0:
            raise TemplateFault(f"it makes more than {MOST_TEXT:,} characters")
    return between.join(parts)


def _end(values: Any, place: int) -> Any:
    some = list(values) if isinstance(_sized(values), dict) else values
    return some[place] if some else ""


def _default(value: Any, instead: Any = "") -> Any:
    return instead if isinstance(value, Undefined) else value


def _to_json(value: Any) -> str:
    if isinstance(value, Undefined):
        str(value)  # raises UndefinedError
    return _dumped(value)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "tojson": _to_json,
    "join": _join,
    "length": lambda value: len(_sized(value)),
    "upper": lambda value: _text(value).upper(),
    "lower": lambda value: _text(value).lower(),
    "trim": lambda value: _text(value).strip(),
    "truncate": lambda value, longest=255: _text(value)[:longest],
    "first": lambda value: _end(value, 0),
    "last": lambda value: _end(value, -1),
    "default": _default,
}
TESTS = frozenset({"defined", "undefined", "none", "string", "number", "mapping", "sequence"})
