"""The report and the files. What a finished task published is named by its manifest, never guessed.

A task that has not completed shows what its checkpoints hold; nothing is published by a read (DESIGN §5.7).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Header, Path, Response
from fastapi.responses import StreamingResponse

from api.dependencies import CurrentUser, StorageDep, TaskId
from api.error_responses import problems
from api.ranges import Piece, etag_matches, piece_asked
from api.schemas import Outputs, OutputView
from backend.errors import (
    InternalError,
    InvalidTaskState,
    OutputNotFound,
    RangeNotSatisfiable,
    ResultsExpired,
    StorageUnavailable,
    TaskNotFound,
)
from backend.settings import get_settings
from backend.storage import Storage, saved_as
from db import checkpoints, retention, task_store
from db.database import transaction
from db.models import StepStatus, Task, TaskStep
from db.retention import Kept
from transformers import artifacts
from transformers.partial_report import report_from_checkpoints
from transformers.stored_files import MANIFEST, Manifest, StoredFile

router = APIRouter(prefix="/tasks", tags=["results"])
REPORT = "report.json"
PIECE_BYTES = 2 * 2**20  # asked of the store at once: no connection to it is held while a customer is slow
_A_FILE = {"schema": {"type": "string", "format": "binary"}, "example": "<!doctype html>…"}
_REPORT_EXAMPLE = {
    "analysis_id": "7b9f5a4e-6d1c-4c55-9a39-0f0d7f6d2b11",
    "tool": "profile-my-data",
    "status": "success",
}


@router.get(
    "/{task_id}/report",
    operation_id="get_report",
    summary="The report",
    response_class=Response,
    responses={
        200: {"description": "The report.", "content": {"application/json": {"example": _REPORT_EXAMPLE}}},
        **problems(TaskNotFound, InvalidTaskState, ResultsExpired, StorageUnavailable),
    },
)
def get_report(task_id: TaskId, user: CurrentUser, storage: StorageDep) -> Response:
    """Of a COMPLETED task, what was published; of another, what its agents have delivered so far."""
    task, steps = _task_and_steps(task_id, user)
    return Response(_report(task, steps, storage), media_type="application/json")


@router.get(
    "/{task_id}/outputs",
    operation_id="get_outputs",
    summary="Links to the files",
    responses=problems(TaskNotFound, InvalidTaskState, ResultsExpired, StorageUnavailable),
)
def get_outputs(task_id: TaskId, user: CurrentUser, storage: StorageDep) -> Outputs:
    """Links live for an hour; ask again for new ones."""
    task, steps = _task_and_steps(task_id, user)
    return Outputs(outputs=[_output(file, storage) for file in _files(task, steps, storage)])


@router.get(
    "/{task_id}/outputs/{name}",
    operation_id="get_output",
    summary="A file itself",
    response_class=Response,
    responses={
        200: {"description": "The file.", "content": {"application/octet-stream": _A_FILE}},
        206: {"description": "The piece of it that `Range` asks for.", "content": {"application/octet-stream": {}}},
        304: {"description": "It is the one with that ETag."},
        **problems(
            TaskNotFound, OutputNotFound, InvalidTaskState, RangeNotSatisfiable, ResultsExpired, StorageUnavailable
        ),
    },
)
def get_output(
    task_id: TaskId,
    user: CurrentUser,
    storage: StorageDep,
    *,
    name: Annotated[str, Path(max_length=300, examples=["report.html"])],
    if_none_match: Annotated[str | None, Header()] = None,
    wanted: Annotated[str | None, Header(alias="Range", examples=["bytes=0-1023"])] = None,
    if_range: Annotated[str | None, Header()] = None,
) -> Response:
    """From this address instead of the file store's; it is saved, never shown. One of the names in `outputs`."""
    task, steps = _task_and_steps(task_id, user)
    file = _one_of(_files(task, steps, storage), name)
    headers = _headers_of(file)
    if etag_matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    piece = piece_asked(wanted, file.size) if if_range in (None, headers["ETag"]) else None
    headers["Content-Length"] = str(piece.length if piece else file.size)
    if piece:
        headers["Content-Range"] = f"bytes {piece.start}-{piece.end - 1}/{file.size}"
    body = _body(storage, file, piece or Piece(0, file.size))
    return StreamingResponse(body, 206 if piece else 200, headers, media_type=file.content_type)


def _files(task: Task, steps: Mapping[str, TaskStep], storage: Storage) -> Sequence[StoredFile]:
    """What the task published, and the list of it; before the end, what was delivered so far."""
    if task.manifest_key is None:
        return _delivered_so_far(task, steps, storage)
    body = storage.get_bytes(task.manifest_key)
    itself = StoredFile(
        name=MANIFEST, key=task.manifest_key, size=len(body), sha256=hashlib.sha256(body).hexdigest(),
        content_type="application/json", kind="manifest",
    )  # fmt: skip
    return [*Manifest.model_validate_json(body).files, itself]


def _one_of(files: Sequence[StoredFile], name: str) -> StoredFile:
    for file in files:
        if file.name == name:
            return file
    raise OutputNotFound(name=name, outputs=[file.name for file in files])


def _headers_of(file: StoredFile) -> dict[str, str]:
    """What a customer's data makes of the file, no browser runs it with our origin's rights."""
    return {
        "ETag": f'"{file.sha256}"',
        "Accept-Ranges": "bytes",
        "Content-Disposition": saved_as(file.name),
        "Content-Security-Policy": "sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-cache",
    }


def _body(storage: Storage, file: StoredFile, piece: Piece) -> Iterator[bytes]:
    """Each part is fetched in a thread when the customer has taken the one before."""
    for start in range(piece.start, piece.end, PIECE_BYTES):
        yield storage.read(file.key, start, min(PIECE_BYTES, piece.end - start))


def _task_and_steps(task_id: TaskId, user: CurrentUser) -> tuple[Task, Mapping[str, TaskStep]]:
    with transaction() as session:
        task = task_store.get(session, task_id, user.id)
        if retention.results_are_gone(session, task, Kept.by(get_settings())):
            raise ResultsExpired
        return task, checkpoints.of_task(session, task_id)


def _report(task: Task, steps: Mapping[str, TaskStep], storage: Storage) -> bytes:
    if task.manifest_key is not None:
        return storage.get_bytes(_named(_manifest(task, storage), REPORT).key)
    if not _delivered(steps):
        raise InvalidTaskState("No agent has delivered anything yet.", status=task.status)
    report = report_from_checkpoints(storage, task, steps)
    return json.dumps(report, ensure_ascii=False, allow_nan=False).encode()


def _manifest(task: Task, storage: Storage) -> Manifest:
    return Manifest.model_validate_json(storage.get_bytes(task.manifest_key or ""))


def _named(manifest: Manifest, name: str) -> StoredFile:
    for file in manifest.files:
        if file.name == name:
            return file
    raise InternalError(detail=f"the manifest names no {name}")


def _delivered(steps: Mapping[str, TaskStep]) -> list[TaskStep]:
    return [step for step in steps.values() if step.status == StepStatus.DELIVERED]


def _delivered_so_far(task: Task, steps: Mapping[str, TaskStep], storage: Storage) -> Sequence[StoredFile]:
    """Each delivered agent's findings, under the agent's name, and the files that it left."""
    delivered = _delivered(steps)
    if not delivered:
        raise InvalidTaskState("No agent has delivered anything yet.", status=task.status)
    found = (artifacts.read(storage, step.artifact_key) for step in delivered if step.artifact_key is not None)
    return [file for artifact in found for file in artifact.downloads]


def _output(file: StoredFile, storage: Storage) -> OutputView:
    url = storage.download_link(file.key, file.name)
    return OutputView(url=url, **file.model_dump(exclude={"key", "is_output"}))
