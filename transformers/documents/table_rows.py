"""Delimited text: a row is a passage of “column: value” lines. Understood by intake, as every other table is."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from transformers.documents.passage import Passage
from transformers.intake.door import read_table
from transformers.intake.reading import SourceFile

BATCH = 1_000  # rows held at once


def read_rows(file: SourceFile) -> Generator[Passage]:
    """Rows that did not fit the table come last, as they were written."""
    with TemporaryDirectory(dir=file.folder) as folder:
        table = read_table(file.path, role=file.role, name=file.name, accepted=("csv", "tsv"), folder=Path(folder))
        for names, row in _rows(table.path):
            *cells, number = row
            yield row_passage(names[:-1], cells, number)
        if table.rejects_path:
            for _, (number, _reason, raw) in _rows(table.rejects_path):
                yield Passage(raw, row=number, stands_alone=True)


def row_passage(names: Sequence[str], cells: Iterable[str | None], row: int, sheet: str | None = None) -> Passage:
    """Empty cells say nothing and are left out."""
    lines = (f"{name}: {cell}" for name, cell in zip(names, cells, strict=False) if cell)
    return Passage("\n".join(lines), row=row, sheet=sheet, stands_alone=True)


def _rows(path: Path) -> Iterator[tuple[list[str], tuple[Any, ...]]]:
    """The names of the columns and a row; in a table the row's number is the last of its cells."""
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH):
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                yield batch.schema.names, row
