"""Rows at fault: those that repeat earlier rows, cell for cell, and those with a number out of line.

Rows are hashed first, which needs sixteen bytes a row; only rows whose hash occurs twice are compared in full. So the
count is exact, and a table without duplicates costs one scan. Where a column is different in every row, none.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from transformers.cells.columns import Column
from transformers.cells.values import chunks
from transformers.findings import RowIssue, Severity
from transformers.profiling.numbers import NumberFigures, as_number
from transformers.row_findings import CellCheck, RowFindings
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

DUPLICATE_ROW = "duplicate_row"
COLUMNS_COMPARED = 200  # in one query: a thousand held side by side cost more than the data


def repeated_rows(db: "duckdb.DuckDBPyConnection", table: Table, names: Sequence[str]) -> tuple[Any, Any]:
    """(source rows that repeat an earlier row, the row each repeats), as arrays in the order of the file."""
    _same_digest(db, table, names)
    for cells in chunks(names, COLUMNS_COMPARED):
        groups = f"min(ours.r) OVER (PARTITION BY ours.g, {_named(cells)}) AS g"
        db.execute(
            f"CREATE OR REPLACE TEMP TABLE alike_so_far AS SELECT ours.r, {groups} FROM {_beside(table, 'alike')}"
        )
        db.execute("CREATE OR REPLACE TEMP TABLE alike AS FROM alike_so_far")
    found = db.execute("SELECT r, g AS first FROM alike WHERE r > g ORDER BY r").fetchnumpy()
    for temporary in ("alike", "alike_so_far", "digests"):
        db.execute(f"DROP TABLE IF EXISTS {temporary}")
    return found["r"], found["first"]


def _same_digest(db: "duckdb.DuckDBPyConnection", table: Table, names: Sequence[str]) -> None:
    """Fill `alike(r, g)` with the rows whose digest g another row has too; a wide table is digested part by part."""
    first, *others = [f"hash({_named(cells)})" for cells in chunks(names, COLUMNS_COMPARED)]
    source = f"(SELECT theirs.{quoted(SOURCE_ROW)} AS r, {first} AS g FROM {quoted(table.role)} AS theirs)"
    for digest in others:
        db.execute(f"CREATE OR REPLACE TEMP TABLE alike AS SELECT r, g FROM {source}")
        longer = f"SELECT ours.r, hash(ours.g, {digest}) AS g FROM {_beside(table, 'alike')}"
        db.execute(f"CREATE OR REPLACE TEMP TABLE digests AS {longer}")
        source = "digests"
    if not others:
        db.execute(f"CREATE OR REPLACE TEMP TABLE digests AS SELECT r, g FROM {source}")
    twice = "SELECT g FROM digests GROUP BY g HAVING count(*) > 1"
    db.execute(f"CREATE OR REPLACE TEMP TABLE alike AS SELECT r, g FROM digests WHERE g IN ({twice})")


def _beside(table: Table, rows: str) -> str:
    return f"{rows} AS ours JOIN {quoted(table.role)} AS theirs ON ours.r = theirs.{quoted(SOURCE_ROW)}"


def _named(cells: Sequence[str]) -> str:
    return ", ".join(f"theirs.{quoted(cell)}" for cell in cells)


def note_repeated(rows: RowFindings, found: Any, first: Any) -> None:
    """Each repeated row as a finding that names the row it repeats."""
    rows.count(DUPLICATE_ROW, Severity.MEDIUM, "", found)
    kept = max(rows.room(DUPLICATE_ROW), 0)
    rows.keep(
        RowIssue(
            row_index=int(row),
            column="",
            issue_type=DUPLICATE_ROW,
            severity=Severity.MEDIUM,
            message=f"Repeats row {int(original)} in every column.",
        )
        for row, original in zip(found[:kept], first[:kept], strict=True)
    )


def outlying(columns: Sequence[Column], numbers: Mapping[str, NumberFigures]) -> list[CellCheck]:
    """Cells beyond their column's fences."""
    found = [(column, numbers[column.name]) for column in columns if column.name in numbers]
    return [
        CellCheck(
            kind="outlier",
            severity=Severity.LOW,
            column=column.name,
            condition=f"({number} < {figures.low!r} OR {number} > {figures.high!r})",
            cell=column.cell,
            count=figures.outliers,
            message=f"Outside {figures.low:.6g} … {figures.high:.6g}.",
        )
        for column, figures in found
        if figures.outliers and (number := as_number(column, column.own_value))
    ]
