"""Ingests into collections: opened by a task, settled once, found again where the task has ended without a word.

A record goes draft → ingesting → active or failed, by conditional updates only. Several tasks may ingest into one
collection at once, since chunks are replaced by document: it is `ingesting` until the last of them has settled, and of
two that bring the same document the one that is activated last stays. Locks: the task's row, then the collection's,
then the ingest's.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from backend.errors import ClaimLost, CollectionNotFound, EmbeddingMismatch
from backend.vectors.chunks import Counts, Ingest
from db.database import patient_transaction
from db.models import CLOCK, TERMINAL, Task, TaskStatus
from db.vector_models import COLLECTION_MOVES, Collection, CollectionIngest, CollectionStatus

NEVER_ACTIVATED = "The task that ingested into this collection ended before it was complete."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a collection is to be; all of its vectors come from one model."""

    user_id: int
    name: str
    embedding_model: str
    dimensions: int
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EndedIngest:
    """An ingest whose task has ended. `reason`: why it failed; None where it was cancelled."""

    ingest: Ingest
    reason: str | None


def open_ingest(session: Session, wanted: Wanted, task_id: uuid.UUID) -> Ingest:
    """From now on the task may stage. Opening again what is open changes nothing.

    Raises:
        ClaimLost: the task has ended.
        EmbeddingMismatch: what is in there was made by another model.
    """
    task_is_alive(session, task_id)
    model = {"embedding_model": wanted.embedding_model, "dimensions": wanted.dimensions}
    adding = upsert(Collection).values(user_id=wanted.user_id, name=wanted.name, **model)
    locking = adding.on_conflict_do_update(index_elements=["user_id", "name"], set_={"updated_at": CLOCK})
    collection = session.scalars(locking.returning(Collection), execution_options={"populate_existing": True}).one()
    _same_model(session, collection, wanted, task_id)
    opening = upsert(CollectionIngest).values(collection_id=collection.id, task_id=task_id)
    session.execute(opening.on_conflict_do_nothing())
    _move(session, collection.id, CollectionStatus.INGESTING, {"reason": None})
    values = {"task_id": task_id, "settings": dict(wanted.settings), **model}
    session.execute(update(Collection).where(Collection.id == collection.id).values(**values))
    return Ingest(collection.id, task_id, wanted.dimensions)


def is_open(session: Session, ingest: Ingest) -> bool:
    """Whether the task may stage."""
    return session.scalar(select(CollectionIngest.task_id).where(*_mine(ingest))) is not None


def stage_into(session: Session, ingest: Ingest) -> None:
    """Whoever settles the ingest waits for this transaction, and takes back what it stages.

    Raises:
        CollectionNotFound: the ingest was settled, or its collection deleted.
    """
    mine = select(CollectionIngest.task_id).where(*_mine(ingest))
    if session.scalar(mine.with_for_update(read=True)) is None:
        raise CollectionNotFound("The collection was deleted, or what was put into it was taken back.")


def take(session: Session, ingest: Ingest) -> bool:
    """Nobody stages any more when this returns; whether the ingest was open. Raises ClaimLost: the task has ended."""
    task_is_alive(session, ingest.task_id)
    lock(session, ingest.collection_id)
    return session.scalar(select(CollectionIngest.task_id).where(*_mine(ingest)).with_for_update()) is not None


def task_is_alive(session: Session, task_id: uuid.UUID) -> None:
    """Its end waits for this transaction. Raises ClaimLost: it has ended."""
    status = session.scalar(select(Task.status).where(Task.id == task_id).with_for_update(read=True))
    if status is None or status in TERMINAL:
        raise ClaimLost


def lock(session: Session, collection_id: uuid.UUID) -> Collection | None:
    """The record, which nobody else changes in this transaction."""
    wanted = select(Collection).where(Collection.id == collection_id).with_for_update(key_share=True)
    return session.scalar(wanted, execution_options={"populate_existing": True})


@contextmanager
def one_at_a_time(collection_id: uuid.UUID) -> Iterator[None]:
    """Whoever else comes with this collection waits, or fails after a station's patience: for stores without locks."""
    with patient_transaction() as session:
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(str(collection_id), 0))))
        yield


def settle(session: Session, ingest: Ingest, *, counts: Counts | None = None, reason: str | None = None) -> None:
    """Close the ingest; the record becomes what its live chunks and the other open ingests make of it.

    `counts`: what is live now, where that has changed. `reason`: why nothing came of it.
    """
    collection = lock(session, ingest.collection_id)
    session.execute(delete(CollectionIngest).where(*_mine(ingest)))
    if collection is None:
        return
    if counts is not None:
        values = {"document_count": counts.documents, "chunk_count": counts.chunks}
        session.execute(update(Collection).where(Collection.id == collection.id).values(**values))
    others = select(exists().where(CollectionIngest.collection_id == collection.id))
    if not session.scalar(others):
        _rest(session, collection.id, counts.chunks if counts else collection.chunk_count, reason)


def ended_ingests(session: Session, limit: int) -> Sequence[EndedIngest]:
    """Open ingests whose task has ended in whatever way: who cancels a task knows nothing of collections."""
    ended = or_(Task.id.is_(None), Task.status.in_(TERMINAL))
    wanted = (
        select(CollectionIngest, Collection.dimensions, Task.status, Task.error_message)
        .join(Collection, Collection.id == CollectionIngest.collection_id)
        .join(Task, Task.id == CollectionIngest.task_id, isouter=True)
        .where(ended)
        .limit(limit)
    )
    return [
        EndedIngest(
            Ingest(open_one.collection_id, open_one.task_id, dimensions),
            None if status == TaskStatus.CANCELLED else message or NEVER_ACTIVATED,
        )
        for open_one, dimensions, status, message in session.execute(wanted)
    ]


def open_ingests(session: Session, task_id: uuid.UUID | None = None) -> Sequence[Ingest]:
    """Those of this task, or all there are at this moment."""
    wanted = select(CollectionIngest.collection_id, CollectionIngest.task_id, Collection.dimensions).join(Collection)
    if task_id is not None:
        wanted = wanted.where(CollectionIngest.task_id == task_id)
    return [Ingest(*row) for row in session.execute(wanted)]


def _same_model(session: Session, collection: Collection, wanted: Wanted, task_id: uuid.UUID) -> None:
    if (collection.embedding_model, collection.dimensions) == (wanted.embedding_model, wanted.dimensions):
        return
    others = select(
        exists().where(CollectionIngest.collection_id == collection.id, CollectionIngest.task_id != task_id)
    )
    if collection.chunk_count or session.scalar(others):
        raise EmbeddingMismatch(
            f"The collection's vectors come from {collection.embedding_model} ({collection.dimensions} dimensions).",
            embedding_model=collection.embedding_model,
            dimensions=collection.dimensions,
        )


def _rest(session: Session, collection_id: uuid.UUID, live_chunks: int, reason: str | None) -> None:
    if live_chunks:
        _move(session, collection_id, CollectionStatus.ACTIVE, {"reason": None})
    elif reason is not None:
        _move(session, collection_id, CollectionStatus.FAILED, {"reason": reason})
    else:
        _move(session, collection_id, CollectionStatus.DRAFT, {"reason": None})


def _move(session: Session, collection_id: uuid.UUID, to: CollectionStatus, values: Mapping[str, Any]) -> None:
    """One legal move, or none at all where the record is in no state that leads there."""
    sources = [status for status, onward in COLLECTION_MOVES.items() if to in onward]
    moving = update(Collection).where(Collection.id == collection_id, Collection.status.in_(sources))
    session.execute(moving.values(status=to, updated_at=CLOCK, **values))


def _mine(ingest: Ingest) -> tuple[Any, Any]:
    return CollectionIngest.collection_id == ingest.collection_id, CollectionIngest.task_id == ingest.task_id
