"""Chunks on disk, one JSON object a line, so that nobody holds all of a collection's."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from transformers.chunking.chunk import Chunk


@dataclass(frozen=True, slots=True)
class ChunkCount:
    """How much was written; `tokens` is what embedding them will use, overlaps counted twice."""

    chunks: int
    tokens: int


def write_chunks(chunks: Iterable[Chunk], path: Path) -> ChunkCount:
    """Adds to the file, so that the documents of a collection share one. Raises what making the chunks raises."""
    count = tokens = 0
    with path.open("a", encoding="utf-8", newline="\n") as stream:
        for chunk in chunks:
            stream.write(json.dumps(asdict(chunk), ensure_ascii=False) + "\n")
            count, tokens = count + 1, tokens + chunk.tokens
    return ChunkCount(count, tokens)


def read_chunks(path: Path) -> Iterator[Chunk]:
    with path.open(encoding="utf-8", newline="\n") as stream:
        for line in stream:
            values = json.loads(line)
            yield Chunk(**{**values, "headings": tuple(values["headings"])})
