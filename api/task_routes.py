"""Tasks: create, list, look at, cancel, delete. Uploading and submitting are in submit_routes.py."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from api.cursors import CursorQuery, LimitQuery, cursor_of, task_cursor
from api.dependencies import CurrentUser, ModelsDep, TaskId
from api.error_responses import problems
from api.following import HubDep
from api.once import Nothing, OnceDep
from api.polling import Poll
from api.recognised import FollowedTask, RecognisedCustomer
from api.schemas import NewTask, TaskPage, TaskView
from api.task_view import summary_of, view_of, whole_view
from backend.errors import (
    BadParameters,
    BadRequest,
    Conflict,
    IdempotencyMismatch,
    RequestInFlight,
    TaskNotCancellable,
    TaskNotFound,
    ToolUnavailable,
    TooManyFollowed,
    UnknownAgent,
    UnknownTool,
)
from db import deletion, task_store
from db.database import Session, transaction
from db.models import TaskStatus
from transformers.availability import check_available
from transformers.catalog import tool_for
from transformers.forms import check_wishes

router = APIRouter(prefix="/tasks", tags=["tasks"])


_HEADERS = {
    "ETag": {"description": "Of all that is shown but `eta`.", "schema": {"type": "string"}},
    "Retry-After": {
        "description": "Seconds until asking again is worthwhile; absent when nothing will change any more.",
        "schema": {"type": "integer"},
    },
}


@router.post(
    "",
    status_code=201,
    operation_id="create_task",
    summary="Create a task",
    responses=problems(
        UnknownTool, UnknownAgent, ToolUnavailable, BadParameters, BadRequest, TaskNotFound, IdempotencyMismatch,
        RequestInFlight,
    ),
)  # fmt: skip
def create_task(asked: NewTask, user: CurrentUser, once: OnceDep, models: ModelsDep, response: Response) -> TaskView:
    """Nothing is charged yet. Next: `upload-urls`, the uploads, then `process`; within 24 hours.

    With an `Idempotency-Key`: 404 when the task that was created with it was deleted since.
    """
    tool = tool_for(asked.tool_id)
    check_wishes(tool, asked.agents, asked.parameters)
    check_available(tool, asked.parameters, models.offered(), models.why_unavailable)
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
    responses={
        200: {"headers": _HEADERS},
        304: {"description": "Nothing changed since that ETag.", "headers": _HEADERS},
        **problems(TaskNotFound, TooManyFollowed),
    },
)
async def get_task(
    task_id: FollowedTask,
    user: RecognisedCustomer,
    hub: HubDep,
    request: Request,
    *,
    wait: Annotated[
        float,
        Query(ge=0, le=60, description="Seconds to wait for a change, with `If-None-Match`.", examples=[20]),
    ] = 0,
    if_none_match: Annotated[str | None, Header(examples=['"7-1-33.30"'])] = None,
) -> Response:
    """Poll this with `If-None-Match`, as often as `Retry-After` says; with `wait` the answer comes when there is one.

    Whoever asks more often than five times a second is answered from what is at most a fifth of a second old.
    """
    return await Poll(hub, task_id, user.id, if_none_match).answer(wait, gone=request.is_disconnected)


@router.post(
    "/{task_id}/cancel",
    operation_id="cancel_task",
    summary="Cancel a task",
    responses=problems(TaskNotFound, TaskNotCancellable, IdempotencyMismatch, RequestInFlight),
)
def cancel_task(task_id: TaskId, user: CurrentUser, once: OnceDep, hub: HubDep) -> TaskView:
    """What was delivered is paid, the rest of the held credits is back at once. Asking twice answers alike."""
    with transaction() as session:
        task_store.get(session, task_id, user.id)  # deleted meanwhile: a kept answer is not shown any more
        view = once(session, TaskView, lambda: whole_view(session, task_store.cancel(session, task_id, user.id)))
    hub.forget(task_id)
    return view


@router.delete(
    "/{task_id}",
    status_code=204,
    operation_id="delete_task",
    summary="Delete a task and its files",
    response_class=Response,
    responses=problems(TaskNotFound, Conflict, IdempotencyMismatch, RequestInFlight),
)
def delete_task(task_id: TaskId, user: CurrentUser, once: OnceDep, hub: HubDep) -> None:
    """A task that has not ended is cancelled first, with the credits as there. From then on it is a 404, also here;
    its files are removed within a minute or two, unless a retry of it still stands on them.
    """
    with transaction() as session:
        once(session, Nothing, lambda: _delete(session, task_id, user.id))
    hub.forget(task_id)


def _create(session: Session, user_id: int, asked: NewTask) -> TaskView:
    task = task_store.create(session, user_id, asked.tool_id, asked.agents, asked.parameters, priority=asked.priority)
    return view_of(task, {}, ())


def _delete(session: Session, task_id: uuid.UUID, user_id: int) -> Nothing:
    deletion.delete(session, task_id, user_id)
    return Nothing()
