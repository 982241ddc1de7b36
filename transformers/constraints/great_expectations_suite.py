"""Constraints as a Great Expectations suite in JSON (the form of version 1: name, expectations, meta)."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from transformers.constraints.constraint import Constraint, ConstraintKind
from transformers.constraints.shapes import as_python

WRITTEN_FOR = "1.0.0"
KIND = ConstraintKind
TYPES = {
    "integer": ["int64", "Int64", "int32", "Int32", "BIGINT", "INTEGER"],
    "decimal": ["float64", "Float64", "int64", "Int64", "DOUBLE", "DECIMAL"],
    "boolean": ["bool", "boolean", "BOOLEAN"],
    "date": ["datetime64[ns]", "datetime64[us]", "date", "DATE"],
    "datetime": ["datetime64[ns]", "datetime64[us]", "Timestamp", "TIMESTAMP"],
    "time": ["time", "TIME"],
}


def great_expectations_json(constraints: Sequence[Constraint], name: str) -> str:
    """Rules with exceptions get `mostly`; what no core expectation says, a dependency, stands in the suite's meta."""
    suite = {
        "name": name,
        "expectations": [expectation for c in constraints for expectation in _expectations(c)],
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


def _expectations(constraint: Constraint) -> Iterator[dict[str, Any]]:
    said = _said(constraint)
    if said is None:
        return
    kind, arguments = said
    columns = (
        {"column_list": list(constraint.columns)} if len(constraint.columns) > 1 else {"column": constraint.column}
    )
    mostly = {"mostly": constraint.mostly} if constraint.violations else {}
    yield {
        "type": f"expect_{kind}",
        "kwargs": columns | arguments | mostly,
        "meta": {"confidence": constraint.confidence, "support": constraint.support, "reason": constraint.reason},
    }


def _said(constraint: Constraint) -> tuple[str, dict[str, Any]] | None:
    given = constraint.arguments
    ends = {"min_value": given.get("minimum"), "max_value": given.get("maximum")}
    if constraint.kind is KIND.UNIQUE:
        several = len(constraint.columns) > 1
        return ("compound_columns_to_be_unique" if several else "column_values_to_be_unique"), {}
    said: dict[ConstraintKind, tuple[str, dict[str, Any]]] = {
        KIND.TYPE: ("column_values_to_be_in_type_list", {"type_list": TYPES.get(given.get("logical_type", ""), [])}),
        KIND.NOT_NULL: ("column_values_to_not_be_null", {}),
        KIND.RANGE: ("column_values_to_be_between", ends),
        KIND.ALLOWED_VALUES: ("column_values_to_be_in_set", {"value_set": given.get("values")}),
        KIND.PATTERN: ("column_values_to_match_regex", {"regex": as_python(given.get("pattern", ""))}),
        KIND.LENGTH: ("column_value_lengths_to_be_between", ends),
    }
    return said.get(constraint.kind)
