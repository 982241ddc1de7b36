"""A table and its rejected rows as lines of delimited text again, in the order of the source, a piece at a time.

Vectorised in Arrow: a piece is one buffer of bytes and the places where its lines begin.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers.intake.writing_habits import Habits
from transformers.tables import SOURCE_ROW

PIECE_ROWS = 20_000
PIECE_CELLS = 400_000
READ_AHEAD = 2**20


@dataclass(frozen=True)
class Piece:
    """Lines `first`, `first` + 1 … of the text; line i is `content[starts[i]:starts[i + 1]]`."""

    first: int
    content: bytes
    starts: Any  # NumPy int64, one more than there are lines

    @property
    def lines(self) -> int:
        return len(self.starts) - 1

    def line(self, at: int) -> bytes:
        return self.content[self.starts[at] : self.starts[at + 1]]


def rendered(table_path: Path, rejects_path: Path | None, habits: Habits) -> Iterator[Piece]:
    """Batches of the file may be of any size: lines and their numbers are the same."""
    import pyarrow as pa

    first, rejects = 0, _Rejects(rejects_path, habits)
    for batch in _batches(table_path, habits):
        numbers = batch.column(batch.num_columns - 1)
        lines, numbers = rejects.merged(_lines(batch, habits), numbers)
        piece = _piece(first, lines, habits)
        first += piece.lines
        yield piece
    rest = rejects.rest()
    if len(rest):
        yield _piece(first, pa.array(rest, pa.large_string()), habits)


def _batches(path: Path, habits: Habits) -> Iterator[Any]:
    import pyarrow.parquet as pq

    size = max(1, min(PIECE_ROWS, PIECE_CELLS // len(habits.columns)))
    with pq.ParquetFile(path, buffer_size=READ_AHEAD, pre_buffer=False) as file:
        yield from (
            batch.select([*habits.columns, SOURCE_ROW])
            for batch in file.iter_batches(batch_size=size, columns=[*habits.columns, SOURCE_ROW])
        )


def _lines(batch: Any, habits: Habits) -> Any:
    """large_string: the text of a piece may be longer than 2 GiB only in theory, but its cells are not ours."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = [_cells(batch.column(at), at, habits) for at in range(len(habits.columns))]
    end = pa.scalar(habits.behind + habits.newline, pa.large_string())
    filled = [pc.fill_null(column, "") for column in columns]
    joined = pc.binary_join_element_wise(*filled, pa.scalar(habits.between, pa.large_string()))
    short = _rows_with_nulls(columns)
    if short is not None:
        joined = pc.replace_with_mask(joined, short, _short_lines([column.filter(short) for column in columns], habits))
    return pc.binary_join_element_wise(joined, end, pa.scalar("", pa.large_string()))


def _rows_with_nulls(columns: list[Any]) -> Any:
    import pyarrow.compute as pc

    mask = None
    for column in columns:
        if column.null_count:
            mask = pc.is_null(column) if mask is None else pc.or_(mask, pc.is_null(column))
    return mask


def _short_lines(columns: list[Any], habits: Habits) -> Any:
    """Cells that were missing at a row's end are nulls; none stands for them."""
    import pyarrow as pa

    lines = []
    for cells in zip(*(column.to_pylist() for column in columns), strict=True):
        present = list(cells)
        while present and present[-1] is None:
            present.pop()
        lines.append(habits.between.join(cell or "" for cell in present))
    return pa.array(lines, pa.large_string())


def _cells(column: Any, at: int, habits: Habits) -> Any:
    """The column as it is written, quotes included."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = column.cast(pa.large_string())
    special = _special_signs(cells, habits)
    if not (special or habits.quotes[at] or habits.quotes_empty[at]):
        return cells
    wants = pc.equal(cells, "") if habits.quotes_empty[at] else None
    if habits.quotes[at]:
        wants = _either(wants, pc.not_equal(cells, ""))
    for sign in special:
        wants = _either(wants, pc.match_substring(cells, sign))
    doubled = cells
    if habits.quote in special:
        doubled = pc.replace_substring(cells, habits.quote, (habits.escape or habits.quote) + habits.quote)
    quote = pa.scalar(habits.quote, pa.large_string())
    quoted = pc.binary_join_element_wise(quote, doubled, quote, pa.scalar("", pa.large_string()))
    return pc.if_else(wants, quoted, cells)


def _either(one: Any, other: Any) -> Any:
    import pyarrow.compute as pc

    return other if one is None else pc.or_(one, other)


def _special_signs(cells: Any, habits: Habits) -> list[str]:
    """Those that occur anywhere in the column: mostly none, and a search through its bytes says so at once."""
    content = _content(cells)
    return [sign for sign in habits.special if sign.encode() in content]


def _content(cells: Any) -> bytes:
    starts = _starts(cells)
    data = cells.buffers()[2]
    return b"" if data is None else data.slice(int(starts[0]), int(starts[-1] - starts[0])).to_pybytes()


def _starts(cells: Any) -> Any:
    import numpy as np

    return np.frombuffer(cells.buffers()[1], dtype=np.int64)[cells.offset : cells.offset + len(cells) + 1]


def _piece(first: int, lines: Any, habits: Habits) -> Piece:
    import numpy as np

    if habits.encoding == "utf-8":
        starts = _starts(lines)
        return Piece(first, _content(lines), starts - starts[0])
    encoded = [line.encode(habits.encoding, "replace") for line in lines.to_pylist()]
    lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
    return Piece(first, b"".join(encoded), np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))


class _Rejects:
    """The rows that were set aside, between those that were kept."""

    def __init__(self, path: Path | None, habits: Habits) -> None:
        self._newline = habits.newline
        self._rows = self._read(path) if path else iter(())
        self._next = next(self._rows, None)

    @staticmethod
    def _read(path: Path) -> Iterator[tuple[int, str]]:
        import pyarrow.parquet as pq

        with pq.ParquetFile(path, buffer_size=READ_AHEAD, pre_buffer=False) as file:
            for batch in file.iter_batches(batch_size=PIECE_ROWS, columns=["source_row", "raw"]):
                yield from zip(batch["source_row"].to_pylist(), batch["raw"].to_pylist(), strict=True)

    def merged(self, lines: Any, numbers: Any) -> tuple[Any, Any]:
        """All up to the last of these rows, in their places."""
        import pyarrow as pa
        import pyarrow.compute as pc

        some = list(self._up_to(numbers[-1].as_py())) if len(numbers) else []
        if not some:
            return lines, numbers
        every = pa.concat_arrays([numbers, pa.array([number for number, _ in some], pa.int64())])
        texts = pa.array([raw + self._newline for _, raw in some], pa.large_string())
        order = pc.sort_indices(every)
        return pa.concat_arrays([lines, texts]).take(order), every.take(order)

    def rest(self) -> list[str]:
        return [raw + self._newline for _, raw in self._up_to(None)]

    def _up_to(self, last: int | None) -> Iterator[tuple[int, str]]:
        while self._next is not None and (last is None or self._next[0] <= last):
            yield self._next
            self._next = next(self._rows, None)
