"""A customer's bytes again: from the table that intake read, the rows it set aside, and a recipe.

The recipe holds how the text is written and, as patches, every piece of the source that the table written so does
not give: the lines above it, blank lines, cells quoted against the habit, the missing line end at the end. It is a
difference of bytes, so it is right whatever the habits say: they only make it small.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from transformers.intake.aligning import Patch, patches_between
from transformers.intake.rendering import Piece, rendered
from transformers.intake.writing import RowGroupSink
from transformers.intake.writing_habits import Habits, habits_of
from transformers.tables import Table

HABITS, DIGEST = b"agensium.habits", b"agensium.sha256"
PATCHES, PATCHES_BYTES = 10_000, 4 * 2**20  # gathered for one batch


class RecipeMismatchError(Exception):
    """The table is not the one that intake read: other bytes would come of it."""


def write_recipe(source: Path, table: Table, folder: Path) -> Path:
    """For a table read from CSV or TSV; a Parquet file of patches in the folder, a few KB for a clean source."""
    import pyarrow as pa

    habits = habits_of(source, table.columns, table.encoding or "utf-8", table.delimiter)
    metadata = {HABITS: habits.model_dump_json().encode(), DIGEST: _digest(source).encode()}
    fields = [("line", pa.int64()), ("replaced", pa.int64()), ("content", pa.binary())]
    path = folder / f"{table.role}.recipe.parquet"
    with RowGroupSink(path, pa.schema(fields, metadata)) as sink, source.open("rb") as stream:
        for some in _gathered(patches_between(rendered(table.path, table.rejects_path, habits), stream)):
            columns = zip(*((patch.line, patch.replaced, patch.content) for patch in some), strict=True)
            arrays = [pa.array(column, kind) for column, kind in zip(columns, sink.schema.types, strict=True)]
            sink.write(pa.record_batch(arrays, schema=sink.schema))
    return path


def _gathered(patches: Iterator[Patch]) -> Iterator[list[Patch]]:
    """Some MB at a time."""
    some: list[Patch] = []
    size = 0
    for patch in patches:
        some.append(patch)
        size += len(patch.content)
        if size > PATCHES_BYTES or len(some) >= PATCHES:
            yield some
            some, size = [], 0
    if some:
        yield some


def rebuild_bytes(table_path: Path, rejects_path: Path | None, recipe: Path, target: Path) -> None:
    """Raises RecipeMismatchError, and leaves no target, where the bytes are not those of the source."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(recipe) as file:
        metadata = file.schema_arrow.metadata
        habits = Habits.model_validate_json(metadata[HABITS])
        digest = hashlib.sha256()
        with target.open("wb") as out:
            for content in _pieces(rendered(table_path, rejects_path, habits), _patches(file)):
                digest.update(content)
                out.write(content)
    if digest.hexdigest() != metadata[DIGEST].decode():
        target.unlink()
        raise RecipeMismatchError


def _pieces(lines: Iterator[Piece], patches: Iterator[Patch]) -> Iterator[bytes]:
    """Lines as they are rendered, patches in their places."""
    patch = next(patches, None)
    dropped_to = 0
    for piece in lines:
        at, end = piece.first, piece.first + piece.lines
        while at < end:
            while patch is not None and patch.line <= at:
                yield patch.content
                dropped_to = max(dropped_to, patch.line + patch.replaced)
                patch = next(patches, None)
            start = min(end, max(at, dropped_to))
            stop = end if patch is None else min(end, max(start, patch.line))
            yield piece.content[piece.starts[start - piece.first] : piece.starts[stop - piece.first]]
            at = stop
    while patch is not None:
        yield patch.content
        patch = next(patches, None)


def _patches(file: Any) -> Iterator[Patch]:
    for batch in file.iter_batches(batch_size=1_000):
        for row in batch.to_pylist():
            yield Patch(**row)


def _digest(source: Path) -> str:
    with source.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
