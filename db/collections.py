"""The records of collections, as their owners see them. How they change while a task ingests: ingests.py."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, tuple_, update
from sqlalchemy.orm import Session

from backend.errors import CollectionNotFound
from db.vector_models import Collection, CollectionDocument, CollectionIngest, DocumentState


def get(session: Session, user_id: int, name: str) -> Collection:
    """The customer's own.

    Raises:
        CollectionNotFound: there is none, or it is another customer's.
    """
    collection = session.scalar(select(Collection).where(Collection.user_id == user_id, Collection.name == name))
    if collection is None:
        raise CollectionNotFound(name=name)
    return collection


def page(
    session: Session, user_id: int, *, before: tuple[datetime, uuid.UUID] | None = None, limit: int = 50
) -> Sequence[Collection]:
    """The customer's, newest first, by keyset: `before` is the last row's (created_at, id)."""
    wanted = select(Collection).where(Collection.user_id == user_id)
    if before is not None:
        wanted = wanted.where(tuple_(Collection.created_at, Collection.id) < before)
    return session.scalars(wanted.order_by(Collection.created_at.desc(), Collection.id.desc()).limit(limit)).all()


def delete_collection(session: Session, user_id: int, name: str) -> uuid.UUID:
    """The record is gone, and nothing in it is found or staged any more; its id. Raises CollectionNotFound."""
    mine = select(Collection.id).where(Collection.user_id == user_id, Collection.name == name).with_for_update()
    collection_id = session.scalar(mine)
    if collection_id is None:
        raise CollectionNotFound(name=name)
    session.execute(delete(CollectionIngest).where(CollectionIngest.collection_id == collection_id))
    documents = update(CollectionDocument).where(
        CollectionDocument.collection_id == collection_id, CollectionDocument.state != DocumentState.REMOVED
    )
    session.execute(documents.values(state=DocumentState.REMOVED))
    session.execute(delete(Collection).where(Collection.id == collection_id))
    return collection_id


def known(session: Session, ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these ids that have a record."""
    return set(session.scalars(select(Collection.id).where(Collection.id.in_(ids))))
