"""Golden records: one row for each cluster, put together from the winning cells, and where each cell came from.

Cells are taken as they are, with their type; nothing is rewritten. A record's row number is the first of its source
rows. Its trust is the mean confidence of its fields.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers.cells.columns import Column
from transformers.cells.kinds import literal
from transformers.mastering.cluster_rows import laid_together, rows_held
from transformers.mastering.clusters import CLUSTERS, MEMBERS, shared_stretches, text
from transformers.mastering.decision import OF_THE_ROW, ONLY_RECORD
from transformers.mastering.lone_trust import LoneTrust
from transformers.mastering.ordered_files import ROWS_A_STRETCH, stretches, write_in_order
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

WHOLE_RECORD = "*"  # the column named in lineage where a record is one source row as it stands
IDS = "golden_ids"  # view: cluster, golden_id
ROW = quoted(SOURCE_ROW)


@dataclass(frozen=True)
class Names:
    """The columns a golden record has beside the customer's, under names that are still free."""

    id: str
    trust: str
    count: str

    @classmethod
    def beside(cls, columns: Sequence[str]) -> "Names":
        return cls(*(free(name, columns) for name in ("golden_id", "trust_score", "source_row_count")))


def free(name: str, taken: Sequence[str]) -> str:
    """The name, or name_2, _3 …, unlike any that is taken, whatever its case."""
    known = {one.casefold() for one in taken}
    number, candidate = 1, name
    while candidate.casefold() in known:
        number += 1
        candidate = f"{name}_{number}"
    return candidate


@dataclass(frozen=True)
class Golden:
    """What a build needs: the decisions' file, and how sure a value is that stands alone."""

    db: "duckdb.DuckDBPyConnection"
    table: Table
    columns: Sequence[Column]
    decisions: Path
    lone: LoneTrust
    scratch: Path

    @property
    def names(self) -> Names:
        return Names.beside(self.table.columns)

    def write(self, progress: Callable[[float], None]) -> Table:
        """The golden table. Expects `clusters`, `cluster_sizes` and `golden_ids`."""
        self.lone.lay_out(self.db, self.columns)
        merged = self.scratch / "merged.parquet"
        self._write_merged(merged, lambda share: progress(0.6 * share))
        path, names = self.scratch / "golden.parquet", self.names
        rows = write_in_order(
            self.db,
            path,
            stretches(self.last_row),
            lambda above, upto: self._records(merged, above, upto),
            lambda share: progress(0.6 + 0.4 * share),
        )
        columns = (names.id, *self.table.columns, names.trust, names.count)
        return self.table.model_copy(
            update={"path": path, "rows": rows, "columns": columns, "size_bytes": path.stat().st_size, "repairs": ()}
        )

    @property
    def last_row(self) -> int:
        [(last,)] = self.db.execute(f"SELECT coalesce(max(source_row), 0) FROM {CLUSTERS}").fetchall()
        return int(last)

    def _records(self, merged: Path, above: int, upto: int) -> str:
        """SQL: the golden records that begin in a stretch of source rows."""
        alone, beside = self.lone.mean("r", self.columns), self.lone.join("r", self.columns)
        names, cells = self.names, ", ".join(f"r.{quoted(name)}" for name in self.table.columns)
        here, of_cluster = f"r.{ROW} > {above} AND r.{ROW} <= {upto}", f"> {above} AND {{0}} <= {upto}"
        sizes = f"(FROM cluster_sizes WHERE cluster {of_cluster.format('cluster')})"
        trust = (
            f"SELECT cluster, round(avg(confidence), 4) AS trust FROM read_parquet({text(self.decisions)})"
            f" WHERE rule <> {literal(OF_THE_ROW)} AND cluster {of_cluster.format('cluster')} GROUP BY cluster"
        )
        both = (
            f"SELECT s.n AS __n__, s.cluster AS __cluster__, coalesce(t.trust, 0.0) AS __trust__, {cells}, r.{ROW} FROM"
            f" read_parquet({text(merged)}) r JOIN {sizes} s ON s.cluster = r.{ROW}"
            f" LEFT JOIN ({trust}) t ON t.cluster = s.cluster WHERE {here}"
            f" UNION ALL SELECT s.n, s.cluster, {alone}, {cells}, r.{ROW} FROM"
            f" {quoted(self.table.role)} r JOIN {sizes} s ON s.cluster = r.{ROW}{beside}"
            f" WHERE s.n = 1 AND {here}"
        )
        return (
            f"SELECT i.golden_id AS {quoted(names.id)}, {cells}, r.__trust__ AS {quoted(names.trust)},"
            f" r.__n__ AS {quoted(names.count)}, r.{ROW} FROM ({both}) r JOIN {IDS} i ON i.cluster = r.__cluster__"
            f" WHERE i.cluster {of_cluster.format('i.cluster')} ORDER BY r.{ROW}"
        )

    def _write_merged(self, path: Path, progress: Callable[[float], None]) -> None:
        from transformers.intake.writing import RowGroupSink

        cells = ", ".join(quoted(name) for name in self.table.columns)
        empty = self.db.sql(f"SELECT {cells}, {ROW} FROM {quoted(self.table.role)} LIMIT 0").to_arrow_table()
        listed = shared_stretches(self.db, rows_held(self.db, self.table))
        with RowGroupSink(path, empty.schema) as sink:
            for done, (above, upto) in enumerate(laid_together(self.db, self.table, listed, self.scratch), start=1):
                for batch in self._merged(f"> {above} AND {{0}} <= {upto}").to_batches():
                    sink.write(batch)
                progress(done / len(listed))

    def _merged(self, within: str) -> Any:
        """The golden rows of some clusters, as an Arrow table."""
        import numpy as np
        import pyarrow as pa

        rows = self.db.sql(f"SELECT * FROM {MEMBERS} ORDER BY __cluster__, {ROW}").to_arrow_table()
        won = self.db.execute(
            f'SELECT cluster, "column", source_row FROM read_parquet({text(self.decisions)}) WHERE cluster'
            f" {within.format('cluster')} AND source_row IS NOT NULL"
        ).fetchnumpy()
        clusters = np.unique(rows["__cluster__"].to_numpy())
        numbers = rows[SOURCE_ROW].to_numpy()
        order = np.argsort(numbers)
        at = order[np.searchsorted(numbers, won["source_row"], sorter=order)]
        place = np.searchsorted(clusters, won["cluster"])
        names = np.asarray(won["column"])
        taken = [self._taken(rows[name], names == name, place, at, len(clusters)) for name in self.table.columns]
        return pa.table([*taken, pa.array(clusters, pa.int64())], names=[*self.table.columns, SOURCE_ROW])

    @staticmethod
    def _taken(column: Any, mine: Any, place: Any, at: Any, clusters: int) -> Any:
        import numpy as np
        import pyarrow as pa

        chosen = np.full(clusters, -1, dtype=np.int64)
        chosen[place[mine]] = at[mine]
        return column.take(pa.array(chosen, mask=chosen < 0))

    def write_lineage(self, path: Path) -> int:
        """golden_id, column, value, source_row, rule, confidence: a line for each golden cell, in order.

        A record of one source row has one line for all its cells: the column `*`.
        """
        names = ", ".join(literal(name) for name in self.table.columns)
        place = f'list_position([{names}]::VARCHAR[], "column")'
        alone, beside = self.lone.mean("r", self.columns), self.lone.join("r", self.columns)

        def lines(above: int, upto: int) -> str:
            here = f"> {above} AND {{0}} <= {upto}"
            return (
                f'SELECT i.golden_id, d."column", d.value, d.source_row, d.rule, d.confidence FROM ('
                f'SELECT cluster, "column", value, source_row, rule, confidence, {place} AS place'
                f" FROM read_parquet({text(self.decisions)}) WHERE cluster {here.format('cluster')} UNION ALL"
                f" SELECT s.cluster, '{WHOLE_RECORD}', NULL, s.cluster, '{ONLY_RECORD}', {alone}, 0"
                f" FROM cluster_sizes s JOIN {quoted(self.table.role)} r ON r.{ROW} = s.cluster"
                f"{beside} WHERE s.n = 1 AND s.cluster {here.format('s.cluster')} AND r.{ROW} {here.format('r.' + ROW)}"
                f") d JOIN {IDS} i ON i.cluster = d.cluster WHERE i.cluster {here.format('i.cluster')}"
                " ORDER BY d.cluster, d.place"
            )

        return write_in_order(self.db, path, stretches(self.last_row), lines)

    def write_cross_reference(self, path: Path) -> None:
        """source_row, golden_id, probability, source_key: every source row once, in order."""

        def lines(above: int, upto: int) -> str:
            return (
                f"SELECT c.source_row, i.golden_id, c.probability, k.source_key FROM {CLUSTERS} c"
                f" JOIN {IDS} i ON i.cluster = c.cluster JOIN golden_keys k ON k.source_row = c.source_row"
                f" WHERE c.source_row > {above} AND c.source_row <= {upto} AND k.source_row > {above}"
                f" AND k.source_row <= {upto} ORDER BY c.source_row"
            )

        write_in_order(self.db, path, stretches(self.last_row, 2 * ROWS_A_STRETCH), lines)
