"""Constraints as a Great Expectations suite in JSON (the form of version 1: name, expectations, meta)."""

import json
from collections.abc import Sequence
from typing import Any

from transformers.constraints.constraint import Constraint, ConstraintKind
from transformers.constraints.pandas_types import read_as_numbers
from transformers.constraints.shapes import as_python
from transformers.profiling.table_profile import ColumnProfile, TableProfile

WRITTEN_FOR = "1.0.0"
KIND = ConstraintKind
TYPES = {
    "integer": ["int64", "Int64", "int32", "Int32", "float64", "BIGINT", "INTEGER"],  # floats where cells are missing
    "decimal": ["float64", "Float64", "int64", "Int64", "DOUBLE", "DECIMAL"],
    "boolean": ["bool", "boolean", "BOOLEAN"],
    "date": ["datetime64[ns]", "datetime64[us]", "datetime64[s]", "date", "DATE"],
    "datetime": ["datetime64[ns]", "datetime64[us]", "datetime64[s]", "Timestamp", "TIMESTAMP"],
    "time": ["time", "TIME"],
}
DATE_FORMATS = {"9999-99-99": "%Y-%m-%d", "9+-9+-9+ 9+:9+:9+": "%Y-%m-%d %H:%M:%S"}
Said = tuple[str, dict[str, Any]]


def great_expectations_json(profile: TableProfile, constraints: Sequence[Constraint], name: str) -> str:
    """Rules with exceptions get `mostly`; what no core expectation says, a dependency, stands in the suite's meta."""
    columns = {column.name: column for column in profile.columns}
    expectations = [_expectation(c, columns[c.column]) for c in constraints]
    suite = {
        "name": name,
        "expectations": [one for one in expectations if one],
        "meta": {
            "great_expectations_version": WRITTEN_FOR,
            "functional_dependencies": [
                {"determinants": list(c.columns[:-1]), "dependent": c.column, "confidence": c.confidence}
                for c in constraints
                if c.kind is KIND.DEPENDENCY
            ],
        },
    }
    return json.dumps(suite, ensure_ascii=False, indent=2) + "\n"


def _expectation(constraint: Constraint, column: ColumnProfile) -> dict[str, Any] | None:
    typed = constraint.kind in {KIND.TYPE, KIND.RANGE} and column.physical_type == "VARCHAR"
    said = _of_typed_text(constraint, column) if typed else _said(constraint)
    if said is None:
        return None
    several = len(constraint.columns) > 1
    about: dict[str, Any] = {"column_list": list(constraint.columns)} if several else {"column": constraint.column}
    mostly = {"mostly": constraint.mostly} if constraint.violations else {}
    return {
        "type": f"expect_{said[0]}",
        "kwargs": about | said[1] | mostly,
        "meta": {"confidence": constraint.confidence, "support": constraint.support, "reason": constraint.reason},
    }


def _of_typed_text(constraint: Constraint, column: ColumnProfile) -> Said | None:
    """What of a type holds when pandas reads the file: numbers are numbers, dates are text of a format."""
    if read_as_numbers(column):
        return _said(constraint)
    shapes = [shape.value for shape in column.patterns]
    if constraint.kind is KIND.TYPE and len(shapes) == 1 and shapes[0] in DATE_FORMATS:
        return "column_values_to_match_strftime_format", {"strftime_format": DATE_FORMATS[shapes[0]]}
    return None


def _said(constraint: Constraint) -> Said | None:
    given = constraint.arguments
    ends = {"min_value": given.get("minimum"), "max_value": given.get("maximum")}
    if constraint.kind is KIND.UNIQUE:
        several = len(constraint.columns) > 1
        return ("compound_columns_to_be_unique" if several else "column_values_to_be_unique"), {}
    said: dict[ConstraintKind, Said] = {
        KIND.TYPE: ("column_values_to_be_in_type_list", {"type_list": TYPES.get(given.get("logical_type", ""), [])}),
        KIND.NOT_NULL: ("column_values_to_not_be_null", {}),
        KIND.RANGE: ("column_values_to_be_between", ends),
        KIND.ALLOWED_VALUES: ("column_values_to_be_in_set", {"value_set": given.get("values")}),
        KIND.PATTERN: ("column_values_to_match_regex", {"regex": as_python(given.get("pattern", ""))}),
        KIND.LENGTH: ("column_value_lengths_to_be_between", ends),
    }
    return said.get(constraint.kind)
