"""Following a task by server-sent events, from its durable event log."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from starlette.concurrency import run_in_threadpool

from api.error_responses import problems
from api.event_stream import EventStream, opening_of, stream
from api.following import HubDep
from api.recognised import FollowedTask, RecognisedCustomer
from backend.errors import TaskNotFound, TooManyFollowed
from backend.settings import get_settings

SECONDS_A_MINUTE = 60
router = APIRouter(prefix="/tasks", tags=["tasks"])

_EXAMPLE = """retry: 1000

event: snapshot
id: 3
data: {"task_id":"7b9f5a4e-6d1c-4c55-9a39-0f0d7f6d2b11","status":"PROCESSING","progress":0.0,"…":"as GET /tasks/{id}"}

event: progress
data: {"progress":12.5,"current_agent":"unified-profiler"}

event: step_delivered
id: 4
data: {"seq":4,"kind":"step_delivered","at":"2025-11-21T09:30:00Z","task_id":"7b9f5a4e-6d1c-4c55-9a39-0f0d7f6d2b11",\
"status":"PROCESSING","progress":33.3,"current_agent":"score-risk","data":{"agent_id":"unified-profiler","credits":30}}

: keep-alive
"""
_SEEN = "The number of the last event that you have: what follows it is replayed."
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "Events until the task's end.", "content": {"text/event-stream": {"example": _EXAMPLE}}},
    204: {"description": "The task has ended, and you have its last event."},
}


@router.get(
    "/{task_id}/events",
    operation_id="follow_task",
    summary="Follow a task",
    response_class=Response,
    responses={**_STREAM, **problems(TaskNotFound, TooManyFollowed)},
)
async def follow_task(
    task_id: FollowedTask,
    user: RecognisedCustomer,
    hub: HubDep,
    last_event_id: Annotated[str | None, Header(max_length=100, description=_SEEN, examples=["3"])] = None,
    seen: Annotated[
        str | None,
        Query(alias="last_event_id", max_length=100, description=f"{_SEEN} The header wins.", examples=["3"]),
    ] = None,
) -> Response:
    """Server-sent events: the whole task first, then each of its events once and in order, the last one always.

    A stream ends with its task, and after some minutes: come back with `Last-Event-ID`, as EventSource does by itself.
    After the task's end that is answered 204, which tells EventSource to stay away.
    """
    opening = await run_in_threadpool(opening_of, task_id, user.id, last_event_id or seen)
    if opening.nothing_follows:
        return Response(status_code=204, headers={"Cache-Control": "no-store"})
    hub.check_room(user.id)
    return EventStream(stream(hub, opening), seconds=get_settings().access_token_minutes * SECONDS_A_MINUTE)
