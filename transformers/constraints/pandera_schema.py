"""Constraints as a pandera schema in YAML, as pandera's `DataFrameSchema.from_yaml` reads it.

pandera knows no "mostly": a rule with exceptions in this very table, and a dependency between columns, stand as
comments at the top.
"""

from collections.abc import Sequence
from typing import Any

from transformers.constraints.constraint import Constraint, ConstraintKind
from transformers.constraints.pandas_types import dtype_of
from transformers.constraints.shapes import as_python
from transformers.profiling.table_profile import ColumnProfile, TableProfile

WRITTEN_FOR = "0.20.0"  # the first version with all of the keys below; later ones read them too
HEAD = """# Suggested from a profile of {rows:,} rows: review before you rely on it.
# Missing cells are expected to be empty; read the file with keep_default_na and your own na_values.
"""
KIND = ConstraintKind


def pandera_yaml(profile: TableProfile, constraints: Sequence[Constraint]) -> str:
    import yaml

    strict = [c for c in constraints if not c.violations]
    left_out = [c for c in constraints if c.violations or c.kind is KIND.DEPENDENCY]
    schema = {
        "schema_type": "dataframe",
        "version": WRITTEN_FOR,
        "columns": {
            column.name: _column(column, {c.kind: c for c in strict if c.columns == (column.name,)})
            for column in profile.columns
        },
        "checks": None,
        "index": None,
        "dtype": None,
        "coerce": True,
        "strict": False,
        "name": None,
        "ordered": False,
        "unique": next((list(c.columns) for c in strict if c.kind is KIND.UNIQUE and len(c.columns) > 1), None),
        "report_duplicates": "all",
        "unique_column_names": True,
        "add_missing_columns": False,
        "title": None,
        "description": None,
    }
    comments = "".join(f"# Not checked here: {_one_line(c)}\n" for c in left_out)
    return HEAD.format(rows=profile.rows) + comments + yaml.safe_dump(schema, sort_keys=False, allow_unicode=True)


def _one_line(constraint: Constraint) -> str:
    said = f"{constraint.kind} of {', '.join(constraint.columns)}: {constraint.reason}"
    return " ".join(said.split())


def _column(column: ColumnProfile, rules: dict[ConstraintKind, Constraint]) -> dict[str, Any]:
    nullable = KIND.NOT_NULL not in rules
    return {
        "title": None,
        "description": None,
        "dtype": dtype_of(column, rules, nullable=nullable),
        "nullable": nullable,
        "checks": _checks(column, rules) or None,
        "unique": KIND.UNIQUE in rules,
        "coerce": True,
        "required": True,
        "regex": False,
    }


def _checks(column: ColumnProfile, rules: dict[ConstraintKind, Constraint]) -> dict[str, Any]:
    checks: dict[str, Any] = {}
    if KIND.RANGE in rules and dtype_of(column, rules, nullable=True):
        ends = rules[KIND.RANGE].arguments
        checks["in_range"] = {
            f"{end}_value": _end(ends[name]) for end, name in (("min", "minimum"), ("max", "maximum"))
        }
    if KIND.ALLOWED_VALUES in rules:
        checks["isin"] = rules[KIND.ALLOWED_VALUES].arguments["values"]
    if KIND.PATTERN in rules:
        checks["str_matches"] = as_python(rules[KIND.PATTERN].arguments["pattern"])
    if KIND.LENGTH in rules:
        ends = rules[KIND.LENGTH].arguments
        checks["str_length"] = {"min_value": ends["minimum"], "max_value": ends["maximum"]}
    return checks


def _end(value: float | str) -> float | int | str:
    if isinstance(value, str):
        return value.replace("T", " ")[:19]
    return int(value) if value.is_integer() and abs(value) < 2**53 else value
