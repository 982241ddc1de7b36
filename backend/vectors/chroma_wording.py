"""Our chunks and conditions in ChromaDB's words, and its answers in ours.

Metadata of a customer's stands under a prefix, beside ours, and once more as it was given: ChromaDB takes 1 and 1.0
for different things, so numbers are written as floats for the filters.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from backend.vectors.chunks import Chunk, Found, Scalar
from backend.vectors.filters import DOCUMENT, Condition, Operator

DOCUMENT_KEY, POSITION_KEY, TASK_KEY, ID_KEY = "document", "position", "task", "id"
_GIVEN = "given"
_PREFIX = "of."  # before each key of the customer's


def metadata_of(chunk: Chunk, task_id: uuid.UUID) -> dict[str, Scalar]:
    ours: dict[str, Scalar] = {
        DOCUMENT_KEY: chunk.document, POSITION_KEY: chunk.position, TASK_KEY: str(task_id), ID_KEY: chunk.id,
        _GIVEN: json.dumps(dict(chunk.metadata)),
    }  # fmt: skip
    return ours | {f"{_PREFIX}{key}": _comparable(value) for key, value in chunk.metadata.items()}


def where_of(conditions: Sequence[Condition]) -> Any:
    """None where there is no condition."""
    return where_all(*map(_where, conditions)) if conditions else None


def where_all(*parts: Mapping[str, Any]) -> Any:
    return {"$and": list(parts)} if len(parts) > 1 else parts[0]


def found_in(answer: Mapping[str, Any]) -> list[Found]:
    """What a query of one vector found, best first; of equally near ones, by id."""
    rows = zip(answer["metadatas"][0], answer["documents"][0], answer["distances"][0], strict=True)
    found = [
        Found(told[ID_KEY], told[DOCUMENT_KEY], told[POSITION_KEY], content, json.loads(told[_GIVEN]), score=1.0 - far)
        for told, content, far in rows
    ]
    return sorted(found, key=lambda one: (-one.score, one.id))


def _where(condition: Condition) -> dict[str, Any]:
    key = DOCUMENT_KEY if condition.key == DOCUMENT else f"{_PREFIX}{condition.key}"
    values = [_comparable(value) for value in condition.values]
    if condition.operator is not Operator.IN:
        return {key: {condition.operator.value: values[0]}}
    return {"$or": [{key: value} for value in values]} if len(values) > 1 else {key: values[0]}


def _comparable(value: Scalar) -> Scalar:
    return value if isinstance(value, str | bool) else float(value)
