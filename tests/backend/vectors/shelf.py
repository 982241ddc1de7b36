"""A customer's collection in a store, as tests fill it and look into it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from backend.embeddings.local import embed_locally
from backend.vectors.chunks import Chunk, EmbeddedChunk, Found, Ingest, Scalar
from backend.vectors.filters import conditions_of
from backend.vectors.store import VectorStore
from db import collections, ingests
from db.database import transaction
from db.vector_models import Collection
from tests.builders import claimed_task

DIMENSIONS = 64


@dataclass(frozen=True)
class Shelf:
    """A customer's collection in a store."""

    store: VectorStore
    user_id: int
    name: str = "library"

    def ingest(self, task_id: uuid.UUID | None = None) -> Ingest:
        """Open one, of a task that runs unless it is given."""
        wanted = ingests.Wanted(self.user_id, self.name, "local:hashing-64", DIMENSIONS, {})
        with transaction() as session:
            return ingests.open_ingest(session, wanted, task_id or claimed_task(self.user_id).task_id)

    def put(self, *chunks: EmbeddedChunk) -> Ingest:
        """Stage and activate, as a task that is never disturbed does."""
        ingest = self.ingest()
        self.store.stage(ingest, chunks)
        self.store.activate(ingest, sizes(chunks))
        return ingest

    def record(self) -> Collection:
        with transaction() as session:
            return collections.get(session, self.user_id, self.name)

    def find(self, words: str, limit: int = 10, **filters: object) -> list[Found]:
        [vector] = embed_locally([words], DIMENSIONS)
        return self.store.search(self.record().id, vector, limit, conditions_of(filters))

    def contents(self) -> list[str]:
        """Everything that can be found, in alphabetical order."""
        return sorted(found.content for found in self.find("anything", 1000))


def chunks_of(document: str, *contents: str, **metadata: Scalar) -> list[EmbeddedChunk]:
    vectors = embed_locally(contents, DIMENSIONS)
    return [
        EmbeddedChunk(Chunk(document, position, content, metadata), vector)
        for position, (content, vector) in enumerate(zip(contents, vectors, strict=True))
    ]


def sizes(chunks: Sequence[EmbeddedChunk]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for one in chunks:
        counted[one.chunk.document] = counted.get(one.chunk.document, 0) + 1
    return counted
