"""The rows of shared clusters laid together, stretch by stretch, though the table is read only once.

Where there is more than one stretch, the table's rows are first dealt out to files, in the order of the table: one file
for each stretch, or for some stretches that follow each other. So a stretch is laid together from its own file.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers.mastering.clusters import CHOSEN, MEMBERS, choose_rows, lay_chosen, text
from transformers.mastering.ordered_files import ROWS_A_STRETCH, Stretch, table_stretches
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

ROW = quoted(SOURCE_ROW)
MOST_FILES = 100  # open at a time: a process has a thousand or so
HELD_CELLS = 600_000  # laid together in DuckDB at a time
HELD_BYTES = 16 * 2**20  # and as much as they may weigh: what a sort of them takes is some times that


def rows_held(db: "duckdb.DuckDBPyConnection", table: Table) -> int:
    """How many rows of the table are laid together at a time, by their cells and their mean size."""
    query = f"SELECT coalesce(sum(total_uncompressed_size), 0)::BIGINT FROM parquet_metadata({text(table.path)})"
    [(size,)] = db.execute(query).fetchall()
    by_size = HELD_BYTES * max(1, table.rows) // max(1, size)
    return int(max(1000, min(HELD_CELLS // max(1, len(table.columns)), by_size)))


def laid_together(
    db: "duckdb.DuckDBPyConnection", table: Table, listed: Sequence[Stretch], scratch: Path
) -> Iterator[Stretch]:
    """`cluster_members` for one stretch after the other: the rows of its shared clusters, in order."""
    if not listed:
        return
    choose_rows(db)
    if len(listed) == 1:
        lay_chosen(db, table, MEMBERS)
        yield from listed
        return
    folder = scratch / "cluster_rows"
    folder.mkdir()
    dealt = _Dealt(folder, listed)
    dealt.deal(db, table)
    for stretch in listed:
        dealt.lay(db, stretch)
        yield stretch
    dealt.remove()


@dataclass(frozen=True)
class _Dealt:
    folder: Path
    listed: Sequence[Stretch]

    @property
    def _ends(self) -> list[int]:
        """The last cluster numbers that go to each file."""
        each = -(-len(self.listed) // MOST_FILES)
        ends = [upto for _, upto in self.listed]
        return [*ends[each - 1 :: each], *([ends[-1]] if len(ends) % each else [])]

    def _path(self, file: int) -> Path:
        return self.folder / f"{file}.arrows"

    def deal(self, db: "duckdb.DuckDBPyConnection", table: Table) -> None:
        import pyarrow as pa

        db.execute(f"CREATE OR REPLACE TEMP TABLE {CHOSEN} AS FROM {CHOSEN} ORDER BY source_row")
        schema = db.sql(f"{_rows_of(table)} LIMIT 0").to_arrow_table().schema
        paths = [self._path(file) for file in range(len(self._ends))]
        # scratch counts against the task, and rows of a table are much alike
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        writers = [pa.ipc.new_stream(str(path), schema, options=options) for path in paths]
        for above, upto in table_stretches(db, table, min(ROWS_A_STRETCH, rows_held(db, table))):
            here = f"c.source_row > {above} AND c.source_row <= {upto} AND t.{ROW} > {above} AND t.{ROW} <= {upto}"
            self._deal_out(db.sql(f"{_rows_of(table)} WHERE {here}").to_arrow_table(), writers)
        for writer in writers:
            writer.close()

    def _deal_out(self, rows: Any, writers: Sequence[Any]) -> None:
        import numpy as np

        file = np.searchsorted(self._ends, rows["__cluster__"].to_numpy())
        for place, writer in enumerate(writers):
            own = np.flatnonzero(file == place)
            if len(own):
                writer.write_table(rows.take(own).combine_chunks())

    def lay(self, db: "duckdb.DuckDBPyConnection", stretch: Stretch) -> None:
        import pyarrow as pa

        above, upto = stretch
        with pa.ipc.open_stream(str(self._path(bisect_left(self._ends, upto)))) as dealt:
            db.register("dealt_rows", dealt)
            db.execute(
                f"CREATE OR REPLACE TEMP TABLE {MEMBERS} AS FROM dealt_rows"
                f" WHERE __cluster__ > {above} AND __cluster__ <= {upto} ORDER BY __cluster__, {ROW}"
            )
            db.unregister("dealt_rows")

    def remove(self) -> None:
        for file in range(len(self._ends)):
            self._path(file).unlink()
        self.folder.rmdir()


def _rows_of(table: Table) -> str:
    """SQL, to be narrowed: rows `t` of the table, and their clusters."""
    return f"SELECT c.cluster AS __cluster__, t.* FROM {CHOSEN} c JOIN {quoted(table.role)} t ON t.{ROW} = c.source_row"
