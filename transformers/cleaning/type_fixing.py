"""type-fixer's form and plan: columns that are nearly all numbers, dates or truth values, written in one way.

A cell is given its canonical text: 1234.50, 2024-01-31, true. What cannot be cast stays as it is and is flagged, row
by row; so is a date of which nothing tells whether the day or the month comes first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from transformers.cells.columns import CODE_SHARE, Column, LogicalType
from transformers.cells.kinds import FALSE_WORDS, TRUE_WORDS, Kind, words
from transformers.cells.semantic_types import SemanticType
from transformers.cleaning import casting, date_evidence, dates
from transformers.cleaning.rules import CellRule, FlagRule, Plan, Stage, Work
from transformers.cleaning.screening import Likely, is_plain, likely_types
from transformers.cleaning.uncast import Uncast, uncast_cells
from transformers.findings import Severity
from transformers.tables import quoted
from transformers.tool import AgentParameters

BOOLEAN_SHARE = 0.9
MOST_CATEGORIES, CATEGORY_SHARE = 50, 0.05  # distinct values, and their share of the present cells
NO_QUANTITY = {SemanticType.PHONE_NUMBER, SemanticType.POSTCODE, SemanticType.IP_ADDRESS, SemanticType.IBAN}


class TypeFixerParameters(AgentParameters):
    auto_convert_numeric: bool = Field(
        default=True, description="Write numbers plainly: no thousands separators, currencies or brackets."
    )
    auto_convert_datetime: bool = Field(
        default=True, description="Write dates and times as ISO 8601, whatever shapes they have."
    )
    auto_convert_category: bool = Field(
        default=True, description="Name the columns of few values, and write truth values as true and false."
    )
    preserve_mixed_types: bool = Field(
        default=False, description="Leave a column as it is where some of its cells cannot be cast."
    )


@dataclass(frozen=True)
class Fix:
    """What a column is, and the cell as that type writes it: SQL, NULL where the cell cannot be cast."""

    column: Column
    kind: str
    text: str
    ambiguous: str
    confidence: float
    said: dict[str, Any]
    is_whole: bool = False  # every cell can be cast: nothing needs to be counted
    guessed: str = "false"  # the cell is cast, but nothing tells that it may be
    several_units: bool = False

    @property
    def rule(self) -> str:
        return f"cast_{self.kind}"


def plan(work: Work, form: TypeFixerParameters) -> Plan:
    fixes = list(_fixes(work, form))
    uncast = [_uncast(work, number, fix) for number, fix in enumerate(fixes)]
    counts = [(one.none, one.doubt) if one else (0, 0) for one in uncast]
    kept = [fix for fix, found in zip(fixes, counts, strict=True) if not form.preserve_mixed_types or not any(found)]
    return Plan(
        cells=tuple(_cell_rule(fix) for fix in kept if fix.text != fix.column.cell),
        flags=(*(flag for one in uncast if one for flag in one.flags()), *_guesses(kept)),
        data={"columns": _told(work, fixes, counts, {fix.column.name for fix in kept}, form)},
        metrics={
            "columns_typed": len(kept),
            "cells_not_cast": sum(no for no, _ in counts),
            "ambiguous_cells": sum(doubt for _, doubt in counts),
        },
        text=_sentence(fixes, counts),
    )


def _fixes(work: Work, form: TypeFixerParameters) -> Iterator[Fix]:
    text = [column for column in work.columns if column.is_text and column.present]
    likely = likely_types(work)
    for done, column in enumerate(text, start=1):
        if fix := _fix(work, form, column, likely):
            yield fix
        work.report_progress(done / len(text))


def _fix(work: Work, form: TypeFixerParameters, column: Column, likely: Likely) -> Fix | None:
    if form.auto_convert_datetime and column.name in likely.dates and (fix := date_fix(work, column)):
        return fix
    if form.auto_convert_category and (fix := _truth_fix(work, column)):
        return fix
    if form.auto_convert_numeric and is_plain(column):
        return _plain_fix(column)
    return _number_fix(work, column) if form.auto_convert_numeric and column.name in likely.numbers else None


def date_fix(work: Work, column: Column) -> Fix | None:
    """For a column that is likely to be one of dates."""
    if column.logical in (LogicalType.TIME, LogicalType.EMPTY):
        return None
    found = date_evidence.evidence_of(work.db, column, '"primary"')
    if not found.is_dates:
        return None
    said = {
        "shapes": {shape: count for shape, count in sorted(found.shapes.items()) if shape},
        "day_first": dict(found.reading.day_first),
        "with_time": found.timed,
        "latest_two_digit_year": found.reading.latest,
    }
    kind = "datetime" if found.timed else "date"
    ambiguous = dates.is_ambiguous(column.cell, found.reading)
    return Fix(column, kind, dates.iso_text(column.cell, found.reading), ambiguous, round(found.confidence, 4), said)


def _truth_fix(work: Work, column: Column) -> Fix | None:
    """Only where truth is written in several ways: a column of yes and no is as good as one of true and false."""
    if column.kinds.get(Kind.BOOLEAN, 0) < BOOLEAN_SHARE * column.present:
        return None
    [(spellings,)] = work.db.execute(
        f'SELECT count(DISTINCT {column.cell}) FROM "primary" WHERE NOT {column.is_missing}'
    ).fetchall()
    lowered = f"lower({column.cell})"
    text = (
        f"CASE WHEN {lowered} IN {words((*TRUE_WORDS, 'on', '1'))} THEN 'true'"
        f" WHEN {lowered} IN {words((*FALSE_WORDS, 'off', '0'))} THEN 'false' END"
    )
    said = {"spellings": int(spellings)}
    is_whole = column.kinds[Kind.BOOLEAN] == column.present
    if spellings <= 2:  # noqa: PLR2004 (one for each)
        kept = column.cell if is_whole else f"CASE WHEN ({text}) IS NOT NULL THEN {column.cell} END"
        return Fix(column, "boolean", kept, "false", 1.0, said, is_whole=is_whole)
    return Fix(column, "boolean", text, "false", 1.0, said)


def _number_fix(work: Work, column: Column) -> Fix | None:
    if column.semantic in NO_QUANTITY or column.kinds.get(Kind.CODE, 0) > CODE_SHARE * column.present:
        return None
    if column.logical is LogicalType.TIME:
        return None
    found = casting.evidence_of(work.db, column, '"primary"')
    if not found.is_numbers:
        return None
    said = {
        "plain": found.plain,
        "decimal_comma": found.comma_is_decimal,
        "percents": found.percents,
        "unit": found.unit,
    }
    ambiguous = casting.is_ambiguous(column.cell, found)
    text = casting.number_text(column.cell, found)
    kind = "integer" if column.logical is LogicalType.INTEGER else "number"
    return Fix(
        column,
        kind,
        text,
        ambiguous,
        round(found.confidence, 4),
        said,
        is_whole=found.all_can_be_cast,
        guessed=casting.is_guessed(column.cell, found),
        several_units=found.mixes_units,
    )


def _plain_fix(column: Column) -> Fix:
    kind = "integer" if column.logical is LogicalType.INTEGER else "number"
    return Fix(column, kind, column.cell, "false", 1.0, {"plain": column.present}, is_whole=True)


def _cell_rule(fix: Fix) -> CellRule:
    """A cell that cannot be cast, or is missing, is left as it is."""
    missing, text = fix.column.is_missing, fix.text

    def cast(cell: str) -> str:
        return f"CASE WHEN {missing} THEN {cell} ELSE coalesce({text}, {cell}) END"

    return CellRule(fix.rule, fix.column.name, cast, confidence=fix.confidence)


def _guesses(kept: Sequence[Fix]) -> Iterator[FlagRule]:
    message = "The comma is taken for one of thousands; nothing in the column tells that it is not decimal."
    for fix in kept:
        if fix.guessed != "false":
            condition = f"(NOT {fix.column.is_missing} AND {fix.guessed})"
            yield FlagRule("guessed_thousands", fix.column.name, condition, Severity.MEDIUM, message)


def _uncast(work: Work, number: int, fix: Fix) -> Uncast | None:
    return (
        None
        if fix.is_whole
        else uncast_cells(
            work,
            number,
            fix.column,
            fix.kind,
            text=fix.text,
            ambiguous=fix.ambiguous,
            several_units=fix.several_units,
        )
    )


def _told(
    work: Work,
    fixes: Sequence[Fix],
    counts: Sequence[tuple[int, int]],
    kept: set[str],
    form: TypeFixerParameters,
) -> dict[str, Any]:
    known = {fix.column.name: (fix, found) for fix, found in zip(fixes, counts, strict=True)}
    told: dict[str, Any] = {}
    for column in work.columns:
        if column.name not in known:
            told[column.name] = {"type": _other_type(work, column, form), "changed": False}
            continue
        fix, (no, doubt) = known[column.name]
        told[column.name] = {
            "type": fix.kind,
            "changed": column.name in kept,
            "not_cast": no,
            "ambiguous": doubt,
            "confidence": fix.confidence,
            **fix.said,
        }
    return told


def _other_type(work: Work, column: Column, form: TypeFixerParameters) -> str:
    if not form.auto_convert_category or not column.is_text or column.logical is not LogicalType.TEXT:
        return column.logical.value
    [(distinct,)] = work.db.execute(
        f'SELECT approx_count_distinct({quoted(column.name)}) FROM "primary" WHERE NOT {column.is_missing}'
    ).fetchall()
    few = 0 < distinct <= min(MOST_CATEGORIES, max(2, CATEGORY_SHARE * column.present))
    return LogicalType.CATEGORICAL.value if few else column.logical.value


def _sentence(fixes: Sequence[Fix], counts: Sequence[tuple[int, int]]) -> str:
    no, doubt = (sum(found[at] for found in counts) for at in (0, 1))
    return f"{len(fixes)} columns have a type; {no:,} cells could not be cast, {doubt:,} can be read in two ways."


STAGE = Stage("type-fixer", "Type fixer", TypeFixerParameters, plan)
