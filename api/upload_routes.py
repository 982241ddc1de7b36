"""Announcing files: a name, a key and a signed form for each, noted on the task's row."""

import uuid
from datetime import timedelta

from fastapi import APIRouter

from api.dependencies import CurrentUser, StorageDep, TaskId
from api.error_responses import problems
from api.once import OnceDep
from api.schemas import AnnouncedFile, AnnouncedFiles, Told, Uploads, UploadView
from backend.clock import now
from backend.errors import (
    BadRequest,
    FileTooLarge,
    IdempotencyMismatch,
    InvalidTaskState,
    RequestInFlight,
    TaskNotFound,
    UnsupportedFormat,
)
from backend.settings import get_settings
from backend.storage import Storage, input_key
from db import task_store
from db.database import Session, transaction
from db.models import Task, TaskStatus
from transformers.catalog import tool_for
from transformers.input_plan import PlannedFile, check_format, check_size, role_of, safe_filename
from transformers.tool import InputRole

router = APIRouter(prefix="/tasks", tags=["tasks"])


class Plan(Told):
    """What is kept for a replay: no link, because a link is a secret and grows old.

    By `task_id` a deletion finds the names of the files here.
    """

    task_id: uuid.UUID | None = None  # what an older release has kept has none
    files: dict[str, PlannedFile]


@router.post(
    "/{task_id}/upload-urls",
    operation_id="create_upload_urls",
    summary="Announce files and get a form to upload each",
    responses=problems(
        TaskNotFound,
        InvalidTaskState,
        FileTooLarge,
        UnsupportedFormat,
        BadRequest,
        IdempotencyMismatch,
        RequestInFlight,
    ),
)
def create_upload_urls(
    task_id: TaskId, asked: AnnouncedFiles, user: CurrentUser, storage: StorageDep, once: OnceDep
) -> Uploads:
    """One file a role; a role announced again is replaced. The links live for minutes: ask again for new ones."""
    with transaction() as session:
        task = task_store.get(session, task_id, user.id, lock=True)
        if task.status != TaskStatus.CREATED:
            raise InvalidTaskState(f"The task is {task.status.lower()} already.", status=task.status)
        plan = once(session, Plan, lambda: _plan(session, task, asked))
    return Uploads(uploads={role: _link(storage, task, role, file) for role, file in plan.files.items()})


def _plan(session: Session, task: Task, asked: AnnouncedFiles) -> Plan:
    files = {role: _planned(task, role, file) for role, file in asked.files.items()}
    task_store.plan_inputs(session, task, {role: [file.as_row()] for role, file in files.items()})
    return Plan(task_id=task.id, files=files)


def _planned(task: Task, role_name: str, file: AnnouncedFile) -> PlannedFile:
    role = _role(task, role_name)
    filename = safe_filename(file.filename)
    check_format(role, filename)
    check_size(role, filename, file.size)
    key = input_key(task.user_id, task.id, role.name, filename)
    return PlannedFile(filename, key, file.content_type, file.size)


def _role(task: Task, name: str) -> InputRole:
    return role_of(tool_for(task.tool_id), name)


def _link(storage: Storage, task: Task, role_name: str, file: PlannedFile) -> UploadView:
    expires_at = now() + timedelta(seconds=get_settings().upload_link_seconds)
    link = storage.upload_link(file.key, file.content_type, _role(task, role_name).max_bytes)
    return UploadView(url=link.url, fields=link.fields, max_bytes=link.max_bytes, expires_at=expires_at, key=link.key)
