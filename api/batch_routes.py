"""A task that was split into parts: the parts themselves, and its items as far as they are finished."""

import json
import uuid
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse

from api.batch_schemas import ChildPage, ChildView, ItemError, ItemPage, ItemView
from api.cursors import CursorQuery, LimitQuery, child_cursor, cursor_of, item_cursor
from api.delivered import task_and_steps
from api.dependencies import CurrentUser, TaskId
from api.error_responses import problems
from api.task_view import error_of, items_of
from backend.errors import BadRequest, ResultsExpired, TaskNotFound
from backend.storage.links import saved_as
from db import children, items, task_store
from db.database import transaction
from db.models import Task, TaskItem, TaskStatus

router = APIRouter(prefix="/tasks", tags=["tasks"])
NDJSON = "application/x-ndjson"
READ_AT_ONCE = 1000  # items of a download in one read; some 2 MB
_LINE = '{"custom_id":"question-1","position":0,"ok":true,"error":null,"content":"Paris.","finish_reason":"stop"}\n'


class ItemState(StrEnum):
    OK = "ok"
    FAILED = "failed"


@router.get(
    "/{task_id}/children",
    operation_id="list_children",
    summary="The parts of a task",
    responses=problems(TaskNotFound, BadRequest),
)
def list_children(
    task_id: TaskId, user: CurrentUser, *, cursor: CursorQuery = None, limit: LimitQuery = 50
) -> ChildPage:
    """Of a task that was split: each part with its own progress. Empty for others, and before it is split."""
    after = child_cursor(cursor)
    with transaction() as session:
        task_store.get(session, task_id, user.id)
        rows = children.page(session, task_id, after, limit + 1)
    shown = rows[:limit]
    following = cursor_of(shown[-1].first_item, shown[-1].id) if len(rows) > limit else None
    return ChildPage(children=[_child(row) for row in shown], next=following)


@router.get(
    "/{task_id}/items",
    operation_id="list_items",
    summary="The finished items of a batch",
    response_model=ItemPage,
    responses={
        200: {
            "description": "A page; or, with `Accept: application/x-ndjson`, all that are finished, one a line.",
            "content": {NDJSON: {"schema": {"type": "string"}, "example": _LINE}},
        },
        **problems(TaskNotFound, BadRequest, ResultsExpired),
    },
)
def list_items(
    task_id: TaskId,
    user: CurrentUser,
    *,
    status: Annotated[ItemState | None, Query(description="Only these.", examples=[ItemState.OK])] = None,
    cursor: CursorQuery = None,
    limit: Annotated[int, Query(ge=1, le=1000, examples=[100])] = 100,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> ItemPage | Response:
    """In the order of submission, also while the batch runs; what is finished later appears in its place.

    With `Accept: application/x-ndjson` all at once, a line each, as in answers.jsonl.
    """
    after = item_cursor(cursor)
    task, _steps = task_and_steps(task_id, user.id)
    asked = _Asked(task, None if status is None else status is ItemState.OK)
    if accept is not None and NDJSON in accept:
        headers = {"Content-Disposition": saved_as(f"items-{task.id}.jsonl"), "Cache-Control": "private, no-cache"}
        return StreamingResponse(asked.lines(), media_type=NDJSON, headers=headers)
    rows = asked.page(-1 if after is None else after, limit + 1)
    following = cursor_of(rows[limit - 1].position) if len(rows) > limit else None
    return ItemPage(items=[_item(row) for row in rows[:limit]], next=following)


class _Asked:
    """Which items are meant: all of a batch, or those of one of its parts, which lie with the whole."""

    def __init__(self, task: Task, ok: bool | None) -> None:  # noqa: FBT001 (None is both)
        self._root: uuid.UUID = task.parent_id or task.id
        self._first = task.first_item if task.parent_id else 0
        self._end = task.first_item + task.items if task.parent_id else None
        self._ok = ok

    def page(self, after: int, limit: int) -> Sequence[TaskItem]:
        with transaction() as session:
            found = items.page(session, self._root, max(after, self._first - 1), limit, ok=self._ok)
        return [item for item in found if self._end is None or item.position < self._end]

    def lines(self) -> Iterator[bytes]:
        """All that are finished when they are come to; each read is a transaction of its own."""
        after = -1
        while rows := self.page(after, READ_AT_ONCE):
            yield b"".join(_line(row) for row in rows)
            after = rows[-1].position


def _child(row: Task) -> ChildView:
    return ChildView(
        task_id=row.id,
        status=TaskStatus(row.status),
        progress=round(row.progress, 1),
        first_item=row.first_item,
        items=items_of(row),
        error=error_of(row),
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def _item(row: TaskItem) -> ItemView:
    return ItemView(
        custom_id=row.name, position=row.position, ok=row.error_code is None, error=_error(row), answer=row.answer
    )


def _error(row: TaskItem) -> ItemError | None:
    return None if row.error_code is None else ItemError(code=row.error_code, message=row.error_message or "")


def _line(row: TaskItem) -> bytes:
    line: dict[str, Any] = _item(row).model_dump(mode="json", exclude={"answer"}) | (row.answer or {})
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"
