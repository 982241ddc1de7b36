"""Collections: what a customer has ingested, and the search in it. An ingest itself is a task (ingest-documents)."""

import math
import re
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Response

from api.collection_schemas import CollectionPage, CollectionView, Hit, Hits, Search
from api.cursors import CursorQuery, LimitQuery, cursor_of, task_cursor
from api.dependencies import CurrentUser
from api.error_responses import problems
from api.once import Nothing, OnceDep
from backend.clock import monotonic
from backend.doors import get_doors
from backend.errors import (
    BadRequest,
    CollectionNotActive,
    CollectionNotFound,
    EmbeddingMismatch,
    IdempotencyMismatch,
    ModelUnavailable,
    RequestInFlight,
)
from backend.language_models.questions import Budget
from backend.vectors.chunks import COLLECTION_NAME
from backend.vectors.filters import conditions_of
from db import collections
from db.database import transaction
from db.vector_models import Collection

router = APIRouter(prefix="/collections", tags=["collections"])
EMBEDDING_SECONDS = 20.0  # somebody waits for the answer
EMBEDDING_RETRIES = 1


def _name(_user: CurrentUser, name: Annotated[str, Path(examples=["handbook"])]) -> str:
    """A name that no collection can have names none: 404, as for any other that is not yours."""
    if not re.fullmatch(COLLECTION_NAME, name):
        raise CollectionNotFound
    return name


CollectionName = Annotated[str, Depends(_name)]


@router.get("", operation_id="list_collections", summary="My collections", responses=problems(BadRequest))
def list_collections(user: CurrentUser, cursor: CursorQuery = None, limit: LimitQuery = 50) -> CollectionPage:
    before = task_cursor(cursor)
    with transaction() as session:
        rows = collections.page(session, user.id, before=before, limit=limit + 1)
    shown = rows[:limit]
    following = cursor_of(shown[-1].created_at.isoformat(), shown[-1].id) if len(rows) > limit else None
    return CollectionPage(collections=[_view(row) for row in shown], next=following)


@router.get("/{name}", operation_id="get_collection", summary="One collection", responses=problems(CollectionNotFound))
def get_collection(name: CollectionName, user: CurrentUser) -> CollectionView:
    with transaction() as session:
        return _view(collections.get(session, user.id, name))


@router.delete(
    "/{name}",
    status_code=204,
    operation_id="delete_collection",
    summary="Remove a collection and all that is in it",
    response_class=Response,
    responses=problems(CollectionNotFound, BadRequest, IdempotencyMismatch, RequestInFlight),
)
def delete_collection(name: CollectionName, user: CurrentUser, once: OnceDep) -> None:
    """At once nothing of it is found any more; a task that still ingests into it fails."""
    removed = []

    def remove() -> Nothing:
        removed.append(collections.delete_collection(session, user.id, name))
        return Nothing()

    with transaction() as session:
        once(session, Nothing, remove)
    for collection_id in removed:
        get_doors().vectors.store.drop(collection_id)


@router.post(
    "/{name}/search",
    operation_id="search_collection",
    summary="Find the nearest pieces of text",
    responses=problems(CollectionNotFound, CollectionNotActive, EmbeddingMismatch, BadRequest, ModelUnavailable),
)
async def search_collection(name: CollectionName, asked: Search, user: CurrentUser) -> Hits:
    """By meaning as far as the collection's embedding model knows it; every live piece is compared."""
    conditions_of(asked.filters)  # refused before anybody is asked for a vector
    collection = await to_thread.run_sync(_searchable, user.id, name)
    vector = await _vector_of(asked.query, collection)
    found = await get_doors().vectors.search(collection.id, vector, asked.limit, asked.filters)
    return Hits(
        hits=[
            Hit(
                id=one.id,
                document=one.document,
                position=one.position,
                content=one.content,
                score=one.score,
                metadata=dict(one.metadata),
            )
            for one in found
        ]
    )


async def _vector_of(query: str, collection: Collection) -> list[float]:
    """Raises ModelUnavailable, EmbeddingMismatch: the model gives vectors of another size by now."""
    budget = Budget(monotonic() + EMBEDDING_SECONDS, EMBEDDING_RETRIES)
    embedded = await get_doors().models.embed(collection.embedding_model, [query], budget)
    [vector] = embedded.vectors
    if len(vector) != collection.dimensions:
        raise EmbeddingMismatch(dimensions=collection.dimensions, of_the_model=len(vector))
    length = math.fsum(value * value for value in vector)
    if not math.isfinite(length) or length == 0:
        raise ModelUnavailable(detail=f"{collection.embedding_model}: a vector without a direction, length² {length}")
    return vector


def _searchable(user_id: int, name: str) -> Collection:
    """One with something to find; an ingest that is under way hides nothing of what was there before."""
    with transaction() as session:
        collection = collections.get(session, user_id, name)
    if not collection.chunk_count:
        raise CollectionNotActive(
            f"The collection is {collection.status}: nothing can be found in it yet.",
            status=collection.status,
            reason=collection.reason,
        )
    return collection


def _view(row: Collection) -> CollectionView:
    return CollectionView(
        name=row.name,
        status=row.status,
        reason=row.reason,
        embedding_model=row.embedding_model,
        dimensions=row.dimensions,
        settings=row.settings,
        document_count=row.document_count,
        chunk_count=row.chunk_count,
        task_id=row.task_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
