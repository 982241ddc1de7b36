"""The rows of shared clusters, read in parts of a bounded size, as columns of text and what the rules need of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers.cells.columns import NUMERIC, TEMPORAL, Column, LogicalType
from transformers.mastering.cluster_rows import laid_together, rows_held
from transformers.mastering.clusters import MEMBERS, SAMPLE, shared_stretches
from transformers.mastering.consensus import Cell
from transformers.mastering.ordered_files import Stretch
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

PART_CELLS = 100_000  # decided at a time: as Python texts they would be about 10 MB
TEXT_READ = 2000  # characters of a cell that are compared


@dataclass(frozen=True)
class Cells:
    """A column's cells by row: the place of each among the different texts, -1 where it is missing."""

    codes: "NDArray[np.int32]"
    texts: "pa.StringArray"

    @cached_property
    def _values(self) -> list[Cell]:
        return [*self.texts.to_pylist(), None]  # -1 is the last

    def __getitem__(self, rows: slice) -> list[Cell]:
        values = self._values
        return [values[code] for code in self.codes[rows].tolist()]


@dataclass(frozen=True)
class Part:
    """Some whole clusters, the first row (a place in the part) and the number of rows of each; the rest is by row."""

    clusters: "Numbers"
    starts: "Numbers"
    sizes: "Numbers"
    rows: "Numbers"  # source rows
    cells: Sequence[Cells]  # by column
    keys: dict[int, list[Any]]  # typed values of the columns that a rule compares
    times: list[Any]

    @property
    def spans(self) -> Iterator[slice]:
        for start, size in zip(self.starts.tolist(), self.sizes.tolist(), strict=True):
            yield slice(start, start + size)

    @cached_property
    def filled(self) -> "Numbers":
        """How many cells each row has."""
        import numpy as np

        told = np.zeros(len(self.rows), np.int64)
        for column in self.cells:
            told += column.codes >= 0
        return told


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

    def parts(self, scratch: Path) -> Iterator[tuple[float, Part]]:
        """In order, each with the share of the work that is done with it."""
        listed = shared_stretches(self._db, rows_held(self._db, self._table))
        for place, _ in enumerate(laid_together(self._db, self._table, listed, scratch)):
            ranges = cuts(self._db, max(100, PART_CELLS // max(1, len(self.columns))))
            for within, (above, upto) in enumerate(ranges, start=1):
                part = self._part(MEMBERS, f"__cluster__ > {above} AND __cluster__ <= {upto}")
                yield (place + within / len(ranges)) / len(listed), part

    def sample(self) -> list[Part]:
        """What `cluster_sample` holds."""
        return [self._part(SAMPLE, "true")]

    def _part(self, source: str, condition: str) -> Part:
        import numpy as np

        asked = ["__cluster__", quoted(SOURCE_ROW), *(known_text(c) for c in self.columns)]
        asked += [sortable(self.columns[i]) for i in self._typed]
        asked.append("NULL" if self._timestamp is None else sortable(self.columns[self._timestamp]))
        order = f"__cluster__, {quoted(SOURCE_ROW)}"
        query = f"SELECT {', '.join(asked)} FROM {source} WHERE {condition} ORDER BY {order}"
        found = self._db.sql(query).to_arrow_table()
        numbers = found.column(0).to_numpy()
        starts = np.flatnonzero(np.diff(numbers, prepend=-1))
        n = len(self.columns)
        return Part(
            clusters=numbers[starts],
            starts=starts,
            sizes=np.diff(starts, append=len(numbers)),
            rows=found.column(1).to_numpy(),
            cells=[_coded(found.column(2 + i)) for i in range(n)],
            keys={column: found.column(2 + n + place).to_pylist() for place, column in enumerate(self._typed)},
            times=found.column(found.num_columns - 1).to_pylist(),
        )


def _coded(column: "pa.ChunkedArray") -> Cells:
    import pyarrow as pa

    told = column.cast(pa.string()).combine_chunks().dictionary_encode()
    return Cells(told.indices.fill_null(-1).to_numpy(), told.dictionary)


def cuts(db: "duckdb.DuckDBPyConnection", rows: int) -> list[Stretch]:
    """Ranges of clusters (above, up to) of about so many rows each, of those laid together."""
    numbered = f"SELECT __cluster__ AS c, row_number() OVER (ORDER BY __cluster__) AS n FROM {MEMBERS}"
    query = f"SELECT DISTINCT c FROM ({numbered}) WHERE n % {rows} = 0 UNION SELECT max(__cluster__) FROM {MEMBERS}"
    ends = sorted(c for (c,) in db.execute(query).fetchall() if c is not None)
    return list(zip([-1, *ends], ends, strict=False))


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
