"""Where a page ended, as one opaque word: a client hands it back and never reads it."""

import base64
import json
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Query

from api.schemas import BIGGEST_ID
from backend.errors import BadRequest

BIGGEST_ITEM = 2**31 - 1  # PostgreSQL's integer
CursorQuery = Annotated[
    str | None, Query(max_length=300, description="`next` of the page before.", examples=["WyIyMDI1LTExLTIx…"])
]
LimitQuery = Annotated[int, Query(ge=1, le=100, examples=[50])]


def cursor_of(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values, default=str).encode()).decode().rstrip("=")


def task_cursor(cursor: str | None) -> tuple[datetime, uuid.UUID] | None:
    """A task's (created_at, id).

    Raises:
        BadRequest: it is none of ours.
    """
    values = _read(cursor, (str, str))
    if values is None:
        return None
    try:
        return datetime.fromisoformat(values[0]).astimezone(UTC), uuid.UUID(values[1])
    except (ValueError, OverflowError):
        raise _not_ours() from None


def child_cursor(cursor: str | None) -> tuple[int, uuid.UUID] | None:
    """A part's (first_item, id).

    Raises:
        BadRequest: it is none of ours.
    """
    values = _read(cursor, (int, str))
    if values is None:
        return None
    if not 0 <= values[0] <= BIGGEST_ITEM:
        raise _not_ours()
    try:
        return values[0], uuid.UUID(values[1])
    except ValueError:
        raise _not_ours() from None


def item_cursor(cursor: str | None) -> int | None:
    """An item's position. Raises BadRequest: it is none of ours."""
    position = entry_cursor(cursor)
    if position is not None and position > BIGGEST_ITEM:
        raise _not_ours()
    return position


def entry_cursor(cursor: str | None) -> int | None:
    """An entry's id.

    Raises:
        BadRequest: it is none of ours.
    """
    values = _read(cursor, (int,))
    if values is not None and not 0 <= values[0] <= BIGGEST_ID:
        raise _not_ours()
    return None if values is None else int(values[0])


def _read(cursor: str | None, kinds: tuple[type, ...]) -> list[Any] | None:
    if cursor is None:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        raise _not_ours() from None
    if not isinstance(values, list) or [type(value) for value in values] != list(kinds):
        raise _not_ours()
    return values


def _not_ours() -> BadRequest:
    return BadRequest("The cursor is not one of ours.", fields=[{"field": "cursor", "message": "not one of ours"}])
