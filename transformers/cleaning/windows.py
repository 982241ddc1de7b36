"""A table read a stretch of source rows at a time, so that what is held does not grow with the file.

Stretches follow the Parquet row groups, which their writers keep small in rows and in bytes: each is decoded once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from pathlib import Path

from transformers.cells.kinds import literal
from transformers.intake.writing import ROW_GROUP_ROWS
from transformers.tables import SOURCE_ROW, quoted


@dataclass(frozen=True)
class Window:
    """Source rows `first` to `last`, both in it."""

    first: int
    last: int

    @property
    def holds(self) -> str:
        """SQL: the row is in it."""
        return f"{quoted(SOURCE_ROW)} BETWEEN {self.first} AND {self.last}"


def windows_over(paths: Iterable[Path]) -> list[Window]:
    """One after another from the first to the last source row of these files together; at least one."""
    starts, last = set[int](), 0
    for path in paths:
        for lowest, highest, rows in _row_groups(path):
            parts = ceil(rows / ROW_GROUP_ROWS)
            span = highest - lowest + 1
            starts |= {lowest + span * part // parts for part in range(parts)}
            last = max(last, highest)
    if not starts:
        return [Window(0, 0)]
    return [Window(first, after - 1) for first, after in pairwise([*sorted(starts), last + 1])]


def _row_groups(path: Path) -> Iterable[tuple[int, int, int]]:
    """(lowest source row, highest, rows)."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        place = file.schema_arrow.names.index(SOURCE_ROW)
        for number in range(file.metadata.num_row_groups):
            group = file.metadata.row_group(number)
            if group.num_rows:
                known = group.column(place).statistics
                yield known.min, known.max, group.num_rows


def from_parquet(path: Path) -> str:
    """SQL: the file as a relation."""
    return f"read_parquet({literal(str(path))})"
