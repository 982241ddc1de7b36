"""Tasks: create, list, look at, cancel, delete. Uploading and submitting are in submit_routes.py."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from api.cursors import CursorQuery, LimitQuery, cursor_of, task_cursor
from api.dependencies import CurrentUser, TaskId
from api.error_responses import problems
from api.once import OnceDep
from api.schemas import NewTask, TaskPage, TaskView, Told
from api.task_view import etag_of, summary_of, view_of, whole_view
from backend.errors import (
    BadParameters,
    BadRequest,
    Conflict,
    IdempotencyMismatch,
    RequestInFlight,
    TaskNotCancellable,
    TaskNotFound,
    UnknownAgent,
    UnknownTool,
)
from db import deletion, task_store
from db.database import Session, transaction
from db.models import TaskStatus
from transformers.catalog import tool_for
from transformers.forms import chosen_steps, read_forms

router = APIRouter(prefix="/tasks", tags=["tasks"])


class Nothing(Told):
    """The body of an answer that has none."""


@router.post(
    "",
    status_code=201,
    operation_id="create_task",
    summary="Create a task",
    responses=problems(
        UnknownTool, UnknownAgent, BadParameters, BadRequest, TaskNotFound, IdempotencyMismatch, RequestInFlight
    ),
)
def create_task(asked: NewTask, user: CurrentUser, once: OnceDep, response: Response) -> TaskView:
    """Nothing is charged yet. Next: `upload-urls`, the uploads, then `process`; within 24 hours.

    With an `Idempotency-Key`: 404 when the task that was created with it was deleted since.
    """
    tool = tool_for(asked.tool_id)
    chosen_steps(tool, asked.agents)
    read_forms(tool, asked.parameters)
    with transaction() as session:
        view = once(session, TaskView, lambda: _create(session, user.id, asked))
    response.headers["Location"] = f"/tasks/{view.task_id}"
    return view


@router.get("", operation_id="list_tasks", summary="My tasks, newest first", responses=problems(BadRequest))
def list_tasks(
    user: CurrentUser,
    *,
    status: Annotated[TaskStatus | None, Query(examples=[TaskStatus.COMPLETED])] = None,
    tool_id: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$", examples=["profile-my-data"])] = None,
    cursor: CursorQuery = None,
    limit: LimitQuery = 50,
) -> TaskPage:
    before = task_cursor(cursor)
    with transaction() as session:
        rows = task_store.page(session, user.id, status=status, tool_id=tool_id, before=before, limit=limit + 1)
    shown = rows[:limit]
    following = cursor_of(shown[-1].created_at.isoformat(), shown[-1].id) if len(rows) > limit else None
    return TaskPage(tasks=[summary_of(row) for row in shown], next=following)


@router.get(
    "/{task_id}",
    operation_id="get_task",
    summary="How a task stands",
    response_model=TaskView,
    responses={304: {"description": "Nothing changed since that ETag."}, **problems(TaskNotFound)},
)
def get_task(
    task_id: TaskId,
    user: CurrentUser,
    response: Response,
    if_none_match: Annotated[str | None, Header(examples=['"7-1-33.30"'])] = None,
) -> TaskView | Response:
    """Poll this with `If-None-Match`: it costs one read while nothing changes."""
    with transaction() as session:
        task = task_store.get(session, task_id, user.id)
        headers = {"ETag": etag_of(task), "Cache-Control": "private, no-cache"}
        if _matches(if_none_match, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        response.headers.update(headers)
        return whole_view(session, task)


@router.post(
    "/{task_id}/cancel",
    operation_id="cancel_task",
    summary="Cancel a task",
    responses=problems(TaskNotFound, TaskNotCancellable, IdempotencyMismatch, RequestInFlight),
)
def cancel_task(task_id: TaskId, user: CurrentUser, once: OnceDep) -> TaskView:
    """What was delivered is paid, the rest of the held credits is back at once. Asking twice answers alike."""
    with transaction() as session:
        task_store.get(session, task_id, user.id)  # deleted meanwhile: a kept answer is not shown any more
        return once(session, TaskView, lambda: whole_view(session, task_store.cancel(session, task_id, user.id)))


@router.delete(
    "/{task_id}",
    status_code=204,
    operation_id="delete_task",
    summary="Delete a task and its files",
    response_class=Response,
    responses=problems(TaskNotFound, Conflict, IdempotencyMismatch, RequestInFlight),
)
def delete_task(task_id: TaskId, user: CurrentUser, once: OnceDep) -> None:
    """A task that has not ended is cancelled first, with the credits as there. From then on it is a 404, also here;
    its files are removed within a minute or two, unless a retry of it still stands on them.
    """
    with transaction() as session:
        once(session, Nothing, lambda: _delete(session, task_id, user.id))


def _create(session: Session, user_id: int, asked: NewTask) -> TaskView:
    task = task_store.create(session, user_id, asked.tool_id, asked.agents, asked.parameters, priority=asked.priority)
    return view_of(task, {}, ())


def _delete(session: Session, task_id: uuid.UUID, user_id: int) -> Nothing:
    deletion.delete(session, task_id, user_id)
    return Nothing()


def _matches(if_none_match: str | None, etag: str) -> bool:
    """RFC 9110: a list, weak or strong alike, or `*`."""
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return etag in tags or "*" in tags
