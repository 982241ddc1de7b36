"""What goes into a store of vectors and what comes out of it: values only.

An ingest is one task's work on one collection. It stages chunks, which nobody finds, until it is activated as a whole.
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from backend.errors import writable

Scalar = str | int | float | bool
COLLECTION_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"  # it stands in addresses
LONGEST_DOCUMENT_NAME = 500  # characters; an index has room for 2,700 bytes


@dataclass(frozen=True, slots=True)
class Ingest:
    """Whose chunks: `task_id` is the task whose end settles them, `collection_id` the record's id."""

    collection_id: uuid.UUID
    task_id: uuid.UUID
    dimensions: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document; `position` counts from 0 without gaps. The metadata is what a search may filter by."""

    document: str
    position: int
    content: str
    metadata: Mapping[str, Scalar] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """What no database takes must not stop an ingest; the id is that of what is kept."""
        for name in ("document", "content"):
            object.__setattr__(self, name, writable(getattr(self, name)))
        kept = {writable(key): writable(v) if isinstance(v, str) else v for key, v in self.metadata.items()}
        object.__setattr__(self, "metadata", kept)

    @property
    def id(self) -> str:
        """The same content at the same place always has the same id (SHA-256 of all three)."""
        told = "\x1f".join((self.document, str(self.position), self.content))
        return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class EmbeddedChunk:
    chunk: Chunk
    vector: Sequence[float]


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk that a search found. `score` is the cosine similarity, -1..1; 1 is the same direction."""

    id: str
    document: str
    position: int
    content: str
    metadata: Mapping[str, Scalar]
    score: float


@dataclass(frozen=True, slots=True)
class Counts:
    """What is live in a collection."""

    documents: int
    chunks: int


class Vectors(Protocol):
    """What an agent gets of the door: all of it may be repeated, as a resumed task does, and no vector is there twice.

    A killed agent reverts nothing: when its task has ended without activating, a sweep takes back what it staged.
    """

    async def open(
        self, user_id: int, name: str, task_id: uuid.UUID, *, model: str, dimensions: int, settings: Mapping[str, Any]
    ) -> Ingest:
        """The customer's collection of this name, made where there is none; from now on the task may stage.

        Raises:
            ClaimLost: the task has ended.
            EmbeddingMismatch: what is in there was made by another model.
            BadRequest: no collection is called so (COLLECTION_NAME).
        """

    async def stage(self, ingest: Ingest, chunks: Sequence[EmbeddedChunk]) -> None:
        """Keep chunks that no search finds yet.

        Raises:
            CollectionNotFound: the ingest was reverted, or the collection deleted.
            BadRequest: a document's name is too long.
            InternalError: a vector is not one.
        """

    async def staged(self, ingest: Ingest) -> frozenset[str]:
        """Ids of the chunks that this task has brought so far: they need no embedding again."""

    async def activate(self, ingest: Ingest, documents: Mapping[str, int]) -> Counts:
        """Have these documents (name → its chunks) found, in place of what they were; what is live then.

        Documents of other ingests stay; what was staged beyond `documents` is dropped, and the ingest is closed.

        Raises:
            ClaimLost: the task has ended.
            CollectionNotFound
            InternalError: a document is not staged completely; nothing has changed.
        """

    async def revert(self, ingest: Ingest, reason: str | None = None) -> None:
        """Take back what is staged. The collection is what it was before, or has failed of `reason`."""

    async def count(self, collection_id: uuid.UUID) -> Counts:
        """What is live."""
