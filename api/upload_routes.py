"""Announcing files: a name, a key and a signed form for each, or links to its parts, noted on the task's row."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from api.arrivals import Wanted, abort, keep, open_task, open_uploads
from api.dependencies import CurrentUser, StorageDep, TaskId
from api.error_responses import problems
from api.once import Once, OnceDep
from api.parts import part_bytes, part_links, put_together
from api.schemas import (
    AnnouncedFile,
    AnnouncedFiles,
    PartsView,
    ReceivedFile,
    SentParts,
    Told,
    Uploads,
    UploadView,
)
from backend.clock import now
from backend.errors import (
    BadRequest,
    Conflict,
    CustomerError,
    FileTooLarge,
    IdempotencyMismatch,
    InvalidTaskState,
    MissingInputRole,
    RequestInFlight,
    StorageUnavailable,
    TaskNotFound,
    UnreadableFile,
    UnsupportedFormat,
)
from backend.remote_file import opened
from backend.settings import get_settings
from backend.storage import ObjectInfo, OpenUpload, Storage, input_key
from db import task_store
from db.database import Session, transaction
from db.models import Task
from transformers.catalog import tool_for
from transformers.first_look import look_into
from transformers.input_plan import PlannedFile, check_format, check_size, planned_files, role_of, safe_filename
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
        StorageUnavailable,
    ),
)
def create_upload_urls(
    task_id: TaskId, asked: AnnouncedFiles, user: CurrentUser, storage: StorageDep, once: OnceDep
) -> Uploads:
    """One file a role; a role announced again is replaced. The links live for minutes: ask again for new ones.

    A large file gets a link for each of its parts. With an `Idempotency-Key` asking again gives new links to the same
    upload; without one, a new upload takes the place of that which was begun.
    """
    with transaction() as session:
        task = open_task(session, task_id, user.id)
        kept = once.answered(session, Plan)
    plan = kept or _begin(storage, task, asked, once)
    return Uploads(uploads={role: _link(storage, task, role, file) for role, file in plan.files.items()})


@router.post(
    "/{task_id}/uploads/{role}/complete",
    operation_id="complete_upload",
    summary="Put the parts of a large file together",
    responses=problems(
        TaskNotFound, InvalidTaskState, Conflict, MissingInputRole, FileTooLarge, UnsupportedFormat, UnreadableFile,
        BadRequest, StorageUnavailable,
    ),
)  # fmt: skip
def complete_upload(
    task_id: TaskId,
    role: Annotated[str, Path(max_length=200, examples=["primary"])],
    asked: SentParts,
    user: CurrentUser,
    storage: StorageDep,
) -> ReceivedFile:
    """Asked again after it was done, it answers alike."""
    wanted = _announced(task_id, user.id, role)
    if wanted.file.upload is not None:
        put_together(storage, wanted, wanted.file.upload, asked)
    found = storage.head(wanted.file.key)
    if found is None:
        raise MissingInputRole(f"{wanted.file.filename!r} has not arrived.", role=role)
    kind = _checked(storage, wanted, found)
    if wanted.file.upload is not None:
        keep(storage, wanted, found.size)
    return ReceivedFile(role=role, filename=wanted.file.filename, size=found.size, format=kind)


def _begin(storage: Storage, task: Task, asked: AnnouncedFiles, once: Once) -> Plan:
    """Large files' uploads are begun before the row is locked; what no row names in the end is aborted."""
    files: dict[str, PlannedFile] = {}
    replaced: list[OpenUpload] = []
    named: list[OpenUpload] = []
    try:
        for role, file in asked.files.items():
            files[role] = _planned(storage, task, role, file)
        with transaction() as session:
            locked = open_task(session, task.id, task.user_id, lock=True)
            before = open_uploads(locked.inputs, files)
            plan = once(session, Plan, lambda: _plan(session, locked, files))
        named, replaced = _uploads(plan.files), before
    finally:
        abort(storage, (upload for upload in [*_uploads(files), *replaced] if upload not in named))
    return plan


def _uploads(files: Mapping[str, PlannedFile]) -> list[OpenUpload]:
    return [file.upload for file in files.values() if file.upload is not None]


def _plan(session: Session, task: Task, files: dict[str, PlannedFile]) -> Plan:
    task_store.plan_inputs(session, task, {role: [file.as_row()] for role, file in files.items()})
    return Plan(task_id=task.id, files=files)


def _planned(storage: Storage, task: Task, role_name: str, file: AnnouncedFile) -> PlannedFile:
    role = _role(task, role_name)
    filename = safe_filename(file.filename)
    check_format(role, filename)
    check_size(role, filename, file.size)
    planned = PlannedFile(filename, input_key(task.user_id, task.id, role.name, filename), file.content_type, file.size)
    if file.size <= get_settings().upload_parts_above:
        return planned
    return replace(planned, upload_id=storage.begin_upload(planned.key, file.content_type, by_links=True).upload_id)


def _role(task: Task, name: str) -> InputRole:
    return role_of(tool_for(task.tool_id), name)


def _link(storage: Storage, task: Task, role_name: str, file: PlannedFile) -> UploadView | PartsView:
    expires_at = now() + timedelta(seconds=get_settings().upload_link_seconds)
    max_bytes = _role(task, role_name).max_bytes
    if file.upload is not None:
        size, parts = part_bytes(file.size), part_links(storage, file.upload, file.size)
        return PartsView(part_bytes=size, parts=parts, max_bytes=max_bytes, expires_at=expires_at, key=file.key)
    link = storage.upload_link(file.key, file.content_type, max_bytes)
    return UploadView(url=link.url, fields=link.fields, max_bytes=max_bytes, expires_at=expires_at, key=link.key)


def _announced(task_id: UUID, user_id: int, role_name: str) -> Wanted:
    with transaction() as session:
        task = open_task(session, task_id, user_id)
    role = _role(task, role_name)
    files = planned_files(task.inputs).get(role.name, ())
    if not files:
        raise MissingInputRole(f"No file was announced for the role {role.name!r}.", role=role.name)
    return Wanted(task_id, user_id, role, files[0])


def _checked(storage: Storage, wanted: Wanted, found: ObjectInfo) -> str:
    """Its format. A file that is refused goes; one that took its place meanwhile is not the one that was judged."""
    try:
        check_size(wanted.role, wanted.file.filename, found.size)
        return look_into(wanted.role, wanted.file.filename, opened(storage, found))
    except CustomerError as error:
        there = storage.head(found.key)
        if there is not None and there.etag != found.etag:
            raise Conflict(f"{wanted.file.filename!r} was replaced meanwhile.", role=wanted.role.name) from error
        storage.delete([found.key])
        raise
