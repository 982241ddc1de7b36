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
    """A DuckDB in which each role is a view, bounded in memory, spilling to scratch, closed to the outside.

    All else that is made in it is TEMP: gone with the connection.
    """
    few = sum(table.rows * len(table.columns) for table in tables.values()) < FEW_CELLS
    settings: dict[str, str | int] = {
        "memory_limit": f"{max(memory_bytes, 64 * 2**20) // 2**20}MiB",
        "temp_directory": str(scratch / "spill"),
        "threads": 1 if few else 2,
    }
    engine = (_idle_engine(scratch.parent, settings) if few else None) or _new_engine(settings)
    try:
        with engine.cursor() as connection:
            connection.execute("SET TimeZone = 'UTC'")  # a worker's own zone is no part of a customer's data
            for role, table in tables.items():
                path = _literal(table.path)
                connection.execute(f"CREATE VIEW {quoted(role)} AS SELECT * FROM read_parquet({path})")
            yield connection
        for role in tables:
            engine.execute(f"DROP VIEW {quoted(role)}")
    except BaseException:
        engine.close()
        raise
    if few and not (scratch / "spill").exists() and not _IDLE:
        _IDLE[scratch.parent] = engine
    else:
        engine.close()


# To open an engine enters 3,000 functions, 23 ms of a processor: as much as all that is asked of a small file. So a
# process keeps one of a small table that went well: it has one thread, and no memory or file of the table it was for.
# It is kept for the agents of the same task: what one of them has SET is nothing to another customer.
_IDLE: "dict[Path, duckdb.DuckDBPyConnection]" = {}  # by the folder of the task's steps; one at most


def _idle_engine(steps: Path, settings: "Mapping[str, str | int]") -> "duckdb.DuckDBPyConnection | None":
    """With these settings, and nothing kept of files; None where there is none that takes them."""
    import duckdb

    engine = _IDLE.pop(steps, None)
    while _IDLE:
        _IDLE.popitem()[1].close()
    if engine is None:
        return None
    try:
        engine.execute("SET enable_external_file_cache = false; SET enable_external_file_cache = true")
        for name, value in settings.items():
            engine.execute(f"SET {name} = {_literal(value)}")
    except duckdb.Error:
        engine.close()
        return None
    return engine


def _new_engine(settings: "Mapping[str, str | int]") -> "duckdb.DuckDBPyConnection":
    import duckdb

    return duckdb.connect(
        config={**settings, "autoinstall_known_extensions": False, "autoload_known_extensions": False}
    )


def _literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


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
