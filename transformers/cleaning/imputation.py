"""What to put where nothing is: one figure for a column, or the row before or behind.

A fill's confidence is measured on the cells that are there: how often the fill would have met them.
"""

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from transformers.cells.columns import NUMERIC, Column, LogicalType
from transformers.cells.kinds import Kind, literal
from transformers.tables import SOURCE_ROW, quoted

if TYPE_CHECKING:
    import duckdb

NEAR = 0.1  # standard deviations within which a number counts as met
DECIMALS = 6  # that are written as the column has them; more only as far as they say something
SIGNIFICANT = 12  # digits: the last ones of a sum over several threads change from run to run


@dataclass(frozen=True)
class Fill:
    """Text that every empty cell of the column gets; None where there is nothing to learn it from."""

    value: str | None
    confidence: float


def centre(db: "duckdb.DuckDBPyConnection", column: Column, here: str, *, median: bool) -> Fill:
    """The mean or median of the values for which `here` is true, written with the column's decimals."""
    number = f"CAST({column.value} AS DOUBLE)"
    values = f'(SELECT {number} AS x FROM "primary" WHERE {here} AND isfinite({number}))'
    figure = "median(x)" if median else "favg(x)"
    [(value, spread)] = db.execute(f"SELECT {figure}, stddev_samp(x) FROM {values}").fetchall()
    if value is None or not math.isfinite(value):
        return Fill(None, 0.0)
    filled = written(steady(value), decimals(db, column))
    return Fill(filled, _met(db, values, steady(value), steady(spread or 0.0)))


def _met(db: "duckdb.DuckDBPyConnection", values: str, value: float, spread: float) -> float:
    """The share of the values that lie near this one; none of them where they lie too far apart to be measured."""
    if not math.isfinite(spread):
        return 0.0
    [(met,)] = db.execute(
        f"SELECT avg(CAST(abs(x - {value!r}) <= {NEAR * spread!r} AS INTEGER)) FROM {values}"
    ).fetchall()
    return round(float(met), 4)


def most_frequent(db: "duckdb.DuckDBPyConnection", column: Column, here: str) -> Fill:
    """Of equally frequent values the one that comes first in the file."""
    cell = f"CAST({quoted(column.name)} AS VARCHAR)"
    found = db.execute(
        f"SELECT v, count(*), sum(count(*)) OVER () FROM"
        f' (SELECT {cell} AS v, {quoted(SOURCE_ROW)} AS r FROM "primary" WHERE {here})'
        " GROUP BY v ORDER BY count(*) DESC, min(r) LIMIT 1"
    ).fetchall()
    if not found:
        return Fill(None, 0.0)
    [(value, times, present)] = found
    return Fill(str(value), round(times / int(present), 4))


def decimals(db: "duckdb.DuckDBPyConnection", column: Column) -> int | None:
    """Places behind the point that the column is written with; None where exponents tell, or nothing."""
    if column.logical is LogicalType.INTEGER:
        return 0
    if not column.is_text:
        return None
    point = "[.,]" if column.kinds.get(Kind.COMMA_DECIMAL) else r"\."
    places = f"length(regexp_extract({column.cell}, {literal(point + '([0-9]+)$')}, 1))"
    exponent = f"regexp_matches({column.cell}, '[0-9.][eE][+-]?[0-9]+$')"
    [(most, scientific)] = db.execute(
        f'SELECT max({places}), bool_or({exponent}) FROM "primary" WHERE NOT {column.is_missing}'
    ).fetchall()
    return None if scientific else int(most or 0)


def steady(value: float) -> float:
    """Without the digits that hang on the order of a sum."""
    return float(f"{value:.{SIGNIFICANT}g}")


def written(value: float, places: int | None) -> str:
    if places is None:
        return f"{value:.{SIGNIFICANT}g}"
    exact = Decimal(f"{value:.{SIGNIFICANT}g}")
    telling = -int(exact.as_tuple().exponent)
    return f"{exact:.{min(places, max(telling, DECIMALS))}f}"


def neighbours(db: "duckdb.DuckDBPyConnection", column: Column, here: str, *, before: bool, rule: str) -> str:
    """SQL for edits: each empty cell gets the last present one before (or the first behind) it."""
    row, cell = quoted(SOURCE_ROW), f"CAST({quoted(column.name)} AS VARCHAR)"
    order = f"ORDER BY {row}{'' if before else ' DESC'}"
    kept = f'SELECT {row} AS r, CASE WHEN {here} THEN {cell} END AS v FROM "primary"'
    filled = f"last_value(v IGNORE NULLS) OVER ({order.replace(row, 'r')} ROWS UNBOUNDED PRECEDING)"
    sure = _alike_neighbours(db, kept)
    return (
        f'SELECT r AS source_row, {literal(column.name)} AS "column", f AS new, {literal(rule)} AS rule,'
        f" CAST({sure!r} AS DOUBLE) AS confidence FROM (SELECT r, v, {filled} AS f FROM ({kept}))"
        " WHERE v IS NULL AND f IS NOT NULL"
    )


def _alike_neighbours(db: "duckdb.DuckDBPyConnection", kept: str) -> float:
    """How often a present cell equals the present one before it."""
    lagged = f"SELECT v, lag(v) OVER (ORDER BY r) AS p FROM ({kept}) WHERE v IS NOT NULL"
    [(share,)] = db.execute(f"SELECT avg(CAST(v = p AS INTEGER)) FROM ({lagged}) WHERE p IS NOT NULL").fetchall()
    return round(float(share or 0.0), 4)


def is_number(column: Column) -> bool:
    return column.logical in NUMERIC
