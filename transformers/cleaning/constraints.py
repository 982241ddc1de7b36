"""What a customer demands of a column, as SQL that is true where a present cell breaks it."""

from datetime import UTC, datetime

from transformers.cells import casts
from transformers.cells.columns import NUMERIC, TEMPORAL, Column
from transformers.cells.kinds import DATE_KINDS, NUMBER_KINDS, Kind, literal

WRITTEN = dict.fromkeys(Kind, 1)  # every way to write a number or a date, whatever the column's others do
SPOKEN = {"number": "decimal"}


def as_type(column: Column, logical: str) -> str:
    """SQL: the cell as this type; NULL where it is missing or cannot be."""
    if column.is_text:
        plain = {kind: n for kind, n in column.kinds.items() if kind in NUMBER_KINDS + DATE_KINDS}
        return casts.text_value(column.cell, logical, plain or WRITTEN, day_first=column.day_first)
    native = {"integer": "BIGINT", "decimal": "DOUBLE", "datetime": "TIMESTAMP", "text": "VARCHAR"}
    return f"TRY_CAST({column.value} AS {native.get(logical, logical.upper())})"


def breaks_type(column: Column, declared: str) -> str:
    logical = SPOKEN.get(declared, declared)
    if logical == "text":
        return "false"
    if column.logical.value == logical:
        return column.is_invalid
    value = as_type(column, logical)
    if logical == "integer":
        number = as_type(column, "decimal")
        return f"(NOT {column.is_missing} AND coalesce({number} <> trunc({number}), true))"
    return f"(NOT {column.is_missing} AND ({value}) IS NULL)"


def is_no_number(column: Column) -> str:
    return f"(NOT {column.is_missing} AND ({number_of(column)}) IS NULL)"


def number_of(column: Column) -> str:
    """SQL: the cell as a number; NULL where it is none."""
    return column.value if column.logical in NUMERIC else as_type(column, "decimal")


def breaks_range(column: Column, least: float | str | None, most: float | str | None) -> str:
    """Numbers as numbers; bounds given as text are dates."""
    if isinstance(least if least is not None else most, str):
        value = f"CAST(({column.value if column.logical in TEMPORAL else as_type(column, 'datetime')}) AS TIMESTAMP)"
        ends = [_timestamp(str(end)) if end is not None else None for end in (least, most)]
    else:
        value = f"CAST(({number_of(column)}) AS DOUBLE)"
        ends = [f"CAST({float(end)!r} AS DOUBLE)" if end is not None else None for end in (least, most)]
    tests = [f"{value} < {ends[0]}"] if ends[0] else []
    tests += [f"{value} > {ends[1]}"] if ends[1] else []
    return f"coalesce({' OR '.join(tests)}, false)"


def _timestamp(end: str) -> str:
    """In UTC where it names a zone."""
    moment = datetime.fromisoformat(end)
    naive = moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    return f"CAST({literal(naive.isoformat(sep=' '))} AS TIMESTAMP)"


def breaks_form(column: Column, pattern: str) -> str:
    return f"(NOT {column.is_missing} AND NOT regexp_full_match({column.cell}, {literal(pattern)}))"
