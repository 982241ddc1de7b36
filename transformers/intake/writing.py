"""Rows of text to Parquet, in bounded memory.

Cells gather in Python lists, become Arrow batches, and leave as row groups of about 100,000 rows.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from transformers.tables import SOURCE_ROW

ROW_GROUP_ROWS = 100_000  # DuckDB reads one row group a thread; larger ones cost memory, smaller ones footer
ROW_GROUP_BYTES = 32 * 2**20  # wide or wordy rows make smaller groups
BATCH_CELLS = 400_000  # a Python string costs about 60 bytes: 24 MB before Arrow takes over
BATCH_CHARACTERS = 16 * 2**20


class TableWriter:
    """Writes text columns, then `__source_row__`. Use as a context; an error inside removes the file."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        import pyarrow as pa

        fields = [pa.field(name, pa.string()) for name in columns]
        self.rows = 0
        self._sink = RowGroupSink(path, pa.schema([*fields, pa.field(SOURCE_ROW, pa.int64())]))
        self._batch_rows = max(1, BATCH_CELLS // max(1, len(columns)))
        self._cells: list[Sequence[str | None]] = []
        self._numbers: list[int] = []
        self._characters = 0

    def add(self, number: int, cells: Sequence[str | None], characters: int) -> None:
        """One row as wide as the table; `characters` is about its length, for the bound on memory."""
        self._cells.append(cells)
        self._numbers.append(number)
        self._characters += characters
        if len(self._cells) >= self._batch_rows or self._characters >= BATCH_CHARACTERS:
            self._flush()

    def _flush(self) -> None:
        if not self._cells:
            return
        import pyarrow as pa

        columns = [pa.array(column, pa.string()) for column in zip(*self._cells, strict=True)]
        numbers = pa.array(self._numbers, pa.int64())
        self._sink.write(pa.record_batch([*columns, numbers], schema=self._sink.schema))
        self.rows += len(self._cells)
        self._cells, self._numbers, self._characters = [], [], 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._flush()
        self._sink.__exit__(kind, error, trace)


class RowGroupSink:
    """Arrow batches of one schema to a Parquet file, gathered into row groups."""

    def __init__(self, path: Path, schema: Any) -> None:
        import pyarrow.parquet as pq

        self.schema = schema
        self.rows = 0
        self._path = path
        self._writer = pq.ParquetWriter(path, schema, compression="zstd", compression_level=1)
        self._batches: list[Any] = []
        self._waiting = 0
        self._bytes = 0

    def write(self, batch: Any) -> None:
        self._batches.append(batch)
        self.rows += batch.num_rows
        self._waiting += batch.num_rows
        self._bytes += batch.nbytes
        if self._waiting >= ROW_GROUP_ROWS or self._bytes >= ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._batches:
            self._writer.write_table(pa.Table.from_batches(self._batches, self.schema))
        self._batches, self._waiting, self._bytes = [], 0, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """A file that was not finished is removed: a Parquet footer would make it look whole."""
        try:
            if error is None:
                self._flush()
        finally:
            self._writer.close()
            if error is not None:
                with suppress(FileNotFoundError):
                    self._path.unlink()


class RejectWriter:
    """Rows set aside: their number, the reason, their text. The file exists only if there are any."""

    def __init__(self, path: Path) -> None:
        self.rows = 0
        self._path = path
        self._sink: RowGroupSink | None = None
        self._waiting: list[tuple[int, str, str]] = []
        self._characters = 0

    def add(self, number: int, reason: str, raw: str) -> None:
        self.rows += 1
        self._waiting.append((number, reason, raw))
        self._characters += len(raw)
        if self._characters >= BATCH_CHARACTERS or len(self._waiting) >= ROW_GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._waiting:
            return
        schema = pa.schema([("source_row", pa.int64()), ("reason", pa.string()), ("raw", pa.string())])
        self._sink = self._sink or RowGroupSink(self._path, schema)
        columns = zip(*self._waiting, strict=True)
        arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)]
        self._sink.write(pa.record_batch(arrays, schema=schema))
        self._waiting, self._characters = [], 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._flush()
        if self._sink:
            self._sink.__exit__(kind, error, trace)
