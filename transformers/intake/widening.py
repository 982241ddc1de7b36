"""Rows whose names are not known before the last one is read: JSON.

Batches are written as parts, a new part whenever new names have appeared; at the end the parts become one table, with
nulls where a name was not known yet. Usually there is one part, and nothing is written twice.
"""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from transformers.intake.naming import unique_names
from transformers.intake.reading import SourceFile, check_width
from transformers.intake.repairs import RepairLog
from transformers.intake.writing import RowGroupSink, TableWriter
from transformers.tables import SOURCE_ROW

WAITING_ROWS = 5_000
WAITING_CHARACTERS = 16 * 2**20


class WideningWriter:
    def __init__(self, file: SourceFile) -> None:
        self.rows = 0
        self._file = file
        self._names: dict[str, None] = {}  # in the order in which they were first met
        self._waiting: list[tuple[int, dict[str, str | None], int]] = []
        self._characters = 0
        self._part: TableWriter | None = None
        self._part_width = 0
        self._parts: list[Path] = []

    def add(self, number: int, row: dict[str, str | None], characters: int) -> None:
        self._names.update(dict.fromkeys(row))
        self._waiting.append((number, row, characters))
        self._characters += characters
        self.rows += 1
        if len(self._waiting) >= WAITING_ROWS or self._characters >= WAITING_CHARACTERS:
            self._flush()

    def finish(self, repairs: RepairLog) -> tuple[str, ...]:
        """One table of all parts; the names it has."""
        self._flush()
        self._close_part()
        columns = unique_names(tuple(self._names), repairs)
        self._merge(columns)
        return columns

    def _flush(self) -> None:
        check_width(len(self._names))
        if len(self._names) > self._part_width or self._part is None:
            self._open_part()
        assert self._part is not None
        for number, row, characters in self._waiting:
            self._part.add(number, [row.get(name) for name in self._names], characters)
        self._waiting, self._characters = [], 0

    def _open_part(self) -> None:
        self._close_part()
        path = self._file.folder / f"{self._file.role}.part{len(self._parts)}"
        self._parts.append(path)
        self._part_width = len(self._names)
        positions = [str(position) for position in range(self._part_width)]  # names may still clash with each other
        self._part = TableWriter(path, positions).__enter__()

    def _close_part(self) -> None:
        if self._part is not None:
            self._part.__exit__(None, None, None)
        self._part = None

    def _merge(self, columns: tuple[str, ...]) -> None:
        import pyarrow as pa

        schema = pa.schema([*((name, pa.string()) for name in columns), (SOURCE_ROW, pa.int64())])
        with RowGroupSink(self._file.table_path, schema) as sink:
            for batch in self._batches():
                missing = [pa.nulls(batch.num_rows, pa.string())] * (len(schema) - batch.num_columns)
                *known, numbers = batch.columns
                sink.write(pa.record_batch([*known, *missing, numbers], schema=schema))

    def _batches(self) -> Iterator[Any]:
        import pyarrow.parquet as pq

        for path in self._parts:
            with pq.ParquetFile(path) as part:
                yield from part.iter_batches(batch_size=WAITING_ROWS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_part()
        for path in self._parts:
            path.unlink(missing_ok=True)
