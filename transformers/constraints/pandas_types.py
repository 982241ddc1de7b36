"""How pandas reads a column from its file, where that is certain."""

import re
from collections.abc import Mapping, Sequence

from transformers.constraints.constraint import Constraint, ConstraintKind
from transformers.profiling.table_profile import ColumnProfile

KIND = ConstraintKind


def dtype_of(column: ColumnProfile, rules: Mapping[ConstraintKind, Constraint], *, nullable: bool) -> str | None:
    """None, which checks no type, where pandas could not read the cells as they are written."""
    if KIND.TYPE not in rules:
        told = column.physical_type == "VARCHAR" and column.logical_type in {"text", "categorical", "identifier"}
        return "str" if told else None
    logical, shapes = rules[KIND.TYPE].arguments["logical_type"], [shape.value for shape in column.patterns]
    if logical == "integer":
        return "Int64" if nullable else "int64"
    if logical == "decimal" and _is_plain(column):
        return "float64"
    return "datetime64[ns]" if _reads_as_time(column, shapes) else None


def read_as_numbers(column: ColumnProfile) -> bool:
    """One word among a column's numbers, and pandas reads all of it as text."""
    whole = column.logical_type in {"integer", "identifier"} and column.numbers is not None
    clean = not column.invalid and not column.disguised_nulls
    return clean and (whole or (column.logical_type == "decimal" and _is_plain(column)))


def _is_plain(column: ColumnProfile) -> bool:
    return all(re.fullmatch(r"[+-]?[9.]+", shape.value) for shape in column.patterns)


def _reads_as_time(column: ColumnProfile, shapes: Sequence[str]) -> bool:
    native = column.physical_type == "DATE" or column.physical_type.startswith("TIMESTAMP")
    plain = len(shapes) == 1 and re.fullmatch(r"9999-99-99([ a]99:99:99)?|9\+-9\+-9\+([ Aa]9\+:9\+:9\+)?", shapes[0])
    return column.logical_type in {"date", "datetime"} and (native or plain is not None)
