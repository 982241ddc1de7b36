"""Parquet files written in order, a stretch of rows at a time: sorting a wide table whole takes more than memory."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

Stretch = tuple[int, int]  # row or cluster numbers: above the first, up to the second
ROWS_A_STRETCH = 40_000


def stretches(last: int, rows: int = ROWS_A_STRETCH) -> list[Stretch]:
    """From 0 to `last`, at least one."""
    ends = [*range(rows, last, rows), max(last, 1)]
    return list(zip([0, *ends], ends, strict=False))


def table_stretches(db: "duckdb.DuckDBPyConnection", table: Table, rows: int = ROWS_A_STRETCH) -> list[Stretch]:
    """Of a table's source rows."""
    [(last,)] = db.execute(f"SELECT coalesce(max({quoted(SOURCE_ROW)}), 0) FROM {quoted(table.role)}").fetchall()
    return stretches(int(last), rows)


def write_in_order(
    db: "duckdb.DuckDBPyConnection",
    path: Path,
    over: Iterable[Stretch],
    query: Callable[[int, int], str],
    progress: Callable[[float], None] = lambda _share: None,
) -> int:
    """`query` gives the sorted rows of a stretch. The number of rows written."""
    from transformers.intake.writing import RowGroupSink

    sink, listed = None, list(over)
    for done, (above, upto) in enumerate(listed, start=1):
        rows = db.sql(query(above, upto)).to_arrow_table()
        sink = sink or RowGroupSink(path, rows.schema).__enter__()
        for batch in rows.combine_chunks().to_batches():
            sink.write(batch)
        progress(done / len(listed))
    assert sink is not None
    written = sink.rows
    sink.__exit__(None, None, None)
    return written
