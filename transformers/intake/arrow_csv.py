"""The fast way through a delimited text: Arrow's reader, where it provably gives the cells of the csv module.

That is: clean UTF-8, no escape character, every quotation mark in its place, every row as wide as the table.
Anything else ends in None, and the careful reader starts over.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from transformers.intake.dialects import Dialect
from transformers.intake.encodings import CHUNK, Text
from transformers.intake.reading import SourceFile
from transformers.intake.records import RecordReader
from transformers.intake.writing import RowGroupSink
from transformers.tables import SOURCE_ROW

BLOCK = 2 * 2**20  # Arrow holds a few at once; a row longer than this goes the careful way


@dataclass(frozen=True)
class TextTable:
    """How the text is to be read. `skipped` rows come before the first row of data, `header` is the first of them."""

    text: Text
    dialect: Dialect
    skipped: int
    columns: tuple[str, ...]
    header: tuple[str, ...] | None = None


def read_clean(file: SourceFile, table: TextTable) -> int | None:
    """The number of rows, or None where the text is not clean enough."""
    import pyarrow as pa

    if not table.text.is_clean or not _is_simple(table.dialect) or len(table.columns) == 1:
        return None
    start = _start_of_data(table)
    if not _quotes_are_in_place(table.text, start, table.dialect):
        return None
    try:
        return _copy(file, table, start)
    except (pa.ArrowInvalid, _HeaderAgainError):  # a ragged row, a row longer than a block, a header within the data
        return None


class _HeaderAgainError(Exception):
    """A row repeats the header: the careful reader sets it aside."""


def _is_simple(dialect: Dialect) -> bool:
    one_byte = dialect.delimiter is not None and dialect.delimiter.isascii() and not dialect.is_long
    return one_byte and dialect.escape is None and not dialect.skips_space


def _start_of_data(table: TextTable) -> int:
    """The byte after the header."""
    start, skipped = table.text.start, table.skipped
    with table.text.open() as stream:
        records = iter(RecordReader(stream, table.dialect, len(table.columns)))
        while skipped > 0:
            record = next(records)
            start += len(record.raw.encode())
            skipped -= not record.is_blank
    return start


def _quotes_are_in_place(text: Text, start: int, dialect: Dialect) -> bool:
    """Every odd mark opens a cell and every even one closes it, or is one half of a doubled mark."""
    import numpy as np

    assert dialect.delimiter is not None
    border = np.zeros(256, dtype=bool)
    border[[*f"{dialect.delimiter}{dialect.quote}\r\n".encode()]] = True
    seen = 0
    for window in _windows(text, start):
        characters = np.frombuffer(window, dtype=np.uint8)
        marks = np.flatnonzero(characters[1:-1] == ord(dialect.quote)) + 1
        opening, closing = marks[seen % 2 :: 2], marks[1 - seen % 2 :: 2]
        if not (border[characters[opening - 1]].all() and border[characters[closing + 1]].all()):
            return False
        seen += len(marks)
    return seen % 2 == 0


def _windows(text: Text, start: int) -> Iterator[bytes]:
    """Chunks with the byte before and the byte after them."""
    before = b"\n"
    with text.path.open("rb") as stream:
        stream.seek(start)
        chunk = stream.read(CHUNK)
        while chunk:
            following = stream.read(CHUNK)
            yield before + chunk + (following[:1] or b"\n")
            before, chunk = chunk[-1:], following


def _copy(file: SourceFile, table: TextTable, start: int) -> int:
    import pyarrow as pa

    fields = [*((name, pa.string()) for name in table.columns), (SOURCE_ROW, pa.int64())]
    with table.text.path.open("rb") as stream, RowGroupSink(file.table_path, pa.schema(fields)) as sink:
        stream.seek(start)
        for batch in _batches(stream, table.dialect, table.columns):
            _refuse_header(batch, table.header)
            numbers = pa.array(range(sink.rows + 1, sink.rows + batch.num_rows + 1), pa.int64())
            sink.write(pa.record_batch([*batch.columns, numbers], schema=sink.schema))
    return sink.rows


def _refuse_header(batch: Any, header: tuple[str, ...] | None) -> None:
    import pyarrow.compute as pc

    if header is None or len(header) != batch.num_columns:
        return
    alike = pc.equal(batch.column(0), header[0])
    for at in range(1, len(header)):
        if not pc.any(alike).as_py():
            return
        alike = pc.and_(alike, pc.equal(batch.column(at), header[at]))
    if pc.any(alike).as_py():
        raise _HeaderAgainError


def _batches(stream: Any, dialect: Dialect, columns: tuple[str, ...]) -> Iterator[Any]:
    import pyarrow as pa
    from pyarrow import csv

    if not stream.peek(1):
        return  # Arrow takes no empty text
    yield from csv.open_csv(
        stream,
        read_options=csv.ReadOptions(column_names=columns, block_size=BLOCK),
        parse_options=csv.ParseOptions(
            delimiter=dialect.delimiter, quote_char=dialect.quote, newlines_in_values=True, ignore_empty_lines=True
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False, check_utf8=False
        ),
    )
