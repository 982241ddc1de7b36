"""The distinct values of some columns, each with how often it occurs: one narrow temporary table.

`cell_values(c, v, n)`: column `c` (its place in the chunk) holds the text `v` (trimmed, NULL where the cell is) `n`
times. Whatever is asked of a cell's text is asked once a distinct value, and by one expression for many columns: a
thousand narrow columns cost one plan, not a thousand.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from transformers.tables import Table, quoted

if TYPE_CHECKING:
    import duckdb

CELLS_AT_ONCE = 1_000_000  # one million-row column, or a thousand columns of a thousand rows, held at a time
T = TypeVar("T")


def gathered(db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[T]) -> Iterator[Sequence[T]]:
    """Fill `cell_values` for one chunk of columns after another; `str(column)` is its name."""
    for some in chunks(columns, max(1, CELLS_AT_ONCE // max(table.rows, 1))):
        names = [quoted(str(column)) for column in some]
        values = ", ".join(f"trim(CAST({name} AS VARCHAR))" for name in names)
        places = ", ".join(str(place) for place in range(len(names)))
        cells = (
            f"SELECT 0 AS c, {values} AS v FROM {quoted(table.role)}"
            if len(names) == 1
            else f"SELECT unnest([{places}]) AS c, unnest([{values}]) AS v FROM {quoted(table.role)}"
        )
        db.execute(
            f"CREATE OR REPLACE TEMP TABLE cell_values AS SELECT c, v, count(*) AS n FROM ({cells}) GROUP BY c, v"
        )
        yield some
    db.execute("DROP TABLE IF EXISTS cell_values")


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
