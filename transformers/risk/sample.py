"""Some rows of a large table, in which personal data is looked for: the same rows every time, whoever asks."""

from typing import TYPE_CHECKING

from transformers.cells.columns import Column
from transformers.risk.personal_data import LONGEST_READ
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

SAMPLE = "risk_sample"
RULE = "the rows whose row number has the smallest hash"
LARGEST_HASH = 2**64 - 1
SPARE = 10  # deviations of how many hashes fall below a limit: so many that there are never too few


def draw_sample(db: "duckdb.DuckDBPyConnection", table: Table, size: int) -> int:
    """Rows drawn. Chosen by a hash, so that neither a sorted nor a periodic file misleads."""
    role, row = quoted(table.role), quoted(SOURCE_ROW)
    chosen = f"WHERE {row} IN (SELECT {row} FROM ({_few(table, size)}) ORDER BY hash({row}), {row} LIMIT {size})"
    db.execute(f"CREATE TEMP TABLE {SAMPLE} AS SELECT * FROM {role} {chosen if table.rows > size else ''}")
    return min(size, table.rows)


def _few(table: Table, size: int) -> str:
    """The row numbers with small hashes, a few more than are wanted: no need to sort the others."""
    row, wanted = quoted(SOURCE_ROW), size + SPARE * size**0.5
    below = min(1.0, wanted / max(table.rows, 1)) * LARGEST_HASH
    return f"SELECT {row} FROM {quoted(table.role)} WHERE hash({row}) <= {int(below)}"


def sampled_cells(db: "duckdb.DuckDBPyConnection", column: Column) -> list[tuple[int, str]]:
    """(source row, text) of the present cells in the sample."""
    query = (
        f"SELECT {quoted(SOURCE_ROW)}, left({column.cell}, {LONGEST_READ}) FROM {SAMPLE}"
        f" WHERE NOT {column.is_missing} ORDER BY 1"
    )
    return db.execute(query).fetchall()
