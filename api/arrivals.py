"""What becomes of a task's row when a file of it has arrived, and of an upload in parts that no row names any more.

A file may arrive while its task is CREATED. The store is asked while no transaction is open, so the state is looked at
again, under the row's lock, when the row is to name the file.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from backend.errors import CustomerError, InvalidTaskState, TaskNotFound
from backend.storage.door import Storage
from backend.storage.objects import OpenUpload
from db import task_store
from db.database import Session, transaction
from db.models import Task, TaskStatus
from transformers.input_plan import PlannedFile, files_with, planned_files, rows_of
from transformers.tool import InputRole


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which file of which task is coming, and what its role allows."""

    task_id: UUID
    user_id: int
    role: InputRole
    file: PlannedFile


def open_task(session: Session, task_id: UUID, user_id: int, *, lock: bool = False) -> Task:
    """A task that still takes files.

    Raises:
        TaskNotFound, InvalidTaskState
    """
    task = task_store.get(session, task_id, user_id, lock=lock)
    if task.status != TaskStatus.CREATED:
        raise InvalidTaskState(f"The task is {task.status.lower()} already.", status=task.status)
    return task


def check_still_open(wanted: Wanted) -> None:
    with transaction() as session:
        open_task(session, wanted.task_id, wanted.user_id)


def keep(storage: Storage, wanted: Wanted, size: int) -> None:
    """The row names the file, which is in the store; if it may not any more, the file goes."""
    arrived = wanted.file.arrived(size)
    try:
        with transaction() as session:
            task = open_task(session, wanted.task_id, wanted.user_id, lock=True)
            replaced = plan_files(session, task, {wanted.role: [arrived]})
    except CustomerError:
        if not _is_named(wanted):
            storage.delete([arrived.key])
        raise
    abort(storage, (upload for upload in replaced if upload.upload_id != wanted.file.upload_id))


def _is_named(wanted: Wanted) -> bool:
    """True where a submit was quicker and means a file of this key."""
    try:
        with transaction() as session:
            inputs = task_store.get(session, wanted.task_id, wanted.user_id).inputs
    except TaskNotFound:
        return False
    return any(file.key == wanted.file.key for files in planned_files(inputs).values() for file in files)


def plan_files(session: Session, task: Task, new: Mapping[InputRole, Sequence[PlannedFile]]) -> list[OpenUpload]:
    """The row of the locked task names these files; the uploads in parts that it named before, and does not any more.

    Raises:
        BadRequest: they are more than a role takes.
    """
    inputs = {role.name: rows_of(files_with(task.inputs, role, files)) for role, files in new.items()}
    before = open_uploads(task.inputs)
    task_store.plan_inputs(session, task, inputs)
    named = open_uploads({**task.inputs, **inputs})
    return [upload for upload in before if upload not in named]


def open_uploads(inputs: Mapping[str, Any]) -> list[OpenUpload]:
    """The uploads in parts that a row's inputs name."""
    return [file.upload for files in planned_files(inputs).values() for file in files if file.upload is not None]


def abort(storage: Storage, uploads: Iterable[OpenUpload]) -> None:
    for upload in uploads:
        storage.abort_upload(upload)
