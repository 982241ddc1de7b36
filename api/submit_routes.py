"""The submit: from CREATED to QUEUED.

The file store is asked while no transaction is open. Then one transaction (DESIGN §4), a single statement without an
`Idempotency-Key`, locks the row, holds the credits, writes the event and wakes the conductors. The broker is not asked:
the row is the message.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from uuid import UUID

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from api.dependencies import CurrentUser, Customer, ModelsDep, StorageDep, TaskId
from api.error_responses import problems
from api.once import Once, OnceDep
from api.schemas import Queued
from backend.errors import (
    BadParameters,
    Conflict,
    FileTooLarge,
    IdempotencyMismatch,
    InsufficientCredits,
    InvalidTaskState,
    MissingInputRole,
    NoInputFiles,
    RequestInFlight,
    StorageUnavailable,
    TaskNotFound,
    ToolUnavailable,
    UnknownAgent,
    UnknownTool,
    UnreadableFile,
    UnsupportedFormat,
)
from backend.language_models.door import LanguageModels
from backend.remote_file import opened
from backend.storage.door import Storage
from db import paces, submits
from db.database import Session, statement, transaction
from db.models import Task, TaskStatus
from db.submits import Draft, Submission
from transformers.catalog import tool_for
from transformers.first_look import look_into
from transformers.input_plan import keys_of, planned_files, role_of
from transformers.submission import (
    Arrived,
    ArrivedFile,
    Surroundings,
    check_files,
    merged_parameters,
    submission_for,
)
from transformers.tool import PARAMETERS_ROLE, Tool

router = APIRouter(prefix="/tasks", tags=["tasks"])
FEW = 3  # files for which no thread is worth while
LOOKS_AT_ONCE = 8  # threads of one submit; the store's door keeps 20 connections for all
T = TypeVar("T")


@router.post(
    "/{task_id}/process",
    status_code=202,
    operation_id="process_task",
    summary="Queue a task",
    responses=problems(
        TaskNotFound, InvalidTaskState, Conflict, InsufficientCredits, UnknownTool, UnknownAgent, ToolUnavailable,
        BadParameters, NoInputFiles, MissingInputRole, FileTooLarge, UnsupportedFormat, UnreadableFile,
        IdempotencyMismatch, RequestInFlight, StorageUnavailable,
    ),
)  # fmt: skip
async def process_task(
    task_id: TaskId, user: CurrentUser, storage: StorageDep, models: ModelsDep, once: OnceDep
) -> Queued:
    """Holds the credits of the agents that will run. Send an `Idempotency-Key`, so that a retry is harmless."""
    return await run_in_threadpool(_process, task_id, user, storage, models, once)


def _process(task_id: UUID, user: Customer, storage: Storage, models: LanguageModels, once: Once) -> Queued:
    with transaction() if once.has_key else statement() as session:
        task = submits.draft(session, task_id, user.id)
        if isinstance(session, Session) and (kept := once.answered(session, Queued)) is not None:
            return kept
    if task.status != TaskStatus.CREATED:
        raise InvalidTaskState(f"The task is {task.status.lower()} already.", status=task.status)
    known = Surroundings(paces.lately(), storage.get_bytes, models.why_unavailable)
    submission = _checked(task, storage, known)
    if not once.has_key:
        with statement() as session:
            celery_task_id = submits.enqueue(session, task, submission)
        if celery_task_id is not None:
            return _queued(task, submission, celery_task_id)
    with transaction() as session:
        return once(session, Queued, lambda: _submit(session, task, submission))


def _checked(task: Draft, storage: Storage, known: Surroundings) -> Submission:
    tool = tool_for(task.tool_id)
    planned = planned_files(task.inputs)
    arrived = check_files(tool, planned, storage.heads(keys_of(planned)))
    look_into_all(tool, arrived, storage)
    parameters = parameters_of(task, arrived.get(PARAMETERS_ROLE, ()), storage)
    return submission_for(tool, task.agents, parameters, arrived, known)


def look_into_all(tool: Tool, arrived: Arrived, storage: Storage) -> None:
    """A few bytes of each file, so that what no agent will read never waits, runs or is held credits for."""
    look_at_all(
        arrived, lambda name, file: look_into(role_of(tool, name), file.planned.filename, opened(storage, file.found))
    )


def look_at_all(arrived: Arrived, look: Callable[[str, ArrivedFile], T]) -> Mapping[str, list[T]]:
    """By role, what `look` says of its name and each of its files: some at once, for a thousand are asked of the store.

    The first that is refused, in their order, is raised.
    """
    asked = [(name, file) for name, files in arrived.items() for file in files]
    if len(asked) <= FEW:
        seen = [look(name, file) for name, file in asked]
    else:
        with ThreadPoolExecutor(LOOKS_AT_ONCE, thread_name_prefix="first-look") as threads:
            seen = list(threads.map(look, *zip(*asked, strict=True)))
    found: dict[str, list[T]] = {}
    for (name, _file), one in zip(asked, seen, strict=True):
        found.setdefault(name, []).append(one)
    return found


def parameters_of(task: Task | Draft, uploaded: Sequence[ArrivedFile], storage: Storage) -> Mapping[str, Any]:
    """The task's own, above those that were uploaded. Raises BadParameters."""
    parameters: Mapping[str, Any] = task.parameters
    for file in uploaded:
        parameters = merged_parameters(storage.get_bytes(file.found.key), parameters)
    return parameters


def _submit(session: Session, checked: Draft, submission: Submission) -> Queued:
    return _queued(checked, submission, submits.submit(session, checked, submission))


def _queued(checked: Draft, submission: Submission, celery_task_id: UUID) -> Queued:
    held, agents = sum(submission.prices.values()), len(submission.agents)
    return Queued(
        task_id=checked.id,
        celery_task_id=celery_task_id,
        message=f"The task is queued; {held} credits are held for {agents} agent{'s' * (agents != 1)}.",
    )
