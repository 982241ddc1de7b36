"""A real column's summary, by DuckDB: the same figures that the model learned from, in bounded memory.

Values are told apart by a hash: of a long column only the values whose hash falls into one part of many are counted,
which tells exactly whether they repeat. All figures of text cells are over TRY_CAST, as pandas would read them.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from transformers.cells.columns import Column
from transformers.cells.values import chunks
from transformers.feature_types.summaries import SAMPLES, ColumnSummary
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

HEAD = 300  # rows from which the sampled values are taken
LONGEST = 400  # characters of a value that say what it looks like
CELLS_AT_ONCE = 1_000_000  # whose hashes one query may hold, were they all different: some 40 MB
CELLS_OF_A_COLUMN = 200_000
COLUMNS_AT_ONCE = 100  # unrolled, 2,048 rows at a time: some 20 MB
FEW = 10_000  # up to here the approximate count of values is the one that is told
LARGEST = 1e150  # beyond it a variance overflows
NOTHING = (0, 0, 0.0, 0.0, 0.0, 0.0)  # the figures of a column without a cell


def summaries_of(db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[Column]) -> list[ColumnSummary]:
    """In the order of `columns`."""
    parts = max(1, -(-table.rows // CELLS_OF_A_COLUMN))
    at_once = max(1, CELLS_AT_ONCE // max(1, min(table.rows, CELLS_OF_A_COLUMN)))
    found: list[ColumnSummary] = []
    for some in chunks(columns, min(at_once, COLUMNS_AT_ONCE)):
        cells = _cells(table, some)
        figures, repeats = _figures(db, cells), _repeats(db, cells, parts)
        for place, (column, samples) in enumerate(zip(some, _samples(db, table, some), strict=True)):
            known = figures.get(place, NOTHING), repeats.get(place, (0, 0))
            found.append(_summary(column, *known, samples, parts))
    return found


def _cells(table: Table, columns: Sequence[Column]) -> str:
    """One expression for many columns: a thousand of them cost one plan, not a thousand."""
    places = ", ".join(str(place) for place in range(len(columns)))
    cells = ", ".join(f"CASE WHEN NOT {column.is_missing} THEN {column.cell} END" for column in columns)
    unrolled = f"SELECT unnest([{places}]) AS c, unnest([{cells}]) AS v FROM {quoted(table.role)}"
    return f"(SELECT c, v, TRY_CAST(v AS DOUBLE) AS x FROM ({unrolled}) WHERE v IS NOT NULL)"


def _figures(db: "duckdb.DuckDBPyConnection", cells: str) -> dict[int, Sequence[Any]]:
    finite = f"CASE WHEN abs(x) < {LARGEST} THEN x END"
    spread = ", ".join(f"coalesce({figure}({finite}), 0)::DOUBLE" for figure in ("avg", "stddev_samp", "min", "max"))
    asked = f"SELECT c, approx_count_distinct(v), count(x), {spread} FROM {cells} GROUP BY c"
    return {place: figures for place, *figures in db.execute(asked).fetchall()}


def _repeats(db: "duckdb.DuckDBPyConnection", cells: str, parts: int) -> dict[int, tuple[int, int]]:
    """(cells, different ones) of the part that is counted. Not count(DISTINCT): each of those reserves megabytes."""
    values = f"SELECT c, hash(v) AS h, count(*) AS n FROM {cells} WHERE hash(v) % {parts} = 0 GROUP BY c, h"
    found = db.execute(f"SELECT c, sum(n)::BIGINT, count(*) FROM ({values}) GROUP BY c").fetchall()
    return {place: (cells, different) for place, cells, different in found}


def _summary(
    column: Column, figures: Sequence[Any], repeats: tuple[int, int], samples: tuple[str, ...], parts: int
) -> ColumnSummary:
    about, numbers, *spread = figures
    mean, deviation, least, most = spread if numbers == column.present > 0 else (0.0, 0.0, 0.0, 0.0)
    return ColumnSummary(
        name=column.name,
        rows=column.rows,
        missing=column.missing,
        distinct=_distinct(column, about, *repeats, parts),
        mean=mean,
        deviation=deviation,
        least=least,
        most=most,
        samples=samples,
    )


def _distinct(column: Column, about: int, counted: int, different: int, parts: int) -> int:
    if parts > 1 and about <= FEW:
        return int(about)
    return column.present if counted == different else min(different * parts, column.present)


def _samples(db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[Column]) -> list[tuple[str, ...]]:
    cells = ", ".join(
        f"CASE WHEN {column.is_missing} THEN '' ELSE left({column.cell}, {LONGEST}) END" for column in columns
    )
    rows = db.execute(f"SELECT {cells} FROM {quoted(table.role)} ORDER BY {quoted(SOURCE_ROW)} LIMIT {HEAD}").fetchall()
    return [_first(values) for values in zip(*rows, strict=True)] if rows else [()] * len(columns)


def _first(values: Sequence[str | None]) -> tuple[str, ...]:
    """The first different ones, and from the beginning again where they are too few."""
    different = list(dict.fromkeys(value or "" for value in values))[:SAMPLES]
    return tuple(different[i % len(different)] for i in range(SAMPLES))
