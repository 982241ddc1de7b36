"""Where a column's ordinary values end: by quartiles, standard deviations or percentiles, exact, in DuckDB.

Keys and codes are no quantities and have no fences; nor has a column whose middle half is one value.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from transformers.cells.casts import not_a_number
from transformers.cells.columns import NUMERIC, Column
from transformers.cells.semantic_types import SemanticType, names_a_key
from transformers.cells.values import chunks

if TYPE_CHECKING:
    import duckdb

CELLS_RANKED = 2_000_000  # doubles that DuckDB holds for exact quantiles at a time: 16 MB a thread
COLUMNS_A_QUERY = 50
LARGEST = 1e150  # beyond it a float's square is infinite


class Method(StrEnum):
    IQR = "iqr"
    Z_SCORE = "z_score"
    PERCENTILE = "percentile"


@dataclass(frozen=True)
class Rule:
    method: Method = Method.IQR
    z: float = 3.0
    iqr: float = 1.5
    lower: float = 1.0
    upper: float = 99.0


@dataclass(frozen=True)
class Fences:
    """Values outside [low, high] are outliers. Median and quartiles are of all finite values."""

    column: Column
    low: float
    high: float
    q1: float
    median: float
    q3: float
    n: int
    outside: int

    @property
    def share(self) -> float:
        return self.outside / self.n

    def beyond(self, number: str) -> str:
        """SQL: that number is outside; NULL or not, infinite or not."""
        return f"coalesce(NOT ({number} BETWEEN {self.low!r} AND {self.high!r}), false)"


def number_of(column: Column, cell: str) -> str:
    """SQL: any expression for the column's cell as a DOUBLE; NULL where it is none, not-a-number included."""
    value = f"CAST({column.value_of(f'trim({cell})') if column.is_text else cell} AS DOUBLE)"
    return f"CASE WHEN NOT {not_a_number(value)} THEN {value} END"


def quantities(columns: Sequence[Column]) -> list[Column]:
    """Numbers that measure something."""
    codes = {SemanticType.POSTCODE, SemanticType.PHONE_NUMBER, SemanticType.YEAR}
    return [
        column
        for column in columns
        if column.logical in NUMERIC and column.semantic not in codes and not names_a_key(column.name)
    ]


def fences(db: "duckdb.DuckDBPyConnection", rows: int, columns: Sequence[Column], rule: Rule) -> list[Fences]:
    """Of the view `primary`. A column in which nothing can lie outside is left out."""
    size = max(1, min(COLUMNS_A_QUERY, CELLS_RANKED // max(rows, 1)))
    return [one for some in chunks(columns, size) for one in _fences(db, some, rule)]


def _fences(db: "duckdb.DuckDBPyConnection", columns: Sequence[Column], rule: Rule) -> Iterator[Fences]:
    points = [0.25, 0.5, 0.75, rule.lower / 100, rule.upper / 100]
    figures = ", ".join(
        f"quantile_cont(x{i}, {points}), avg(x{i}), stddev_samp(x{i}), count(x{i})" for i in range(len(columns))
    )
    numbers = ", ".join(f"{_finite(column)} AS x{i}" for i, column in enumerate(columns))
    [row] = db.execute(f'SELECT {figures} FROM (SELECT {numbers} FROM "primary")').fetchall()
    bounded = {}
    for i, column in enumerate(columns):
        known, mean, spread, n = row[4 * i : 4 * i + 4]
        ends = _ends(rule, known, mean, spread) if n else None
        if ends:
            low, high = (float(f"{end:.12g}") for end in ends)  # two threads add in any order: the last digits differ
            bounded[column] = Fences(column, low, high, known[0], known[1], known[2], n=n, outside=0)
    yield from _counted(db, list(bounded.values()))


def _finite(column: Column) -> str:
    """SQL: the value where it is finite and can be squared."""
    number = f"CAST({column.value} AS DOUBLE)"
    return f"CASE WHEN abs({number}) < {LARGEST!r} THEN {number} END"


def _ends(rule: Rule, known: Sequence[float], mean: float | None, spread: float | None) -> tuple[float, float] | None:
    q1, _, q3, lower, upper = known
    if rule.method is Method.IQR:
        reach = rule.iqr * (q3 - q1)
        return (q1 - reach, q3 + reach) if q3 > q1 else None
    if rule.method is Method.PERCENTILE:
        return (lower, upper) if upper > lower else None
    if mean is None or not spread:
        return None
    return mean - rule.z * spread, mean + rule.z * spread


def _counted(db: "duckdb.DuckDBPyConnection", found: Sequence[Fences]) -> Iterator[Fences]:
    if not found:
        return
    counts = ", ".join(f"count(*) FILTER ({one.beyond(_finite(one.column))})" for one in found)
    [row] = db.execute(f'SELECT {counts} FROM "primary"').fetchall()
    for one, outside in zip(found, row, strict=True):
        yield Fences(one.column, one.low, one.high, one.q1, one.median, one.q3, one.n, outside)
