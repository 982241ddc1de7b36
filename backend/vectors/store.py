"""What a store of vectors does; two real ones do it (pgvector_store.py, chroma_store.py), and one suite tests both.

Every call may be repeated: a task that was killed in the middle does it again, and no vector is there twice. Calls
block: the door (door.py) makes them off the loop. A store also settles the collection's record (db/ingests.py).
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Protocol

from backend.vectors.chunks import Counts, EmbeddedChunk, Found, Ingest
from backend.vectors.filters import Condition


class VectorStore(Protocol):
    def stage(self, ingest: Ingest, chunks: Sequence[EmbeddedChunk]) -> None:
        """Keep chunks that no search finds yet. Raises CollectionNotFound: the ingest is not open any more."""

    def staged(self, ingest: Ingest) -> frozenset[str]:
        """Ids of the chunks that this task has brought so far."""

    def activate(self, ingest: Ingest, documents: Mapping[str, int]) -> Counts:
        """Have these documents (name → its chunks) found from now on, instead of what they were before.

        Other documents stay. What was staged beyond `documents` is dropped, and the ingest is closed.

        Raises:
            ClaimLost: the task has ended.
            CollectionNotFound: the ingest was reverted, or the collection deleted.
            InternalError: a document is not staged completely; nothing has changed.
        """

    def revert(self, ingest: Ingest, reason: str | None) -> None:
        """Take back what is staged and close the ingest; the collection is what it was, or has failed of `reason`."""

    def search(
        self, collection_id: uuid.UUID, vector: Sequence[float], limit: int, conditions: Sequence[Condition] = ()
    ) -> list[Found]:
        """The nearest live chunks by cosine, best first."""

    def count(self, collection_id: uuid.UUID) -> Counts:
        """What is live."""

    def drop(self, collection_id: uuid.UUID) -> None:
        """Remove the vectors of a collection whose record is gone."""

    def sweep(self, limit: int) -> int:
        """Revert what ended tasks have left, and remove what nobody finds any more; how much, `limit` at most."""
