"""Rows that repeat earlier rows, cell for cell.

Rows are hashed first, which needs eight bytes a row; only rows whose hash occurs twice are compared in full. So the
count is exact, and a table without duplicates costs one scan.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from transformers.findings import RowIssue, Severity
from transformers.row_findings import RowFindings
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

DUPLICATE_ROW = "duplicate_row"
HASHED_AT_ONCE = 200  # arguments of one hash: beyond it DuckDB plans longer than it scans


def repeated_rows(db: "duckdb.DuckDBPyConnection", table: Table, names: Sequence[str]) -> tuple[Any, Any]:
    """(source rows that repeat an earlier row, the row each repeats), as arrays in the order of the file."""
    role, row, digest = quoted(table.role), quoted(SOURCE_ROW), _digest(names)
    twice = f"SELECT h FROM (SELECT {digest} AS h FROM {role}) GROUP BY h HAVING count(*) > 1"
    cells = ", ".join(quoted(name) for name in names)
    groups = (
        f"SELECT min({row}) OVER (PARTITION BY {cells}) AS first, {row} AS r FROM {role}"
        f" WHERE {digest} IN (SELECT h FROM hashes)"
    )
    found = db.execute(
        f"WITH hashes AS ({twice}) SELECT r, first FROM ({groups}) WHERE r > first ORDER BY r"
    ).fetchnumpy()
    return found["r"], found["first"]


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


def _digest(names: Sequence[str]) -> str:
    parts = [
        f"hash({', '.join(quoted(name) for name in names[start : start + HASHED_AT_ONCE])})"
        for start in range(0, len(names), HASHED_AT_ONCE)
    ]
    return parts[0] if len(parts) == 1 else f"hash({', '.join(parts)})"
