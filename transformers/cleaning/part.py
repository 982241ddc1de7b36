"""The part of a large table that is previewed: stretches of rows, spread evenly over the file, each row as it is."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers.cleaning.windows import Window
from transformers.intake.writing import RowGroupSink
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

MOST_CELLS = 5_400_000  # 300,000 rows of 18 columns: the whole chain in less than a minute
STRETCHES = 10  # neighbours stay together, since they bear witness to one another


@dataclass(frozen=True)
class Part:
    """`table` has those rows of the whole one that are in a window."""

    table: Table
    windows: tuple[Window, ...]
    whole: int  # rows

    @property
    def told(self) -> dict[str, Any]:
        return {
            "rows": self.table.rows,
            "rows_in_the_table": self.whole,
            "stretches": [[window.first, window.last] for window in self.windows],
        }

    @property
    def sentence(self) -> str:
        return (
            f"Previewed are {self.table.rows:,} of the table's {self.whole:,} rows, in {len(self.windows)} stretches"
            " spread over the file; the run works on all of them."
        )


def part_of(db: "duckdb.DuckDBPyConnection", table: Table, folder: Path) -> Part | None:
    """None where the table is small enough to be previewed whole."""
    rows = MOST_CELLS // max(1, len(table.columns))
    if table.rows <= rows:
        return None
    windows = tuple(_windows(db, rows))
    path = folder / "previewed.parquet"
    written = _write(db, windows, path)
    known = {"path": path, "rows": written, "size_bytes": path.stat().st_size}
    return Part(table.model_copy(update=known), windows, table.rows)


def _windows(db: "duckdb.DuckDBPyConnection", rows: int) -> list[Window]:
    """The first of the file is in one, and the last."""
    row = quoted(SOURCE_ROW)
    [(first, last)] = db.execute(f'SELECT min({row}), max({row}) FROM "primary"').fetchall()
    span, long = last - first + 1, rows // STRETCHES
    starts = [first + (span - long) * number // (STRETCHES - 1) for number in range(STRETCHES)]
    ends = [min(start + long, after) for start, after in pairwise([*starts, last + 1])]
    return [Window(start, end - 1) for start, end in zip(starts, ends, strict=True) if end > start]


def _write(db: "duckdb.DuckDBPyConnection", windows: tuple[Window, ...], path: Path) -> int:
    with RowGroupSink(path, _rows(db, "false").schema) as sink:
        for window in windows:
            for batch in _rows(db, window.holds).combine_chunks().to_batches():
                sink.write(batch)
    return sink.rows


def _rows(db: "duckdb.DuckDBPyConnection", holds: str) -> Any:
    return db.sql(f'SELECT * FROM "primary" WHERE {holds} ORDER BY {quoted(SOURCE_ROW)}').to_arrow_table()
