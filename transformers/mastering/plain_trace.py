"""A table that is not golden, traced: its cells against the same row of the source, by the change logs between."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from transformers.cells.kinds import literal
from transformers.mastering.clusters import text
from transformers.mastering.tracing import ColumnTrace, gather_changes, renames
from transformers.tables import SOURCE_ROW, Table, quoted
from transformers.tool import Delivery

if TYPE_CHECKING:
    import duckdb

ROW = quoted(SOURCE_ROW)


def trace_table(
    db: "duckdb.DuckDBPyConnection", table: Table, original: Table, earlier: Sequence[Delivery]
) -> list[ColumnTrace]:
    """Column by column; where nothing ran before, nothing can differ."""
    db.execute(f"CREATE OR REPLACE TEMP VIEW source_rows AS SELECT * FROM read_parquet({text(original.path)})")
    db.execute('CREATE OR REPLACE TEMP TABLE unexplained (source_row BIGINT, "column" VARCHAR)')
    gather_changes(db, earlier)
    before = {new: old for old, new in renames(earlier).items()}
    return [_trace(db, table, original, name, before.get(name, name)) for name in table.columns]


def _trace(db: "duckdb.DuckDBPyConnection", table: Table, original: Table, name: str, source: str) -> ColumnTrace:
    if source not in original.columns:
        [(cells,)] = db.execute(f"SELECT count({quoted(name)}) FROM {quoted(table.role)}").fetchall()
        return ColumnTrace(name, None, cells, 0, cells, 0)
    now, then = f"CAST(t.{quoted(name)} AS VARCHAR)", f"CAST(s.{quoted(source)} AS VARCHAR)"
    joined = (
        f"FROM {quoted(table.role)} t LEFT JOIN source_rows s ON s.{ROW} = t.{ROW} LEFT JOIN (SELECT DISTINCT"
        f' source_row FROM logged WHERE "column" = {literal(name)}) c ON c.source_row = t.{ROW}'
    )
    differs = f"{now} IS DISTINCT FROM {then}"
    [(cells, changed, wrong)] = db.execute(
        f"SELECT count({now}), count(*) FILTER ({differs} AND c.source_row IS NOT NULL),"
        f" count(*) FILTER ({differs} AND c.source_row IS NULL) {joined}"
    ).fetchall()
    if wrong:
        db.execute(
            f"INSERT INTO unexplained SELECT t.{ROW}, {literal(name)} {joined} WHERE {differs} AND c.source_row IS NULL"
        )
    return ColumnTrace(name, source, cells, cells - min(cells, changed + wrong), changed, wrong)


def unexplained_cells(db: "duckdb.DuckDBPyConnection", table: Table, room: int) -> Iterator[tuple[str, Any, list[int]]]:
    """(column, all rows as a NumPy array, the first rows), for rows that the table has."""
    within = f"source_row IN (SELECT {ROW} FROM {quoted(table.role)})"
    columns = db.execute(f'SELECT DISTINCT "column" FROM unexplained WHERE {within} ORDER BY 1').fetchall()
    for (column,) in columns:
        query = f'SELECT DISTINCT source_row AS r FROM unexplained WHERE "column" = ? AND {within} ORDER BY 1'
        found = db.execute(query, [column]).fetchnumpy()["r"]
        yield column, found, [int(row) for row in found[:room]]
