"""The rows of shared clusters, read in parts of a bounded size, as columns of text and what the rules need of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from transformers.cells.columns import NUMERIC, TEMPORAL, Column, LogicalType
from transformers.mastering.clusters import MEMBERS
from transformers.mastering.consensus import Cell
from transformers.tables import SOURCE_ROW, quoted

if TYPE_CHECKING:
    import duckdb

PART_CELLS = 200_000  # held as Python texts at a time: about 20 MB
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
        columns: Sequence[Column],
        *,
        typed: Sequence[int] = (),
        timestamp: int | None = None,
    ) -> None:
        self.columns = columns
        self._db, self._typed, self._timestamp = db, sorted(typed), timestamp
        [(self.rows,)] = db.execute(f"SELECT count(*) FROM {MEMBERS}").fetchall()

    def parts(self) -> Iterator[Part]:
        bounds = cuts(self._db, max(100, PART_CELLS // max(1, len(self.columns))))
        for above, upto in bounds:
            yield self._part(f"__cluster__ > {above} AND __cluster__ <= {upto}")

    def sample(self, cells: int) -> list[Part]:
        """Whole clusters chosen by a hash, about as many cells as asked for."""
        step = max(1, self.rows * max(1, len(self.columns)) // cells)
        return [self._part(f"hash(__cluster__) % {step} = 0")] if self.rows else []

    def _part(self, condition: str) -> Part:
        asked = ["__cluster__", quoted(SOURCE_ROW), *(known_text(c) for c in self.columns)]
        asked += [sortable(self.columns[i]) for i in self._typed]
        asked.append("NULL" if self._timestamp is None else sortable(self.columns[self._timestamp]))
        order = f"__cluster__, {quoted(SOURCE_ROW)}"
        query = f"SELECT {', '.join(asked)} FROM {MEMBERS} WHERE {condition} ORDER BY {order}"
        lists: list[list[Any]] = [list(values) for values in zip(*self._db.execute(query).fetchall(), strict=True)]
        lists = lists or [[] for _ in asked]
        n = len(self.columns)
        clusters, spans = _spans(lists[0])
        keys = dict(zip(self._typed, lists[2 + n : -1], strict=True))
        return Part(clusters, spans, lists[1], lists[2 : 2 + n], keys, lists[-1])


def cuts(db: "duckdb.DuckDBPyConnection", rows: int) -> list[tuple[int, int]]:
    """Ranges of clusters (above, up to) of about so many rows."""
    numbered = f"SELECT __cluster__ AS c, row_number() OVER (ORDER BY __cluster__) AS n FROM {MEMBERS}"
    ends = [
        c
        for (c,) in db.execute(
            f"SELECT DISTINCT c FROM ({numbered}) WHERE n % {rows} = 0 UNION"
            f" SELECT max(__cluster__) FROM {MEMBERS} ORDER BY 1"
        ).fetchall()
        if c is not None
    ]
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
