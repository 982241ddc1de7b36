"""The room that the matching leaves to itself: what it holds outside the database is taken off the database's share."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from backend.errors import MemoryLimit

if TYPE_CHECKING:
    import duckdb

NOT_ENOUGH = "Finding the rows that are one entity needed more memory than it may use."
SHARE = 0.5  # of the database's memory; pairs, patterns and labels of a million rows take the rest
LEAST_MEBIBYTES = 64.0  # below it DuckDB cannot run a join
NARROW = 64.0  # MiB: what is written and read in a few short columns takes no more


@contextmanager
def room_for_arrays(db: "duckdb.DuckDBPyConnection") -> Iterator[None]:
    """Give the database its memory back at the end."""
    [(limit,)] = db.execute("SELECT current_setting('memory_limit')").fetchall()
    amount, unit = str(limit).split()
    least = LEAST_MEBIBYTES if unit == "MiB" else 0.0
    db.execute(f"SET memory_limit = '{max(float(amount) * SHARE, min(float(amount), least)):.1f} {unit}'")
    db.execute("SET preserve_insertion_order = false")  # it is asked for where it matters, and costs memory
    try:
        yield
    finally:
        db.execute("RESET preserve_insertion_order")
        db.execute(f"SET memory_limit = '{limit}'")


@contextmanager
def told_as_limit() -> Iterator[None]:
    """What does not fit is a limit of ours, told as such.

    Raises:
        MemoryLimit: the database had not enough.
    """
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as failure:
        raise MemoryLimit(NOT_ENOUGH, detail=str(failure)) from failure


@contextmanager
def scratch_file(db: "duckdb.DuckDBPyConnection", name: str) -> Iterator[str]:
    """The path, as SQL writes it, of a Parquet file beside what the database spills; gone at the end."""
    [(spill,)] = db.execute("SELECT current_setting('temp_directory')").fetchall()
    path = Path(spill).parent / f"{name}.parquet"
    try:
        yield str(path).replace("'", "''")
    finally:
        path.unlink(missing_ok=True)


def forget(db: "duckdb.DuckDBPyConnection", *, all_but: Sequence[str] = ()) -> None:
    """Drop the tables of an attempt, or those that nothing asks for any more."""
    names = db.execute("SELECT table_name FROM duckdb_tables() WHERE starts_with(table_name, 'er_')").fetchall()
    for name in sorted({name for (name,) in names} - set(all_but)):
        db.execute(f"DROP TABLE IF EXISTS {name}")
