"""Retry: an ended task is repeated as a new one, on the same files, from where it stopped."""

from fastapi import APIRouter, Response

from api.dependencies import CurrentUser, StorageDep, TaskId
from api.error_responses import problems
from api.once import OnceDep
from api.schemas import TaskView
from api.task_view import whole_view
from backend.errors import (
    BadParameters,
    FileTooLarge,
    IdempotencyMismatch,
    InsufficientCredits,
    InvalidTaskState,
    MissingInputRole,
    NoInputFiles,
    RequestInFlight,
    ResultsExpired,
    StorageUnavailable,
    TaskNotFound,
    UnknownAgent,
    UnknownTool,
    UnsupportedFormat,
)
from backend.settings import get_settings
from db import checkpoints, items, retries, task_store
from db.database import Session, transaction
from db.retention import Kept
from db.retries import Resubmission
from transformers.resubmission import resubmission_for

router = APIRouter(prefix="/tasks", tags=["tasks"])


@router.post(
    "/{task_id}/retry",
    status_code=201,
    operation_id="retry_task",
    summary="Repeat a task that failed",
    responses=problems(
        TaskNotFound, InvalidTaskState, InsufficientCredits, ResultsExpired, UnknownTool, UnknownAgent, BadParameters,
        NoInputFiles, MissingInputRole, FileTooLarge, UnsupportedFormat, IdempotencyMismatch, RequestInFlight,
        StorageUnavailable,
    ),
)  # fmt: skip
def retry_task(task_id: TaskId, user: CurrentUser, storage: StorageDep, once: OnceDep, response: Response) -> TaskView:
    """A FAILED or CANCELLED task, or one that completed in part, becomes a new task (`retry_of`), queued at once.

    It works on the same files with the same parameters, takes over what was delivered, and holds credits, at today's
    prices, only for the rest: of a batch, for the items that did not go well. One retry of a task at a time, and none
    when one has completed.
    """
    with transaction() as session:
        task = task_store.get(session, task_id, user.id)
        view = once.answered(session, TaskView)
        finished = checkpoints.without_artifacts(session, task_id)
        done = items.ok_positions(session, task_id) if task.items else set()
    if view is None:
        wanted = resubmission_for(storage, task, finished, done)
        with transaction() as session:
            view = once(session, TaskView, lambda: _retry(session, user.id, wanted))
    response.headers["Location"] = f"/tasks/{view.task_id}"
    return view


def _retry(session: Session, user_id: int, wanted: Resubmission) -> TaskView:
    task = retries.create(session, user_id, wanted, Kept.by(get_settings()))
    return whole_view(session, task)
