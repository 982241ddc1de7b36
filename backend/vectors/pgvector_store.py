"""Vectors in the product's own database: exact search, and each act one transaction together with the record."""

import uuid
from collections.abc import Mapping, Sequence

from backend.vectors.chunks import Counts, EmbeddedChunk, Found, Ingest
from backend.vectors.filters import Condition
from db import vector_search, vectors
from db.database import transaction

AT_ONCE = 1000  # chunks a statement: a station's few seconds are enough for them on a slow disk


class PgvectorStore:
    """Implements VectorStore (store.py)."""

    def stage(self, ingest: Ingest, chunks: Sequence[EmbeddedChunk]) -> None:
        for start in range(0, len(chunks), AT_ONCE):
            with transaction() as session:
                vectors.stage(session, ingest, chunks[start : start + AT_ONCE])

    def staged(self, ingest: Ingest) -> frozenset[str]:
        with transaction() as session:
            return vectors.staged(session, ingest)

    def activate(self, ingest: Ingest, documents: Mapping[str, int]) -> Counts:
        with transaction() as session:
            return vectors.activate(session, ingest, documents)

    def revert(self, ingest: Ingest, reason: str | None) -> None:
        with transaction() as session:
            vectors.revert(session, ingest, reason)

    def search(
        self, collection_id: uuid.UUID, vector: Sequence[float], limit: int, conditions: Sequence[Condition] = ()
    ) -> list[Found]:
        with transaction() as session:
            return vector_search.search(session, collection_id, vector, limit, conditions)

    def count(self, collection_id: uuid.UUID) -> Counts:
        with transaction() as session:
            return vectors.count(session, collection_id)

    def drop(self, collection_id: uuid.UUID) -> None:  # noqa: ARG002 (its documents were removed with its record)
        """At once as much as one statement can; the rest goes with the next sweeps."""
        with transaction() as session:
            vectors.remove_some(session, AT_ONCE)

    def sweep(self, limit: int) -> int:
        with transaction() as session:
            return vectors.sweep(session, limit)
