"""Announcing files: a name, a key and a signed form for each, or links to its parts, noted on the task's row."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from api.arrivals import Wanted, abort, keep, open_task, plan_files
from api.dependencies import CurrentUser, StorageDep, TaskId
from api.error_responses import problems
from api.once import Once, OnceDep
from api.parts import part_bytes, part_links, put_together
from api.schemas import ShortText, Told
from api.upload_schemas import (
    AnnouncedFile,
    AnnouncedFiles,
    AnyUpload,
    PartsView,
    ReceivedFile,
    SentParts,
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
from backend.storage.door import Storage
from backend.storage.keys import input_key
from backend.storage.objects import ObjectInfo, OpenUpload
from db.database import Session, transaction
from db.models import Task
from transformers.catalog import tool_for
from transformers.file_names import safe_filename
from transformers.first_look import look_into
from transformers.input_plan import (
    PlannedFile,
    check_format,
    check_size,
    files_with,
    planned_files,
    role_of,
)
from transformers.tool import InputRole

router = APIRouter(prefix="/tasks", tags=["tasks"])


class Plan(Told):
    """What is kept for a replay: no link, because a link is a secret and grows old.

    By `task_id` a deletion finds the names of the files here.
    """

    task_id: uuid.UUID | None = None  # what an older release has kept has none
    files: dict[str, PlannedFile | list[PlannedFile]]  # a list where the role takes several

    @property
    def uploads(self) -> list[OpenUpload]:
        """Those in parts."""
        every = [file for some in self.files.values() for file in (some if isinstance(some, list) else [some])]
        return [file.upload for file in every if file.upload is not None]


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

    A role that takes several files (`many`) takes a list, and keeps those of other names that were announced before.
    A large file gets a link for each of its parts. With an `Idempotency-Key` asking again gives new links to the same
    upload; without one, a new upload takes the place of that which was begun.
    """
    with transaction() as session:
        task = open_task(session, task_id, user.id)
        kept = once.answered(session, Plan)
    plan = kept or _begin(storage, task, asked, once)
    return Uploads(uploads={role: _links(storage, _role(task, role), files) for role, files in plan.files.items()})


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
    *,
    role: Annotated[str, Path(max_length=200, examples=["primary"])],
    asked: SentParts,
    user: CurrentUser,
    storage: StorageDep,
    filename: Annotated[
        ShortText | None,
        Query(
            pattern=r"^[^\x00]*$",
            description="Of a role that takes several files: which one.",
            examples=["customers.csv"],
        ),
    ] = None,
) -> ReceivedFile:
    """Asked again after it was done, it answers alike."""
    wanted = _announced(task_id, user.id, role, filename)
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
    planned = _planned(task, asked)
    begun: list[OpenUpload] = []
    named: Sequence[OpenUpload] = ()
    let_go: list[OpenUpload] = []
    try:
        files = {role: [_begun(storage, file, begun) for file in some] for role, some in planned.items()}
        with transaction() as session:
            locked = open_task(session, task.id, task.user_id, lock=True)
            replaced: list[OpenUpload] = []
            plan = once(session, Plan, lambda: _plan(session, locked, files, replaced))
        named, let_go = plan.uploads, replaced
    finally:
        abort(storage, (upload for upload in [*begun, *let_go] if upload not in named))
    return plan


def _planned(task: Task, asked: AnnouncedFiles) -> Mapping[InputRole, Sequence[PlannedFile]]:
    planned = {}
    for name, files in asked.files.items():
        role = _role(task, name)
        some = files if isinstance(files, list) else [files]
        planned[role] = files_with({}, role, [_planned_file(task, role, file) for file in some])
    return planned


def _planned_file(task: Task, role: InputRole, file: AnnouncedFile) -> PlannedFile:
    filename = safe_filename(file.filename)
    check_format(role, filename)
    check_size(role, filename, file.size)
    return PlannedFile(filename, input_key(task.user_id, task.id, role.name, filename), file.content_type, file.size)


def _begun(storage: Storage, file: PlannedFile, begun: list[OpenUpload]) -> PlannedFile:
    if file.size <= get_settings().upload_parts_above:
        return file
    begun.append(storage.begin_upload(file.key, file.content_type, by_links=True))
    return replace(file, upload_id=begun[-1].upload_id)


def _plan(
    session: Session, task: Task, files: Mapping[InputRole, list[PlannedFile]], replaced: list[OpenUpload]
) -> Plan:
    replaced += plan_files(session, task, files)
    return Plan(task_id=task.id, files={role.name: some if role.many else some[0] for role, some in files.items()})


def _role(task: Task, name: str) -> InputRole:
    return role_of(tool_for(task.tool_id), name)


def _links(
    storage: Storage, role: InputRole, files: PlannedFile | Sequence[PlannedFile]
) -> AnyUpload | list[AnyUpload]:
    if isinstance(files, PlannedFile):
        return _link(storage, role, files)
    return [_link(storage, role, file) for file in files]


def _link(storage: Storage, role: InputRole, file: PlannedFile) -> AnyUpload:
    expires_at = now() + timedelta(seconds=get_settings().upload_link_seconds)
    if file.upload is not None:
        size, parts = part_bytes(file.size), part_links(storage, file.upload, file.size)
        return PartsView(part_bytes=size, parts=parts, max_bytes=role.max_bytes, expires_at=expires_at, key=file.key)
    link = storage.upload_link(file.key, file.content_type, role.max_bytes)
    return UploadView(url=link.url, fields=link.fields, max_bytes=role.max_bytes, expires_at=expires_at, key=link.key)


def _announced(task_id: UUID, user_id: int, role_name: str, filename: str | None) -> Wanted:
    with transaction() as session:
        task = open_task(session, task_id, user_id)
    role = _role(task, role_name)
    files = planned_files(task.inputs).get(role.name, [])
    meant = files if filename is None else [file for file in files if file.filename == safe_filename(filename)]
    if not meant:
        raise MissingInputRole(f"No such file was announced for the role {role.name!r}.", role=role.name)
    if len(meant) > 1:
        raise BadRequest(f"The role {role.name!r} has several files; name one with `filename`.", role=role.name)
    return Wanted(task_id, user_id, role, meant[0])


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
