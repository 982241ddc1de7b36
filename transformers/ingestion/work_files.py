"""Files that one step of an ingest leaves for the next: a collection's text, and its chunks."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from transformers.chunking.chunk import Chunk
from transformers.tool import AgentFile, Delivery

PASSAGES, CHUNKS = "passages", "chunks"  # kinds


def between_steps(path: Path, kind: str) -> AgentFile:
    return AgentFile(name=path.name, path=path, content_type="application/x-ndjson", kind=kind, is_output=False)


def left_before(earlier: Iterable[Delivery], kind: str) -> Path:
    """The file of this kind that a step before has left."""
    return next(path for delivery in earlier if (path := delivery.file(kind)) is not None)


def grouped(chunks: Iterable[Chunk], most: int, most_tokens: int) -> Iterator[list[Chunk]]:
    """Groups of at most so many chunks and tokens; a chunk that is larger comes alone."""
    group: list[Chunk] = []
    tokens = 0
    for chunk in chunks:
        if group and (len(group) == most or tokens + chunk.tokens > most_tokens):
            yield group
            group, tokens = [], 0
        group.append(chunk)
        tokens += chunk.tokens
    if group:
        yield group
