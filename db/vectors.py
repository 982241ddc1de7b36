"""Vectors in our own database (pgvector): staged, made live by document, removed a few at a time.

What is found is decided by the documents' rows, so activation changes one row a document, however many chunks it has.
The search is in vector_search.py.
"""

import json
import uuid
from collections.abc import Collection as Several
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    CursorResult,
    Integer,
    and_,
    cast,
    delete,
    func,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from backend.errors import CollectionNotFound, InternalError
from backend.vectors.chunks import Counts, EmbeddedChunk, Ingest
from db import ingests
from db.vector_models import CollectionChunk, CollectionDocument, DocumentState

_CHUNK = CollectionChunk
_DOCUMENT = CollectionDocument
# One statement for all of them: row by row it took three times as long.
_STAGE = text("""
    INSERT INTO collection_chunks AS kept (document_id, position, id, content, metadata, embedding)
    SELECT document_id, position, id, content, CAST(metadata AS jsonb), CAST(embedding AS vector)
    FROM unnest(CAST(:documents AS bigint[]), CAST(:positions AS int[]), CAST(:ids AS text[]),
        CAST(:contents AS text[]), CAST(:metadata AS text[]), CAST(:embeddings AS text[]))
        AS new(document_id, position, id, content, metadata, embedding)
    ON CONFLICT (document_id, position) DO UPDATE SET id = excluded.id, content = excluded.content,
        metadata = excluded.metadata, embedding = excluded.embedding
    WHERE kept.id <> excluded.id
""")
_BLINDLY = {"synchronize_session": False}  # no session here keeps rows that it would have to look after


def stage(session: Session, ingest: Ingest, chunks: Sequence[EmbeddedChunk]) -> None:
    """Keep chunks that no search finds yet; those that are there already are left alone. Raises CollectionNotFound."""
    ingests.stage_into(session, ingest)
    staged = _staged_documents(session, ingest, sorted({one.chunk.document for one in chunks}))
    new = {(staged[one.chunk.document], one.chunk.position): one for one in chunks if one.chunk.document in staged}
    if new:
        session.execute(_STAGE, _columns(new))


def staged(session: Session, ingest: Ingest) -> frozenset[str]:
    """Ids of the chunks that this task has brought so far."""
    wanted = select(_CHUNK.id).join(_DOCUMENT, _DOCUMENT.id == _CHUNK.document_id).where(*_of_task(ingest))
    return frozenset(session.scalars(wanted))


def activate(session: Session, ingest: Ingest, documents: Mapping[str, int]) -> Counts:
    """Documents (name → its chunks) become live in place of what they were; the ingest is closed.

    Raises:
        ClaimLost, CollectionNotFound
        InternalError: a document is not staged completely.
    """
    is_open = ingests.take(session, ingest)
    versions = {name: (row_id, state) for row_id, name, state in _versions(session, ingest)}
    if not is_open:
        if documents and all(versions.get(name, (0, ""))[1] == DocumentState.LIVE for name in documents):
            return count(session, ingest.collection_id)  # done before
        raise CollectionNotFound
    _complete(session, {versions[name][0]: size for name, size in documents.items() if name in versions}, documents)
    _swap(session, ingest, [versions[name][0] for name in documents])
    counts = count(session, ingest.collection_id)
    ingests.settle(session, ingest, counts=counts)
    return counts


def revert(session: Session, ingest: Ingest, reason: str | None) -> None:
    """Nobody will find what the task has staged; the record is settled."""
    ingests.settle(session, ingest, reason=reason)
    taken_back = update(_DOCUMENT).where(*_of_task(ingest), _DOCUMENT.state == DocumentState.STAGED)
    session.execute(taken_back.values(state=DocumentState.REMOVED), execution_options=_BLINDLY)


def count(session: Session, collection_id: uuid.UUID) -> Counts:
    """What is live."""
    live = select(func.count(), func.coalesce(func.sum(_DOCUMENT.chunk_count), 0)).where(
        _DOCUMENT.collection_id == collection_id, _DOCUMENT.state == DocumentState.LIVE
    )
    documents, chunks = session.execute(live).one()
    return Counts(documents, int(chunks))


def remove_some(session: Session, limit: int) -> int:
    """Chunks that nobody finds any more, at most `limit`; how many went."""
    removed = select(_DOCUMENT.id).where(_DOCUMENT.state == DocumentState.REMOVED).order_by(_DOCUMENT.id)
    some = select(_CHUNK.document_id, _CHUNK.position).where(_CHUNK.document_id.in_(removed)).limit(limit)
    key = tuple_(_CHUNK.document_id, _CHUNK.position)
    gone = session.execute(delete(_CHUNK).where(key.in_(some)), execution_options=_BLINDLY)
    empty = removed.where(~select(_CHUNK.id).where(_CHUNK.document_id == _DOCUMENT.id).exists()).limit(limit)
    session.execute(delete(_DOCUMENT).where(_DOCUMENT.id.in_(empty)), execution_options=_BLINDLY)
    return gone.rowcount if isinstance(gone, CursorResult) else 0


def take_back(session: Session, task_id: uuid.UUID, reason: str | None) -> None:
    """Revert all that this task has open, for whoever ends it; a sweep would do it within a minute."""
    for ingest in ingests.open_ingests(session, task_id):
        revert(session, ingest, reason)


def sweep(session: Session, limit: int) -> int:
    """Revert what ended tasks have left, and remove what nobody finds any more: chunks, at most `limit`."""
    for ended in ingests.ended_ingests(session, limit):
        revert(session, ended.ingest, ended.reason)
    return remove_some(session, limit)


def _staged_documents(session: Session, ingest: Ingest, names: Several[str]) -> dict[str, int]:
    """Name → row of the documents that this task is bringing; what it has made live before is not among them."""
    mine = {"collection_id": ingest.collection_id, "task_id": ingest.task_id}
    adding = upsert(_DOCUMENT).on_conflict_do_nothing()
    session.execute(adding, [{**mine, "name": name} for name in names])
    return {
        name: row_id
        for row_id, name, state in _versions(session, ingest, _DOCUMENT.name.in_(names))
        if state == DocumentState.STAGED
    }


def _versions(session: Session, ingest: Ingest, *which: ColumnElement[bool]) -> Sequence[Any]:
    """(row, name, state) of what this task brought."""
    wanted = select(_DOCUMENT.id, _DOCUMENT.name, _DOCUMENT.state)
    return session.execute(wanted.where(*_of_task(ingest), *which)).all()


def _columns(new: Mapping[tuple[int, int], EmbeddedChunk]) -> dict[str, list[Any]]:
    """By (document's row, position)."""
    documents, positions = zip(*new, strict=True)
    chunks = [one.chunk for one in new.values()]
    return {
        "documents": list(documents),
        "positions": list(positions),
        "ids": [chunk.id for chunk in chunks],
        "contents": [chunk.content for chunk in chunks],
        "metadata": [json.dumps(dict(chunk.metadata)) for chunk in chunks],
        "embeddings": [_in_words(one.vector) for one in new.values()],
    }


def _in_words(vector: Sequence[float]) -> str:
    """As pgvector reads it; nine digits are all that its four bytes hold."""
    return "[" + ",".join(["%.9g"] * len(vector)) % tuple(vector) + "]"


def _complete(session: Session, sizes: Mapping[int, int], documents: Mapping[str, int]) -> None:
    """Drop what an earlier run of the task staged beyond a document's end; then each has as many chunks as it should.

    Raises:
        InternalError
    """
    ids = cast(list(sizes), ARRAY(BigInteger))
    pairs = func.unnest(ids, cast(list(sizes.values()), ARRAY(Integer)))
    wanted = pairs.table_valued("id", "size", name="wanted").render_derived()
    beyond = delete(_CHUNK).where(_CHUNK.document_id == wanted.c.id, _CHUNK.position >= wanted.c.size)
    session.execute(beyond, execution_options=_BLINDLY)
    there = select(_CHUNK.document_id, func.count().label("there")).where(_CHUNK.document_id == func.any(ids))
    found = {row.document_id: row.there for row in session.execute(there.group_by(_CHUNK.document_id))}
    short = [row_id for row_id, size in sizes.items() if found.get(row_id, 0) != size]
    if short or len(sizes) != len(documents):
        raise InternalError(detail=f"{len(short) + len(documents) - len(sizes)} documents are not staged completely")
    sized = update(_DOCUMENT).where(_DOCUMENT.id == wanted.c.id).values(chunk_count=wanted.c.size)
    session.execute(sized, execution_options=_BLINDLY)


def _swap(session: Session, ingest: Ingest, new: Sequence[int]) -> None:
    ids = cast(list(new), ARRAY(BigInteger))
    is_new, is_other = _DOCUMENT.id == func.any(ids), _DOCUMENT.id != func.all(ids)
    older = and_(_DOCUMENT.state == DocumentState.LIVE, _DOCUMENT.name.in_(select(_DOCUMENT.name).where(is_new)))
    left_over = and_(*_of_task(ingest), _DOCUMENT.state == DocumentState.STAGED)
    going = update(_DOCUMENT).where(_DOCUMENT.collection_id == ingest.collection_id, is_other, older | left_over)
    session.execute(going.values(state=DocumentState.REMOVED), execution_options=_BLINDLY)
    coming = update(_DOCUMENT).where(is_new).values(state=DocumentState.LIVE)
    session.execute(coming, execution_options=_BLINDLY)


def _of_task(ingest: Ingest) -> tuple[ColumnElement[bool], ...]:
    return (
        _DOCUMENT.collection_id == ingest.collection_id,
        _DOCUMENT.task_id == ingest.task_id,
        _DOCUMENT.state != DocumentState.REMOVED,
    )
