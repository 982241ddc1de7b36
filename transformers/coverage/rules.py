"""The rules that a table is tested by: the customer's own, and those that nearly all of its cells keep.

A discovered rule can fail: it is what 99 of 100 cells agree on, so the others are worth a look. What every cell keeps
by construction (its own least and greatest value) is no test.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from transformers.cells.columns import TEXTUAL, Column
from transformers.cells.kinds import literal
from transformers.cells.semantic_types import names_a_key, text_test
from transformers.cleaning.constraints import breaks_form, breaks_range, is_no_number
from transformers.outliers.fences import Method, Rule, fences, number_of, quantities
from transformers.tables import SOURCE_ROW, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

AGREED = 0.99  # of the cells, from where the others are the exception
LEAST_CELLS = 30  # fewer agree by chance
FAR_OUT = 3.0  # interquartile ranges: Tukey's outer fence
SHAPED_CELLS = 50_000  # whose shapes are looked at
LONGEST_SHAPED = 60
MEASURED_DISTINCT = 0.9  # a column of text or whole numbers with more distinct values than this looks like a key


class Kind(StrEnum):
    UNIQUENESS = "uniqueness"
    RANGE = "range"
    FORMAT = "format"


@dataclass(frozen=True)
class CoverageRule:
    """One test of one column. `broken` is SQL; of uniqueness it is empty: that takes the other rows."""

    kind: Kind
    column: Column
    given: bool  # by the customer, else discovered
    says: str
    broken: str = ""


class Ends(Protocol):
    @property
    def min(self) -> float | str | None: ...
    @property
    def max(self) -> float | str | None: ...


def given_rules(
    columns: "Mapping[str, Column]",
    unique: Sequence[str],
    ranges: "Mapping[str, Ends]",
    patterns: "Mapping[str, str]",
) -> Iterator[CoverageRule]:
    for name in unique:
        yield CoverageRule(Kind.UNIQUENESS, columns[name], given=True, says="no value occurs twice")
    for name, ends in ranges.items():
        column = columns[name]
        broken = breaks_range(column, ends.min, ends.max)
        if not isinstance(ends.min if ends.min is not None else ends.max, str):
            broken = f"({broken} OR coalesce({is_no_number(column)}, false))"
        least, most = ("…" if end is None else end for end in (ends.min, ends.max))
        yield CoverageRule(Kind.RANGE, column, given=True, says=f"{least} to {most}", broken=broken)
    for name, pattern in patterns.items():
        says, broken = f"matches {pattern}", breaks_form(columns[name], pattern)
        yield CoverageRule(Kind.FORMAT, columns[name], given=True, says=says, broken=broken)


def discovered_rules(
    db: "duckdb.DuckDBPyConnection", rows: int, columns: Sequence[Column], known: Sequence[CoverageRule]
) -> list[CoverageRule]:
    """For columns without a given rule of the same kind."""
    taken = {(rule.kind, rule.column.name) for rule in known}
    enough = [column for column in columns if column.present >= LEAST_CELLS]
    found = [*_keys(db, enough), *_ranges(db, rows, enough), *_formats(db, rows, enough)]
    return [rule for rule in found if (rule.kind, rule.column.name) not in taken]


def _keys(db: "duckdb.DuckDBPyConnection", columns: Sequence[Column]) -> Iterator[CoverageRule]:
    """Columns named like a key whose values hardly repeat."""
    for column in columns:
        if names_a_key(column.name):
            [(distinct,)] = db.execute(f'SELECT approx_count_distinct({column.cell}) FROM "primary"').fetchall()
            if distinct >= MEASURED_DISTINCT * column.present:
                yield CoverageRule(Kind.UNIQUENESS, column, given=False, says="no value occurs twice")


def _ranges(db: "duckdb.DuckDBPyConnection", rows: int, columns: Sequence[Column]) -> Iterator[CoverageRule]:
    for one in fences(db, rows, quantities(columns), Rule(Method.IQR, iqr=FAR_OUT)):
        if one.share <= 1 - AGREED:
            says = f"{one.low:.6g} to {one.high:.6g}, the outer fences"
            broken = one.beyond(number_of(one.column, quoted(one.column.name)))
            yield CoverageRule(Kind.RANGE, one.column, given=False, says=says, broken=broken)


def _formats(db: "duckdb.DuckDBPyConnection", rows: int, columns: Sequence[Column]) -> Iterator[CoverageRule]:
    for column in columns:
        if column.logical not in TEXTUAL:
            says = f"is {column.logical.value}"
            yield CoverageRule(Kind.FORMAT, column, given=False, says=says, broken=column.is_invalid)
        elif column.is_text and column.semantic:
            says = f"is {column.semantic.value.replace('_', ' ')}"
            broken = f"(NOT {column.is_missing} AND NOT ({text_test(column.cell, column.semantic)}))"
            yield CoverageRule(Kind.FORMAT, column, given=False, says=says, broken=f"coalesce({broken}, false)")
        elif column.is_text:
            yield from _shape(db, rows, column)


def _shape(db: "duckdb.DuckDBPyConnection", rows: int, column: Column) -> Iterator[CoverageRule]:
    """The one shape that nearly all cells have, if it has a digit or a sign: letters alone are words."""
    every = max(1, rows // SHAPED_CELLS)
    shape = _drawn(column)
    seen = f"NOT {column.is_missing} AND hash({quoted(SOURCE_ROW)}) % {every} = 0"
    shapes = f'SELECT {shape} AS shape FROM "primary" WHERE {seen}'  # by itself: a column of theirs may be called so
    top = db.execute(
        f"SELECT shape, count(*), sum(count(*)) OVER () FROM ({shapes}) GROUP BY ALL ORDER BY 2 DESC, 1 LIMIT 1"
    ).fetchall()
    for drawn, n, of in top:
        if AGREED * int(of) <= n and set(drawn) - set("a "):
            broken = f"(NOT {column.is_missing} AND {shape} <> {literal(drawn)})"
            yield CoverageRule(Kind.FORMAT, column, given=False, says=f"looks like {drawn}", broken=broken)


def _drawn(column: Column) -> str:
    """SQL: letters as a, digits as 9."""
    letters = rf"regexp_replace(left({column.cell}, {LONGEST_SHAPED}), '\p{{L}}', 'a', 'g')"
    return rf"regexp_replace({letters}, '\p{{N}}', '9', 'g')"
