"""What DuckDB leaves to the Arrow tables and Python texts that an agent holds beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

SHARE = 2 / 3  # of what it had: the rest takes a stretch of wide rows, and the slack of what was freed before
LEAST_MEBIBYTES = 64  # below it DuckDB cannot run a join


def leave_room(db: "duckdb.DuckDBPyConnection", memory_bytes: int) -> None:
    """From now on the database does with a share of the memory that it was given; more of it goes to disk."""
    mebibytes = max(LEAST_MEBIBYTES, int(memory_bytes * SHARE) // 2**20)
    db.execute(f"SET memory_limit = '{mebibytes}MiB'")


@contextmanager
def room_left(db: "duckdb.DuckDBPyConnection", memory_bytes: int) -> Iterator[None]:
    """The same for a while: the distinct cells of a long column take all that there is, and spill as well with less."""
    [(limit,)] = db.execute("SELECT current_setting('memory_limit')").fetchall()
    leave_room(db, memory_bytes)
    try:
        yield
    finally:
        db.execute(f"SET memory_limit = '{limit}'")


@contextmanager
def one_at_a_time(db: "duckdb.DuckDBPyConnection") -> Iterator[None]:
    """For joins of long texts over every row: one thread, in whatever order, holds the least."""
    [(threads,)] = db.execute("SELECT current_setting('threads')").fetchall()
    db.execute("SET threads = 1")
    db.execute("SET preserve_insertion_order = false")
    try:
        yield
    finally:
        db.execute("RESET preserve_insertion_order")
        db.execute(f"SET threads = {threads}")
