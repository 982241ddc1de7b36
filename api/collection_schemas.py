"""What comes in and what goes out, for collections."""

import uuid
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from api.schemas import A_TASK, A_TIME, Asked, Told
from backend.vectors.chunks import Scalar
from db.vector_models import CollectionStatus

LONGEST_QUERY = 8000  # characters; a question, not a document
MOST_HITS = 100
Query = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_QUERY, strip_whitespace=True)]


class CollectionView(Told):
    name: str = Field(examples=["handbook"])
    status: CollectionStatus = Field(
        description="`ingesting` until every task that ingests into it has ended; what was found before is found on.",
        examples=["active"],
    )
    reason: str | None = Field(None, description="Why it failed.", examples=[None])
    embedding_model: str = Field(
        description="Of all of its vectors, and of your questions.", examples=["local:hashing-384"]
    )
    dimensions: int = Field(examples=[384])
    settings: dict[str, Any] = Field(
        description="Of the last ingest.", examples=[{"chunk_size": 512, "chunk_overlap": 50}]
    )
    document_count: int = Field(description="Documents that can be found.", examples=[12])
    chunk_count: int = Field(description="Pieces of them, each with a vector.", examples=[340])
    task_id: uuid.UUID | None = Field(None, description="Of the last ingest.", examples=[A_TASK])
    created_at: datetime = Field(examples=[A_TIME])
    updated_at: datetime = Field(description="When its status changed.", examples=[A_TIME])


class CollectionPage(Told):
    collections: list[CollectionView] = Field(description="Newest first.")
    next: str | None = Field(None, description="The `cursor` of the next page.", examples=[None])


class Search(Asked):
    query: Query = Field(description="What to look for, in words.", examples=["How do I return an order?"])
    limit: int = Field(10, ge=1, le=MOST_HITS, examples=[10])
    filters: dict[str, Any] = Field(
        default_factory=dict,
        max_length=20,
        description="Metadata key → a value, {`$in`: values}, or a range of numbers by `$gt`, `$gte`, `$lt`, `$lte`; "
        "the key `$document` is the document's name. All of them hold together.",
        examples=[{"language": "en", "year": {"$gte": 2024}, "$document": {"$in": ["returns.md", "orders.md"]}}],
    )


class Hit(Told):
    id: str = Field(
        description="The same content at the same place of the same document has the same id.",
        examples=["9f86d081884c…"],
    )
    document: str = Field(examples=["returns.md"])
    position: int = Field(description="Of the chunk in its document, from 0.", examples=[3])
    content: str = Field(
        description="Of a customer's file: show it as text.", examples=["Send it back within 30 days."]
    )
    score: float = Field(description="Cosine similarity: 1 is the same direction.", examples=[0.83])
    metadata: dict[str, Scalar] = Field(
        description="As it was given with the document.", examples=[{"language": "en", "year": 2025}]
    )


class Hits(Told):
    hits: list[Hit] = Field(description="The nearest first.")
