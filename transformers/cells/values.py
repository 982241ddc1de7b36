"""The distinct values of some columns, each with how often it occurs: one narrow temporary table.

`cell_values(c, v, n, k)`: column `c` (its place in the chunk) holds the text `v` (trimmed, NULL where the cell is) `n`
times, and it looks like the `k`-th `Kind`. Whatever is asked of a cell's text is asked once a distinct value, and by
one expression for many columns: a thousand narrow columns cost few plans, not a thousand.

Cells are grouped as they are written, and trimmed only where one of them needs it: trimming costs more than grouping.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from transformers.cells.kinds import kind_of
from transformers.tables import Table, quoted

if TYPE_CHECKING:
    import duckdb

CELLS_AT_ONCE = 1_000_000  # one million-row column, or a hundred columns of ten thousand rows, held at a time
COLUMNS_AT_ONCE = 200  # beyond it DuckDB plans longer than it scans, and the plan holds more than the data
PADDED = "(starts_with(v, ' ') OR ends_with(v, ' ') OR strlen(v) <> length(v))"  # only such may change when trimmed
T = TypeVar("T")


def gathered(db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[T]) -> Iterator[Sequence[T]]:
    """Fill `cell_values` for one chunk of columns after another; `str(column)` is its name."""
    for some, _ in gathered_as_written(db, table, columns):
        yield some


def gathered_as_written(
    db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[T]
) -> Iterator[tuple[Sequence[T], set[int]]]:
    """The same, with the places of the columns of which a cell had to be trimmed."""
    for some in chunks(columns, max(1, min(COLUMNS_AT_ONCE, CELLS_AT_ONCE // max(table.rows, 1)))):
        db.execute("DROP TABLE IF EXISTS cell_values")  # before the next are grouped: else both are held, and spilled
        _fill(db, _counted(table, [str(column) for column in some]))
        padded = {
            c for (c,) in db.execute(f"SELECT DISTINCT c FROM cell_values WHERE {PADDED} AND v <> trim(v)").fetchall()
        }
        if padded:
            _fill(db, "SELECT c, trim(v) AS v, sum(n)::BIGINT AS n FROM cell_values GROUP BY ALL")
        yield some, padded
    db.execute("DROP TABLE IF EXISTS cell_values")


def _fill(db: "duckdb.DuckDBPyConnection", counted: str) -> None:
    kind = f"{kind_of('v')}::UTINYINT AS k"
    db.execute(f"CREATE OR REPLACE TEMP TABLE cell_values AS SELECT *, {kind} FROM ({counted})")


def _counted(table: Table, names: Sequence[str]) -> str:
    cells, role = [f"CAST({quoted(name)} AS VARCHAR)" for name in names], quoted(table.role)
    if len(cells) == 1:  # grouped by place: a customer's column named v would be meant before this v
        return f"SELECT 0 AS c, v, n FROM (SELECT {cells[0]} AS v, count(*) AS n FROM {role} GROUP BY 1)"
    places = ", ".join(str(place) for place in range(len(cells)))
    unrolled = f"SELECT unnest([{places}]) AS c, unnest([{', '.join(cells)}]) AS v FROM {role}"
    return f"SELECT c, v, count(*) AS n FROM ({unrolled}) GROUP BY c, v"


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
