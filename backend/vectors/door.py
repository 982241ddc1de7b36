"""The door to the vectors, for those who must not block: the record is opened here, and the store called in threads."""

import math
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread

from backend.errors import BadRequest, InternalError
from backend.vectors.chunks import COLLECTION_NAME, LONGEST_DOCUMENT_NAME, Counts, EmbeddedChunk, Found, Ingest
from backend.vectors.filters import conditions_of, fault_in_metadata
from backend.vectors.store import VectorStore
from db import ingests
from db.database import transaction

T = TypeVar("T")
AT_ONCE = 4  # calls of one process: each takes a connection


class VectorDoor:
    """What agents know as Vectors (chunks.py), and a search. `store` is for those who may block."""

    def __init__(self, store: VectorStore) -> None:
        self.store = store

    async def open(
        self, user_id: int, name: str, task_id: uuid.UUID, *, model: str, dimensions: int, settings: Mapping[str, Any]
    ) -> Ingest:
        if not re.fullmatch(COLLECTION_NAME, name):
            raise BadRequest("A collection's name has 1 to 100 letters, digits, dots, dashes and underscores.")
        wanted = ingests.Wanted(user_id, name, model, dimensions, settings)
        return await _off_the_loop(partial(_open, wanted, task_id))

    async def stage(self, ingest: Ingest, chunks: Sequence[EmbeddedChunk]) -> None:
        for one in chunks:
            _check(ingest, one)
        await _off_the_loop(partial(self.store.stage, ingest, chunks))

    async def staged(self, ingest: Ingest) -> frozenset[str]:
        return await _off_the_loop(partial(self.store.staged, ingest))

    async def activate(self, ingest: Ingest, documents: Mapping[str, int]) -> Counts:
        return await _off_the_loop(partial(self.store.activate, ingest, documents))

    async def revert(self, ingest: Ingest, reason: str | None = None) -> None:
        await _off_the_loop(partial(self.store.revert, ingest, reason))

    async def count(self, collection_id: uuid.UUID) -> Counts:
        return await _off_the_loop(partial(self.store.count, collection_id))

    async def search(
        self, collection_id: uuid.UUID, vector: Sequence[float], limit: int, filters: Mapping[str, Any] | None = None
    ) -> list[Found]:
        """The nearest live chunks, best first. Raises BadRequest: a filter is none of ours."""
        conditions = conditions_of(filters or {})
        return await _off_the_loop(partial(self.store.search, collection_id, vector, limit, conditions))


def _open(wanted: ingests.Wanted, task_id: uuid.UUID) -> Ingest:
    with transaction() as session:
        return ingests.open_ingest(session, wanted, task_id)


def _check(ingest: Ingest, one: EmbeddedChunk) -> None:
    if not 0 < len(one.chunk.document) <= LONGEST_DOCUMENT_NAME:
        raise BadRequest(f"A document's name has 1 to {LONGEST_DOCUMENT_NAME} characters.")
    if fault := fault_in_metadata(one.chunk.metadata):
        raise BadRequest(f"The metadata of {one.chunk.document} is not accepted: {fault}.")
    length = math.fsum(value * value for value in one.vector)
    if len(one.vector) != ingest.dimensions or not math.isfinite(length) or length == 0:
        raise InternalError(detail=f"no vector of {ingest.dimensions} dimensions: {len(one.vector)}, length² {length}")


async def _off_the_loop(call: Callable[[], T]) -> T:
    return await to_thread.run_sync(call, limiter=_threads())


@cache
def _threads() -> CapacityLimiter:
    """Of their own: a slow search must hold up no other route."""
    return CapacityLimiter(AT_ONCE)
