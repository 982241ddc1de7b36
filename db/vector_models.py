"""The rows of collections: what a customer had ingested, who is at it now, and the chunks that are found again."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models import CLOCK, ZERO, Base


class CollectionStatus(StrEnum):
    DRAFT = "draft"
    INGESTING = "ingesting"
    ACTIVE = "active"
    FAILED = "failed"


COLLECTION_MOVES: Mapping[CollectionStatus, frozenset[CollectionStatus]] = MappingProxyType(
    {
        CollectionStatus.DRAFT: frozenset({CollectionStatus.INGESTING}),
        CollectionStatus.INGESTING: frozenset(
            {CollectionStatus.ACTIVE, CollectionStatus.FAILED, CollectionStatus.DRAFT}
        ),
        CollectionStatus.ACTIVE: frozenset({CollectionStatus.INGESTING}),
        CollectionStatus.FAILED: frozenset({CollectionStatus.INGESTING}),
    }
)


class DocumentState(StrEnum):
    STAGED = "staged"
    LIVE = "live"
    REMOVED = "removed"


STAGED = "state = 'staged'"
LIVE = "state = 'live'"
KEPT = "state <> 'removed'"
REMOVED = "state = 'removed'"


class Collection(Base):
    """What a customer searches in by name. Counts are those of what is live; the vectors' door keeps the vectors."""

    __tablename__ = "collections"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=CollectionStatus.DRAFT)
    reason: Mapped[str | None]  # why it failed; fit to be shown
    embedding_model: Mapped[str]
    dimensions: Mapped[int]
    settings: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    document_count: Mapped[int] = mapped_column(server_default=ZERO)
    chunk_count: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    task_id: Mapped[uuid.UUID | None]  # of the last ingest
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK)
    updated_at: Mapped[datetime] = mapped_column(server_default=CLOCK)

    __table_args__ = (
        CheckConstraint(f"status IN ({', '.join(repr(s.value) for s in CollectionStatus)})", name="status"),
        CheckConstraint("dimensions > 0", name="dimensions"),
        UniqueConstraint("user_id", "name"),
        Index("ix_collections_of_user", "user_id", text("created_at DESC"), text("id DESC")),
    )


class CollectionIngest(Base):
    """An ingest that is open: its task may stage. The row is the fence: who settles the ingest removes it."""

    __tablename__ = "collection_ingests"

    collection_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("collections.id"), primary_key=True)
    task_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)  # no foreign key: a task's end waits for nobody here
    opened_at: Mapped[datetime] = mapped_column(server_default=CLOCK)

    __table_args__ = (Index("ix_collection_ingests_task", "task_id"),)


class CollectionDocument(Base):
    """One version of a document, whose chunks are seen together or not at all: making it live changes this row only.

    `collection_id` is no foreign key: a collection is deleted at once, and its chunks a few at a time.
    """

    __tablename__ = "collection_documents"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    collection_id: Mapped[uuid.UUID]
    task_id: Mapped[uuid.UUID]  # who wrote it
    name: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=DocumentState.STAGED)
    chunk_count: Mapped[int] = mapped_column(server_default=ZERO)  # of what is live

    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(s.value) for s in DocumentState)})", name="state"),
        Index("uq_collection_documents_live", "collection_id", "name", unique=True, postgresql_where=text(LIVE)),
        Index(
            "uq_collection_documents_version", "collection_id", "name", "task_id",
            unique=True, postgresql_where=text(KEPT),
        ),
        Index("ix_collection_documents_removed", "id", postgresql_where=text(REMOVED)),
    )  # fmt: skip


class CollectionChunk(Base):
    """A piece of a document, and its vector. `id` is a hash of (document, position, content)."""

    __tablename__ = "collection_chunks"

    document_id: Mapped[int] = mapped_column(ForeignKey("collection_documents.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)  # in the document, from 0, without gaps
    id: Mapped[str]
    content: Mapped[str]
    chunk_metadata: Mapped[dict[str, Any]] = mapped_column("metadata", server_default=text("'{}'"))
    embedding: Mapped[Any] = mapped_column(VECTOR())  # as many dimensions as its collection has
