"""The report and the files. What a finished task published is named by its manifest, never guessed.

A task that has not completed shows what its checkpoints hold; nothing is published by a read (DESIGN §5.7).
"""

import json
from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from api.credentials import LinkedOutput, link_to_output
from api.delivered import delivered_steps, files_of, task_and_steps
from api.dependencies import CurrentUser, StorageDep, TaskId
from api.error_responses import problems
from api.schemas import Outputs, OutputView
from backend.errors import InternalError, InvalidTaskState, ResultsExpired, StorageUnavailable, TaskNotFound
from backend.storage.door import Storage
from db.models import Task, TaskStep
from transformers.partial_report import report_from_checkpoints
from transformers.stored_files import Manifest, RowFile, StoredFile

router = APIRouter(prefix="/tasks", tags=["results"])
REPORT = "report.json"
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
    task, steps = task_and_steps(task_id, user.id)
    return Response(_report(task, steps, storage), media_type="application/json")


@router.get(
    "/{task_id}/outputs",
    operation_id="get_outputs",
    summary="Links to the files",
    responses=problems(TaskNotFound, InvalidTaskState, ResultsExpired, StorageUnavailable),
)
def get_outputs(request: Request, task_id: TaskId, user: CurrentUser, storage: StorageDep) -> Outputs:
    """Links live for an hour; ask again for new ones."""
    task, steps = task_and_steps(task_id, user.id)

    def link(file: StoredFile) -> str:
        if not isinstance(file, RowFile):
            return storage.download_link(file.key, file.name)
        return f"{request.base_url}outputs/{link_to_output(LinkedOutput(user.id, task_id, file.name))}"

    return Outputs(outputs=[_output(file, link(file)) for file in files_of(task, steps, storage)])


def _report(task: Task, steps: Mapping[str, TaskStep], storage: Storage) -> bytes:
    if task.manifest_key is not None:
        return storage.get_bytes(_named(_manifest(task, storage), REPORT).key)
    if not delivered_steps(steps):
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


def _output(file: StoredFile, url: str) -> OutputView:
    return OutputView(url=url, **file.model_dump(exclude={"key", "is_output"}))
