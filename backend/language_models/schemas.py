"""Schemas that customers bring, and whether a model's answer fits one.

JSON Schema 2020-12. A schema is a stranger's program: what could reach the network, never end or take for ever is
refused when the task is submitted, and every validation counts its steps. `pattern` is matched by an engine that takes
linear time (pydantic's, Rust's regex), so no pattern can hang a worker; it knows neither look-around nor references.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

LONGEST_SCHEMA = 32_768  # characters of JSON; it goes into the prompt
DEEPEST_SCHEMA = 32
DEEPEST_ANSWER = 100  # pydantic writes 255 levels, and an answer lies a few deep in what is kept of it
LONGEST_PATTERN = 500
MOST_PATTERNS = 32  # of a schema; to read one may take 0.15 s and 10 MB
MOST_STEPS = 50_000  # keywords applied to values; a second at most. An honest answer of 100 KB takes some 20,000
LETTERS_A_STEP = 16  # of what a keyword goes through letter by letter
MOST_FAULTS = 10  # told to the model at once
LONGEST_FAULT = 300  # characters; a fault repeats the value that it is about
# They would fetch a schema from elsewhere, or give a part of this one another address than it has.
REFUSED_REFERENCES = frozenset({"$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef"})
# Worked out past what is counted here: by Python's own patterns, or by walking through the schema once more for each
# way that leads to a part of it.
REFUSED_KEYWORDS = frozenset({"patternProperties", "unevaluatedProperties", "unevaluatedItems"})

_steps: ContextVar[list[int]] = ContextVar("steps")


class _TooLaborious(Exception):
    """The validation takes more steps than one answer is worth."""


def check_schema(schema: Mapping[str, Any]) -> None:
    """At submit.

    Raises:
        ValueError, with a sentence that may be shown
    """
    from jsonschema.exceptions import SchemaError

    if len(json.dumps(schema)) > LONGEST_SCHEMA:
        raise ValueError(f"The output schema is longer than {LONGEST_SCHEMA} characters.")
    for keyword, value in _keywords(schema, DEEPEST_SCHEMA):
        _check_keyword(keyword, value, schema)
    _check_patterns(schema)
    try:
        _validator_class().check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"The output schema is no JSON Schema: {_cut(error.message)}.") from None
    probes: tuple[Any, ...] = (None, {}, [], "", 0)
    for probe in probes:
        faults = faults_of(probe, schema)
        if faults == [_ENDLESS]:
            raise ValueError("The output schema refers to itself without end.")
        if faults == [_LABORIOUS]:
            raise ValueError("The output schema takes too many steps to check even an empty value.")


def read(content: str) -> Any:
    """The JSON value of an answer, also within a Markdown fence; nothing is mended.

    Raises:
        ValueError
    """
    text = content.strip()
    if text.startswith("```") and text.endswith("```"):
        text = text[3:-3].removeprefix("json").strip()
    value = json.loads(text, parse_constant=_no_number, parse_float=_number)
    if _is_deeper(value, DEEPEST_ANSWER):
        raise ValueError(f"it is nested more than {DEEPEST_ANSWER} deep")
    return value


def faults_of(value: Any, schema: Mapping[str, Any]) -> list[str]:
    """What is wrong with a value, in sentences; nothing where it fits."""
    _steps.set([MOST_STEPS])
    try:
        errors = sorted(_validator_class()(schema).iter_errors(value), key=lambda error: [*map(str, error.path)])
    except _TooLaborious:
        return [_LABORIOUS]
    except RecursionError:
        return [_ENDLESS]
    except ArithmeticError:  # multipleOf with numbers beyond a float's
        return ["A number is too large."]
    return [_cut(f"{error.json_path}: {error.message}") for error in errors[:MOST_FAULTS]]


_LABORIOUS = "The answer is too large to be checked against the schema."
_ENDLESS = "The answer or the schema is nested without end."


def _keywords(schema: object, deepest: int) -> Iterator[tuple[str, Any]]:
    """Everything that could be a keyword, wherever it stands: rather one too many."""
    if deepest < 0:
        raise ValueError(f"The output schema is nested more than {DEEPEST_SCHEMA} deep.")
    if isinstance(schema, Mapping):
        for keyword, value in schema.items():
            yield keyword, value
            yield from _keywords(value, deepest - 1)
    elif isinstance(schema, list):
        for value in schema:
            yield from _keywords(value, deepest - 1)


def _check_keyword(keyword: str, value: Any, schema: Mapping[str, Any]) -> None:
    if keyword in REFUSED_KEYWORDS or (keyword in REFUSED_REFERENCES and isinstance(value, str)):
        raise ValueError(f"The output schema must not hold {keyword}.")
    if keyword == "$ref" and isinstance(value, str) and not _found(schema, value):
        raise ValueError(f"The output schema refers to {_cut(value)!r}, which is not within it.")


def _found(schema: Mapping[str, Any], reference: str) -> bool:
    """Whether a reference is a pointer to a part of this schema: `#/$defs/name`."""
    if reference != "#" and not reference.startswith("#/"):
        return False
    part: Any = schema
    for step in reference[2:].split("/") if reference != "#" else ():
        name = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(part, Mapping) or name not in part:
            return False
        part = part[name]
    return True


def _check_patterns(schema: Mapping[str, Any]) -> None:
    keywords = _keywords(schema, DEEPEST_SCHEMA)
    patterns = {value for keyword, value in keywords if keyword == "pattern" and isinstance(value, str)}
    if len(patterns) > MOST_PATTERNS:
        raise ValueError(f"The output schema has more than {MOST_PATTERNS} patterns.")
    for pattern in sorted(patterns):
        _check_pattern(pattern)


def _check_pattern(pattern: str) -> None:
    from pydantic_core import SchemaError

    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"A pattern in the output schema is longer than {LONGEST_PATTERN} characters.")
    try:
        _matcher(pattern)
    except SchemaError:
        raise ValueError(
            f"The output schema's pattern {_cut(pattern)!r} is not understood: it may hold no look-around or reference."
        ) from None


@lru_cache(maxsize=MOST_PATTERNS)
def _matcher(pattern: str) -> Callable[[str], bool]:
    from pydantic_core import SchemaValidator, core_schema

    validator = SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
    return validator.isinstance_python


@lru_cache(maxsize=1)
def _validator_class() -> "type[Validator]":
    """Draft 2020-12, with our pattern and uniqueItems, and every keyword counted."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    ours = {"pattern": _pattern, "uniqueItems": _unique_items}
    counted = {name: _counted(check) for name, check in {**Draft202012Validator.VALIDATORS, **ours}.items()}
    made: type[Validator] = extend(Draft202012Validator, counted)
    return made


def _counted(check: Callable[..., Any]) -> Callable[..., Any]:
    def counting(validator: Any, said: Any, value: Any, schema: Any) -> Any:
        _take(1 + (len(said) if isinstance(said, list) else 0))  # enum compares with each
        return check(validator, said, value, schema)

    return counting


def _take(steps: int) -> None:
    """Raises _TooLaborious."""
    left = _steps.get()
    left[0] -= steps
    if left[0] < 0:
        raise _TooLaborious


def _pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if not isinstance(value, str):
        return
    _take(len(value) // LETTERS_A_STEP)
    if not _matcher(pattern)(value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _unique_items(_validator: Any, wanted: object, value: Any, _schema: Any) -> Iterator[Any]:
    """By their canonical JSON, in linear time. 1 and 1.0 are one number there and here; true is none."""
    from jsonschema import ValidationError

    if not wanted or not isinstance(value, list):
        return
    written = [json.dumps(_canonical(item), sort_keys=True) for item in value]
    _take(sum(map(len, written)) // LETTERS_A_STEP)
    if len(set(written)) < len(value):
        yield ValidationError("the items are not unique")


def _canonical(item: Any) -> Any:
    if isinstance(item, float) and item.is_integer():
        return int(item)
    if isinstance(item, list):
        return [_canonical(part) for part in item]
    return {name: _canonical(part) for name, part in item.items()} if isinstance(item, dict) else item


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _number(said: str) -> float:
    """1e999 is JSON, and neither a float nor anything that can be written down again."""
    number = float(said)
    return number if math.isfinite(number) else _no_number(said)


def _is_deeper(value: Any, levels: int) -> bool:
    inside = [value]
    for _ in range(levels + 1):
        lists = [item.values() if isinstance(item, dict) else item for item in inside if isinstance(item, (dict, list))]
        inside = [item for items in lists for item in items]
    return bool(inside)


def _cut(words: str) -> str:
    return words if len(words) <= LONGEST_FAULT else words[:LONGEST_FAULT] + "…"
