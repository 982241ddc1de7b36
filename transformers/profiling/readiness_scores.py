"""Readiness as arithmetic: each component starts at 100, and every point it loses has a reason. Pure, no database."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from transformers.cells.columns import Column, LogicalType
from transformers.profiling.table_profile import Described, percent
from transformers.tables import Table

BROKEN_WEIGHT = 5.0  # one broken cell in five makes a column useless
CASE_WEIGHT, MOST_CASE = 3.0, 30.0
MOST_SPACES = 20.0
MIXED_FORMS = 20.0  # one column, several ways to write a date
AMBIGUOUS = 30.0
CONSTANT = 40.0
MIXED_TYPES = 50.0
POOR_NAME = 30.0
NO_KEY = 10.0
DUPLICATE_WEIGHT, MOST_DUPLICATES = 2.0, 30.0
REJECTED_WEIGHT, MOST_REJECTED = 2.0, 30.0
MIXED_SHARE = (0.1, 0.9)  # of a text column's cells are numbers or dates: neither is it text nor anything else


class Component(StrEnum):
    COMPLETENESS = "completeness"
    CONSISTENCY = "consistency"
    SCHEMA_HEALTH = "schema health"


class Readiness(StrEnum):
    READY = "ready"
    NEEDS_REVIEW = "needs_review"
    NOT_READY = "not_ready"


@dataclass(frozen=True)
class ColumnFacts:
    """What was counted beside the column's types. `case_variants`: cells spelled in a minority's capitals."""

    column: Column
    distinct: int = 0
    case_variants: int = 0
    untrimmed: int = 0


class Deduction(Described):
    """`points` of the component's hundred. `field` is empty where the whole table is meant."""

    component: Component
    field: str
    kind: str
    points: float
    reason: str


class Score(Described):
    name: Component
    weight: float
    score: float
    deductions: tuple[Deduction, ...]


def deductions(table: Table, facts: Sequence[ColumnFacts], duplicates: int) -> tuple[Deduction, ...]:
    """Every point lost, the most first. A column's share is one part in as many as there are columns."""
    if not table.rows or not facts:
        return tuple(
            Deduction(component=c, field="", kind="no_data", points=100, reason="there is no data") for c in Component
        )
    found = [*_of_table(table, facts, duplicates)]
    for fact in facts:
        for component, kind, points, reason in _of_column(fact, facts):
            found.append(
                Deduction(
                    component=component,
                    field=fact.column.name,
                    kind=kind,
                    points=round(points / len(facts), 4),
                    reason=f"{fact.column.name}: {reason}",
                )
            )
    return tuple(sorted((d for d in found if d.points > 0), key=lambda d: -d.points))


def scores(found: Sequence[Deduction], weights: dict[Component, float]) -> tuple[Score, ...]:
    return tuple(
        Score(
            name=component,
            weight=weight,
            score=round(max(0.0, 100 - sum(d.points for d in found if d.component is component)), 2),
            deductions=tuple(d for d in found if d.component is component),
        )
        for component, weight in weights.items()
    )


Lost = tuple[Component, str, float, str]


def _of_column(fact: ColumnFacts, facts: Sequence[ColumnFacts]) -> Iterator[Lost]:
    column = fact.column
    if column.missing:
        yield (
            Component.COMPLETENESS, "missing", percent(column.missing, column.rows),
            f"{column.missing:,} of {column.rows:,} cells are missing",
        )  # fmt: skip
    yield from _inconsistent(fact)
    yield from _unhealthy(fact)
    yield from _poorly_named(column.name, [other.column.name for other in facts])


def _inconsistent(fact: ColumnFacts) -> Iterator[Lost]:
    column, part = fact.column, Component.CONSISTENCY
    if column.invalid:
        lost = min(100.0, BROKEN_WEIGHT * percent(column.invalid, column.present))
        yield part, "type_mismatch", lost, f"{column.invalid:,} cells are not {column.logical.value}"
    if fact.case_variants:
        lost = min(MOST_CASE, CASE_WEIGHT * percent(fact.case_variants, column.present))
        yield part, "inconsistent_case", lost, f"{fact.case_variants:,} cells differ from others in capitals only"
    if fact.untrimmed:
        lost = min(MOST_SPACES, percent(fact.untrimmed, column.rows))
        yield part, "whitespace", lost, f"{fact.untrimmed:,} cells begin or end with a space"
    if len(column.date_forms) > 1:
        yield part, "mixed_date_forms", MIXED_FORMS, f"dates are written in {len(column.date_forms)} ways"


def _unhealthy(fact: ColumnFacts) -> Iterator[Lost]:
    column, part = fact.column, Component.SCHEMA_HEALTH
    if column.logical is LogicalType.EMPTY:
        yield part, "empty_column", 100.0, "the column is empty"
    elif fact.distinct == 1 and column.present > 1:
        yield part, "constant_column", CONSTANT, "every cell has the same value"
    if column.ambiguous_dates:
        yield part, "ambiguous_dates", AMBIGUOUS, "no date tells whether the day or the month comes first"
    typed = column.typed_share if column.logical is LogicalType.TEXT else 0.0
    if MIXED_SHARE[0] < typed < MIXED_SHARE[1]:
        yield part, "mixed_types", MIXED_TYPES, f"{100 * typed:.0f} % of the cells are numbers or dates, the rest text"


def _poorly_named(name: str, names: Sequence[str]) -> Iterator[Lost]:
    part = Component.SCHEMA_HEALTH
    if re.fullmatch(r"(?i)(unnamed|column|col|field|var|x|f)?[ :_-]*\d*", name.strip()):
        yield part, "poor_name", POOR_NAME, "the name says nothing"
    elif name != name.strip():
        yield part, "poor_name", POOR_NAME, "the name begins or ends with a space"
    elif sum(other.casefold() == name.casefold() for other in names) > 1:
        yield part, "poor_name", POOR_NAME, "another column's name differs in capitals only"


def _of_table(table: Table, facts: Sequence[ColumnFacts], duplicates: int) -> Iterator[Deduction]:
    if duplicates:
        lost = min(MOST_DUPLICATES, DUPLICATE_WEIGHT * percent(duplicates, table.rows))
        reason = f"{duplicates:,} rows repeat an earlier one"
        yield Deduction(component=Component.CONSISTENCY, field="", kind="duplicate_row", points=lost, reason=reason)
    if table.rejected_rows:
        lost = min(MOST_REJECTED, REJECTED_WEIGHT * percent(table.rejected_rows, table.rows + table.rejected_rows))
        reason = f"{table.rejected_rows:,} rows could not be read"
        yield Deduction(component=Component.SCHEMA_HEALTH, field="", kind="rejected_row", points=lost, reason=reason)
    if table.rows > 1 and not any(f.distinct == f.column.rows and not f.column.missing for f in facts):
        reason = "no column tells every row apart"
        yield Deduction(component=Component.SCHEMA_HEALTH, field="", kind="no_key", points=NO_KEY, reason=reason)
