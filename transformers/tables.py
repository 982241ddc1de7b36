"""A table between agents: a Parquet file and what is known of its origin.

Text formats arrive as strings, cell for cell; typing is an explicit cast (columns.py). Parquet keeps its own types.
Every row carries the number it had in the customer's file.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

SOURCE_ROW = "__source_row__"  # int64, 1 = the first row of data; never shown as a column of the customer's
AT_REST = 16.0  # MiB that the database may hold while others work: a small table is not written to disk and read again
FEW_CELLS = 20_000  # a second thread costs more than it does: a fifth of the seconds of a small file


class Repair(BaseModel):
    """What intake changed or set aside in order to read the file."""

    model_config = ConfigDict(frozen=True)

    kind: str  # e.g. ragged_short, ragged_long, nul_removed, renamed_column, mixed_encoding
    message: str
    count: int
    rows: tuple[int, ...] = ()  # the first of them, as numbered in the source


class Table(BaseModel):
    """A table on local scratch. `columns` are the customer's, in order, made unique and non-empty."""

    model_config = ConfigDict(frozen=True)

    role: str
    name: str
    path: Path
    format: str
    rows: int
    columns: tuple[str, ...]
    size_bytes: int
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    repairs: tuple[Repair, ...] = ()
    rejected_rows: int = 0
    rejects_path: Path | None = None  # Parquet: source_row int64, reason text, raw text


def quoted(identifier: str) -> str:
    """An SQL identifier, safe whatever the customer called the column."""
    return '"' + identifier.replace('"', '""') + '"'


@contextmanager
def database_over(
    tables: "Mapping[str, Table]", scratch: Path, memory_bytes: int
) -> Iterator["duckdb.DuckDBPyConnection"]:
    """A DuckDB in which each role is a view, bounded in memory, spilling to scratch, closed to the outside."""
    import duckdb

    cells = sum(table.rows * len(table.columns) for table in tables.values())
    connection = duckdb.connect(
        config={
            "memory_limit": f"{max(memory_bytes, 64 * 2**20) // 2**20}MiB",
            "temp_directory": str(scratch / "spill"),
            "threads": 1 if cells < FEW_CELLS else 2,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    try:
        connection.execute("SET TimeZone = 'UTC'")  # a worker's own zone is no part of a customer's data
        for role, table in tables.items():
            path = str(table.path).replace("'", "''")
            connection.execute(f"CREATE VIEW {quoted(role)} AS SELECT * FROM read_parquet('{path}')")
        yield connection
    finally:
        connection.close()


@contextmanager
def holding(db: "duckdb.DuckDBPyConnection", mebibytes: float) -> Iterator[None]:
    """While arrays are at work the database has no more than that: its tables go to disk, and the memory back."""
    import duckdb

    [(limit,)] = db.execute("SELECT current_setting('memory_limit')").fetchall()
    amount, unit = str(limit).split()
    if unit == "GiB" or float(amount) > mebibytes:
        with suppress(duckdb.OutOfMemoryException):  # it cannot let go of so much: it has let go of what it could
            db.execute(f"SET memory_limit = '{mebibytes} MiB'")
    try:
        yield
    finally:
        db.execute(f"SET memory_limit = '{limit}'")
