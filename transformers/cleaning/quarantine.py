"""quarantine-agent's form and plan: six kinds of rows that are better looked at than used.

What the customer declares (required, ranges, formats, a schema) is set aside, and so are rows that are none (empty,
the header again, shifted). What is only inferred from the column's other cells is flagged; where the customer wishes
it, such a row is set aside if nearly all of the others agree.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import Field, field_validator

from transformers.cells.columns import Column
from transformers.cells.kinds import literal
from transformers.cells.semantic_types import SemanticType, text_test
from transformers.cleaning.bounds import Bounds, check_fit
from transformers.cleaning.constraints import (
    breaks_form,
    breaks_range,
    breaks_type,
    is_no_number,
)
from transformers.cleaning.rules import FlagRule, Plan, RowRule, Stage, Work
from transformers.coverage import forms as patterns
from transformers.findings import Alert, Severity
from transformers.naming_columns import known
from transformers.tables import quoted
from transformers.tool import AgentParameters

TELLING_CELLS = 20  # present cells from which a column's agreement says something about the odd one out
SHIFTED_CELLS, SHIFTED_SHARE = (
    3,
    0.5,
)  # cells of a row that do not fit their columns, before it is the row that is broken
NAMED_KINDS = ("email", "url", "uuid", "ip_address", "mac_address", "iban")  # meanings with a form of their own

DeclaredType = Literal["integer", "number", "decimal", "boolean", "date", "datetime", "time", "text"]


class QuarantineParameters(AgentParameters):
    detect_missing_fields: bool = Field(default=True, description="Look for missing values in the required fields.")
    detect_type_mismatches: bool = Field(default=True, description="Look for cells unlike their column's type.")
    detect_out_of_range: bool = Field(default=True, description="Look for values outside range_constraints.")
    detect_invalid_formats: bool = Field(default=True, description="Look for cells that break format_constraints.")
    detect_broken_records: bool = Field(default=True, description="Look for empty, repeated-header and shifted rows.")
    detect_schema_mismatches: bool = Field(default=True, description="Compare with expected_schema.")
    required_fields: tuple[str, ...] = Field(default=(), description="Columns that must not be missing in any row.")
    range_constraints: dict[str, Bounds] = Field(default={}, description="By column: {min, max}.")
    format_constraints: dict[str, str] = Field(
        default={}, description="By column: a regular expression (RE2) that the whole cell must match."
    )
    expected_schema: dict[str, DeclaredType] = Field(default={}, description="By column: the type it must have.")
    set_aside_inferred: bool = Field(
        default=False, description="Also set rows aside for a cell that only its column's other cells speak against."
    )
    min_confidence: float = Field(
        default=0.95,
        ge=0.5,
        le=1,
        description="Share of a column's cells that must agree before set_aside_inferred acts on another one.",
    )

    @field_validator("format_constraints")
    @classmethod
    def _known_to_re2(cls, by_column: dict[str, str]) -> dict[str, str]:
        patterns.no_faults(by_column)
        return by_column


def plan(work: Work, form: QuarantineParameters) -> Plan:
    columns = {column.name: column for column in work.columns}
    rows = [*_broken(form, columns), *_missing(work, form, columns), *_declared(work, form, columns)]
    inferred, flags = _inferred(form, columns)
    absent = [name for name in form.expected_schema if name not in columns] if form.detect_schema_mismatches else []
    return Plan(
        rows=(*rows, *inferred),
        flags=tuple(flags),
        data={
            "missing_columns": absent,
            "unexpected_columns": [
                name for name in columns if form.expected_schema and name not in form.expected_schema
            ],
            "rejected_by_intake": work.table.rejected_rows,
        },
        alerts=_alerts(absent),
    )


def _broken(form: QuarantineParameters, columns: dict[str, Column]) -> Iterator[RowRule]:
    if not form.detect_broken_records:
        return
    names = list(columns)
    if len(names) > 1:  # one empty cell is only missing
        empty = " AND ".join(f"({quoted(n)} IS NULL OR trim(CAST({quoted(n)} AS VARCHAR)) = '')" for n in names)
        yield RowRule("broken_record", f"({empty})", "Every cell of the row is empty.")
    if len(names) > 1 and all(column.is_text for column in columns.values()):
        header = " AND ".join(f"{column.cell} = {literal(name)}" for name, column in columns.items())
        yield RowRule("broken_record", f"({header})", "The row repeats the header.")
    typed = [column for column in columns.values() if column.invalid]
    if len(typed) >= SHIFTED_CELLS:
        misfits = " + ".join(f"CAST({column.is_invalid} AS INTEGER)" for column in typed)
        present = " + ".join(f"CAST(NOT {column.is_missing} AS INTEGER)" for column in typed)
        shifted = f"({misfits} >= {SHIFTED_CELLS} AND {misfits} >= {SHIFTED_SHARE} * ({present}))"
        yield RowRule(
            "broken_record", shifted, "Several cells do not fit their columns: the row seems shifted.", confidence=0.9
        )


def _missing(work: Work, form: QuarantineParameters, columns: dict[str, Column]) -> Iterator[RowRule]:
    if form.detect_missing_fields:
        for name in known("required_fields", form.required_fields, work.table.columns):
            yield RowRule("missing_field", columns[name].is_missing, f"{name} is missing.", column=name)


def _declared(work: Work, form: QuarantineParameters, columns: dict[str, Column]) -> Iterator[RowRule]:
    if form.detect_out_of_range:
        for name in known("range_constraints", form.range_constraints, work.table.columns):
            bounds = form.range_constraints[name]
            check_fit(work.db, "range_constraints", columns[name], bounds)
            yield from _range_rules(columns[name], bounds)
    if form.detect_invalid_formats:
        patterns.check(work.db, "format_constraints", form.format_constraints)
        for name in known("format_constraints", form.format_constraints, work.table.columns):
            broken = breaks_form(columns[name], form.format_constraints[name])
            yield RowRule("invalid_format", broken, f"{name} does not have the form that was asked for.", column=name)
    if form.detect_schema_mismatches:
        for name, kind in form.expected_schema.items():
            if name in columns:
                reason = f"{name} is not {kind}, as the schema expects."
                yield RowRule("schema_mismatch", breaks_type(columns[name], kind), reason, column=name)


def _range_rules(column: Column, bounds: Bounds) -> Iterator[RowRule]:
    least, most = bounds.min, bounds.max
    told = f"{column.name} is outside {'…' if least is None else least} to {'…' if most is None else most}."
    yield RowRule("out_of_range", breaks_range(column, least, most), told, column=column.name)
    if not isinstance(least if least is not None else most, str):
        reason = f"{column.name} is no number, and has to be in a range."
        yield RowRule("type_mismatch", is_no_number(column), reason, column=column.name)


def _inferred(form: QuarantineParameters, columns: dict[str, Column]) -> tuple[list[RowRule], list[FlagRule]]:
    """Rows to set aside, cells to flag; both for what only the column's other cells say."""
    rows, flags = [], []
    found = list(_odd_ones(form, list(columns.values())))
    for rule, column, condition, agreement, message in found:
        if form.set_aside_inferred and agreement >= form.min_confidence and column.present >= TELLING_CELLS:
            reason = f"{column.name}: {message}"
            rows.append(RowRule(rule, condition, reason, column=column.name, confidence=round(agreement, 4)))
        else:
            flags.append(FlagRule(rule, column.name, condition, Severity.MEDIUM, message))
    if form.detect_missing_fields and not form.required_fields:
        flags += [
            FlagRule("missing_field", column.name, column.is_missing, Severity.LOW, "Missing, as hardly any other is.")
            for column in columns.values()
            if column.missing and column.present >= form.min_confidence * column.rows
        ]
    return rows, flags


def _odd_ones(form: QuarantineParameters, columns: Sequence[Column]) -> Iterator[tuple[str, Column, str, float, str]]:
    """(rule, column, condition, share of the present cells that agree, message)."""
    for column in columns:
        if form.detect_type_mismatches and column.invalid and column.name not in form.expected_schema:
            message = f"not {column.logical.value}, as the column's other values are."
            yield "type_mismatch", column, column.is_invalid, 1 - column.invalid / column.present, message
        if form.detect_invalid_formats and column.name not in form.format_constraints and _has_own_form(column):
            message = f"no {_meaning(column).replace('_', ' ')}, as the column's other values are."
            odd = f"(NOT {column.is_missing} AND NOT ({text_test(column.cell, SemanticType(_meaning(column)))}))"
            yield "invalid_format", column, odd, 0.0, message  # the form is a guess: flagged, never set aside


def _has_own_form(column: Column) -> bool:
    return column.is_text and _meaning(column) in NAMED_KINDS


def _meaning(column: Column) -> str:
    return column.semantic.value if column.semantic else ""


def _alerts(absent: Sequence[str]) -> tuple[Alert, ...]:
    if not absent:
        return ()
    return (
        Alert(
            alert_id="quarantine-agent-alert-schema",
            severity=Severity.CRITICAL,
            category="schema",
            message=f"Columns that the schema expects and the table does not have: {', '.join(absent)}.",
            affected_fields_count=len(absent),
            recommendation="Check whether the right file was uploaded, or correct expected_schema.",
        ),
    )


STAGE = Stage("quarantine-agent", "Quarantine", QuarantineParameters, plan)


def metrics(rows_before: int, rows_set_aside: int) -> dict[str, Any]:
    """The score falls with every row set aside, and with nothing else."""
    share = rows_set_aside / rows_before if rows_before else 0.0
    return {
        "quarantined_rows": rows_set_aside,
        "quarantined_share": round(share, 6),
        "score": round(100 * (1 - share), 2),
    }
