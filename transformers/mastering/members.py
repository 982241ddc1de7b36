"""The rows of shared clusters, read in parts of a bounded size, as columns of text and what the rules need of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from transformers.cells.columns import NUMERIC, TEMPORAL, Column, LogicalType
from transformers.mastering.clusters import MEMBERS, SAMPLE, lay_together, shared_stretches, text
from transformers.mastering.consensus import Cell
from transformers.mastering.ordered_files import Stretch
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

PART_CELLS = 100_000  # held as Python texts at a time: about 10 MB
HELD_CELLS = 600_000  # laid together in DuckDB at a time
HELD_BYTES = 16 * 2**20  # and as much as they may weigh: what a sort of them takes is some times that
TEXT_READ = 2000  # characters of a cell that are compared


@dataclass(frozen=True)
class Part:
    """Some whole clusters. `spans` are the first and last place (exclusive) of each; lists are by row."""

    clusters: list[int]
    spans: list[tuple[int, int]]
    rows: list[int]  # source rows
    cells: list[list[Cell]]  # by column, then row
    keys: dict[int, list[Any]]  # typed values of the columns that a rule compares
    times: list[Any]


class Members:
    def __init__(
        self,
        db: "duckdb.DuckDBPyConnection",
        table: Table,
        columns: Sequence[Column],
        *,
        typed: Sequence[int] = (),
        timestamp: int | None = None,
    ) -> None:
        self.columns = columns
        self._db, self._table, self._typed, self._timestamp = db, table, sorted(typed), timestamp

    def parts(self) -> Iterator[tuple[float, Part]]:
        """In order, each with the share of the work that is done with it."""
        listed = shared_stretches(self._db, rows_held(self._db, self._table))
        for place, stretch in enumerate(listed):
            lay_together(self._db, self._table, stretch)
            ranges = cuts(self._db, max(100, PART_CELLS // max(1, len(self.columns))))
            for within, (above, upto) in enumerate(ranges, start=1):
                part = self._part(MEMBERS, f"__cluster__ > {above} AND __cluster__ <= {upto}")
                yield (place + within / len(ranges)) / len(listed), part

    def sample(self) -> list[Part]:
        """What `cluster_sample` holds."""
        return [self._part(SAMPLE, "true")]

    def _part(self, source: str, condition: str) -> Part:
        asked = ["__cluster__", quoted(SOURCE_ROW), *(known_text(c) for c in self.columns)]
        asked += [sortable(self.columns[i]) for i in self._typed]
        asked.append("NULL" if self._timestamp is None else sortable(self.columns[self._timestamp]))
        order = f"__cluster__, {quoted(SOURCE_ROW)}"
        query = f"SELECT {', '.join(asked)} FROM {source} WHERE {condition} ORDER BY {order}"
        lists: list[list[Any]] = [list(values) for values in zip(*self._db.execute(query).fetchall(), strict=True)]
        lists = lists or [[] for _ in asked]
        n = len(self.columns)
        clusters, spans = _spans(lists[0])
        keys = dict(zip(self._typed, lists[2 + n : -1], strict=True))
        return Part(clusters, spans, lists[1], lists[2 : 2 + n], keys, lists[-1])


def rows_held(db: "duckdb.DuckDBPyConnection", table: Table) -> int:
    """How many rows of the table are laid together at a time, by their cells and their mean size."""
    query = f"SELECT coalesce(sum(total_uncompressed_size), 0)::BIGINT FROM parquet_metadata({text(table.path)})"
    [(size,)] = db.execute(query).fetchall()
    by_size = HELD_BYTES * max(1, table.rows) // max(1, size)
    return int(max(1000, min(HELD_CELLS // max(1, len(table.columns)), by_size)))


def cuts(db: "duckdb.DuckDBPyConnection", rows: int) -> list[Stretch]:
    """Ranges of clusters (above, up to) of about so many rows each, of those laid together."""
    numbered = f"SELECT __cluster__ AS c, row_number() OVER (ORDER BY __cluster__) AS n FROM {MEMBERS}"
    query = f"SELECT DISTINCT c FROM ({numbered}) WHERE n % {rows} = 0 UNION SELECT max(__cluster__) FROM {MEMBERS}"
    ends = sorted(c for (c,) in db.execute(query).fetchall() if c is not None)
    return list(zip([-1, *ends], ends, strict=False))


def _spans(clusters: Sequence[int]) -> tuple[list[int], list[tuple[int, int]]]:
    numbers, spans, start = [], [], 0
    for cluster, same in groupby(clusters):
        end = start + sum(1 for _ in same)
        numbers.append(cluster)
        spans.append((start, end))
        start = end
    return numbers, spans


def known_text(column: Column) -> str:
    """SQL: the cell as text, NULL where it is missing."""
    return f"CASE WHEN NOT {column.is_missing} THEN left({column.cell}, {TEXT_READ}) END"


def sortable(column: Column) -> str:
    """SQL: what the column's values are compared by; NULL where a cell does not fit the column's type."""
    if column.logical in NUMERIC:
        return f"CAST({column.value} AS DOUBLE)"
    if column.logical in TEMPORAL:
        return f"epoch(CAST({column.value} AS TIMESTAMP))"
    if column.logical in (LogicalType.TIME, LogicalType.BOOLEAN):
        return f"CAST({column.value} AS VARCHAR)"
    return known_text(column)
