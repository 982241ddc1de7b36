"""The search in our own database: exact, for it compares with every live chunk of the collection, and no index guesses.

What a customer asks for comes in as bound values only, keys of metadata too.
"""

import uuid
from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, cast, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from backend.vectors.chunks import Found
from backend.vectors.filters import DOCUMENT, Condition, Operator
from db.vector_models import CollectionChunk, CollectionDocument, DocumentState

_CHUNK = CollectionChunk
_DOCUMENT = CollectionDocument


def search(
    session: Session, collection_id: uuid.UUID, vector: Sequence[float], limit: int, conditions: Sequence[Condition]
) -> list[Found]:
    """The nearest live chunks by cosine, best first; of equally near ones, by id."""
    distance = _CHUNK.embedding.cosine_distance(list(vector))
    wanted = (
        select(_CHUNK.id, _DOCUMENT.name, _CHUNK.position, _CHUNK.content, _CHUNK.chunk_metadata, distance)
        .join(_DOCUMENT, _DOCUMENT.id == _CHUNK.document_id)
        .where(_DOCUMENT.collection_id == collection_id, _DOCUMENT.state == DocumentState.LIVE)
        .where(*map(_holds, conditions))
        .order_by(distance, _CHUNK.id)
        .limit(limit)
    )
    return [
        Found(chunk_id, name, position, content, metadata, 1.0 - far)
        for chunk_id, name, position, content, metadata, far in session.execute(wanted)
    ]


def _holds(condition: Condition) -> ColumnElement[bool]:
    if condition.key == DOCUMENT:
        return _DOCUMENT.name.in_(condition.values)
    value = _CHUNK.chunk_metadata[condition.key]
    if condition.operator is Operator.IN:
        return value.in_([cast(literal(wanted, JSONB), JSONB) for wanted in condition.values])
    bound = cast(literal(condition.values[0], JSONB), JSONB)
    in_range = {
        Operator.LESS: value < bound,
        Operator.AT_MOST: value <= bound,
        Operator.MORE: value > bound,
        Operator.AT_LEAST: value >= bound,
    }[condition.operator]
    return and_(func.jsonb_typeof(value) == "number", in_range)
