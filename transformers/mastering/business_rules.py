"""Rules of the customer's business: a condition that a column's values have to meet."""

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from backend.errors import BadParameters
from transformers.cells.columns import Column, LogicalType
from transformers.cells.kinds import has_form, literal, words
from transformers.findings import Severity
from transformers.mastering.members import sortable
from transformers.tables import Table, quoted

if TYPE_CHECKING:
    import duckdb


class Operator(StrEnum):
    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    GREATER_THAN = "greater_than"
    LESS_THAN = "less_than"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    MATCHES = "matches"
    IS_NULL = "is_null"
    NOT_NULL = "not_null"
    IN_COLUMN = "in_column"


SIGNS = {
    "==": "equals", "=": "equals", "eq": "equals", "!=": "not_equals", "<>": "not_equals", "ne": "not_equals",
    ">": "greater_than", "gt": "greater_than", "<": "less_than", "lt": "less_than", ">=": "at_least",
    "gte": "at_least", "<=": "at_most", "lte": "at_most", "regex": "matches", "not_empty": "not_null",
    "exists": "not_null", "references": "in_column",
}  # fmt: skip
COMPARED = {
    Operator.EQUALS: "=", Operator.NOT_EQUALS: "<>", Operator.GREATER_THAN: ">", Operator.LESS_THAN: "<",
    Operator.AT_LEAST: ">=", Operator.AT_MOST: "<=",
}  # fmt: skip


class Condition(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    operator: Operator
    value: str | int | float | bool | list[str | int | float | bool] | None = None

    @field_validator("operator", mode="before")
    @classmethod
    def _in_words(cls, said: Any) -> Any:
        return SIGNS.get(str(said).strip().lower(), said)


class BusinessRule(BaseModel):
    """`condition` is what has to hold of every row that has a value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    condition: Condition
    severity: Severity = Severity.HIGH
    action: str = ""


def broken_where(db: "duckdb.DuckDBPyConnection", table: Table, columns: dict[str, Column], rule: BusinessRule) -> str:
    """SQL: the rows that break the rule. Raises BadParameters."""
    import duckdb

    asked = rule.condition
    if asked.column not in columns:
        raise BadParameters(f"The rule {rule.name!r} speaks of {asked.column!r}, which is no column of the table.")
    holds = _holds(table, columns, asked, rule.name)
    present = (
        "true" if asked.operator in (Operator.NOT_NULL, Operator.IS_NULL) else f"NOT {columns[asked.column].is_missing}"
    )
    condition = f"({present} AND NOT coalesce({holds}, false))"
    try:
        db.execute(f"SELECT 1 FROM {quoted(table.role)} WHERE {condition} LIMIT 1").fetchall()
    except duckdb.Error as error:
        raise BadParameters(f"The rule {rule.name!r} cannot be checked.", detail=str(error)) from None
    return condition


def _holds(table: Table, columns: dict[str, Column], asked: Condition, rule: str) -> str:
    column = columns[asked.column]
    if asked.operator is Operator.IS_NULL:
        return column.is_missing
    if asked.operator is Operator.NOT_NULL:
        return f"NOT {column.is_missing}"
    if asked.operator is Operator.IN_COLUMN:
        if str(asked.value) not in columns:
            raise BadParameters(f"The rule {rule!r} speaks of {asked.value!r}, which is no column of the table.")
        other = columns[str(asked.value)]
        return f"{column.cell} IN (SELECT {other.cell} FROM {quoted(table.role)} WHERE NOT {other.is_missing})"
    if asked.value is None:
        raise BadParameters(f"The rule {rule!r} needs a value.")
    if asked.operator in (Operator.IN, Operator.NOT_IN):
        listed = asked.value if isinstance(asked.value, list) else [asked.value]
        inside = f"{column.cell} IN {words(tuple(_text(one) for one in listed) or ('',))}"
        return inside if asked.operator is Operator.IN else f"NOT ({inside})"
    value = _text(asked.value)
    if asked.operator in (Operator.CONTAINS, Operator.MATCHES):
        within = f"contains({column.cell}, {literal(value)})"
        return within if asked.operator is Operator.CONTAINS else has_form(column.cell, value)
    return _compared(column, asked.operator, value)


def _compared(column: Column, operator: Operator, value: str) -> str:
    """Numbers as numbers, dates as dates; all else as text."""
    sign, key = COMPARED[operator], sortable(column)
    number = f"TRY_CAST({literal(value)} AS DOUBLE)"
    if column.logical in (LogicalType.INTEGER, LogicalType.DECIMAL):
        return f"{key} {sign} {number}"
    if column.logical in (LogicalType.DATE, LogicalType.DATETIME):
        return f"{key} {sign} epoch(TRY_CAST({literal(value)} AS TIMESTAMP))"
    by_text = f"{column.cell} {sign} {literal(value)}"
    return f"coalesce(TRY_CAST({column.cell} AS DOUBLE) {sign} {number}, {by_text})"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
