"""Some rows of a table, for what looks at pairs of columns or at words: always the same rows, and told."""

import math
from typing import TYPE_CHECKING

from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

ROWS, CELLS = 10_000, 2_000_000  # the most of a sample: it is held in memory
RULE = "rows whose row number's hash is divisible by the same number"
ROLE = "profile_sample"


def sample_of(db: "duckdb.DuckDBPyConnection", table: Table) -> Table:
    """The table itself where it is small. Chosen by hash, so that neither a sorted nor a periodic file misleads."""
    most = max(1000, min(ROWS, CELLS // max(len(table.columns), 1)))
    if table.rows <= most:
        return table
    row, step = quoted(SOURCE_ROW), math.ceil(table.rows / most)
    chosen = f"SELECT * FROM {quoted(table.role)} WHERE hash({row}) % {step} = 0 ORDER BY {row}"
    db.execute(f"CREATE OR REPLACE TEMP TABLE {ROLE} AS {chosen}")
    n = db.execute(f"SELECT count(*) FROM {ROLE}").fetchall()[0][0]
    return table.model_copy(update={"role": ROLE, "rows": int(n)})
