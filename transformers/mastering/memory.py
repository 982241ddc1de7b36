"""What DuckDB leaves to the Arrow tables and Python texts that an agent holds beside it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

SHARE = 2 / 3  # of what it had: the rest takes a stretch of wide rows, and the slack of what was freed before
LEAST_MEBIBYTES = 64  # below it DuckDB cannot run a join


def leave_room(db: "duckdb.DuckDBPyConnection", memory_bytes: int) -> None:
    """From now on the database does with a share of the memory that it was given; more of it goes to disk."""
    mebibytes = max(LEAST_MEBIBYTES, int(memory_bytes * SHARE) // 2**20)
    db.execute(f"SET memory_limit = '{mebibytes}MiB'")
