"""A file sent to us instead of to the file store, for those who have no S3 client: `curl --upload-file data.csv …`.

The body is streamed on (streamed_upload.py); what it costs does not grow with it. The task must be CREATED when it
begins and when it ends, and only then does the row name the file.
"""

import re
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api.arrivals import Wanted, check_still_open, keep, open_task
from api.dependencies import CurrentUser, StorageDep, TaskId
from api.error_responses import problems
from api.schemas import ShortText
from api.streamed_upload import Destination, StreamedUpload, a_place_for, lively
from api.upload_schemas import ReceivedFile
from backend.errors import (
    BadRequest,
    Conflict,
    FileTooLarge,
    InvalidTaskState,
    StorageUnavailable,
    TaskNotFound,
    TooManyUploads,
    UnreadableFile,
    UnsupportedFormat,
)
from backend.storage.door import Storage
from backend.storage.keys import input_key
from db.database import transaction
from transformers.catalog import tool_for
from transformers.file_names import safe_filename
from transformers.first_look import HEAD_BYTES, format_of
from transformers.input_plan import PlannedFile, check_format, check_size, files_with, role_of

router = APIRouter(prefix="/tasks", tags=["tasks"])
_CONTENT_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(; ?[\w=-]+)*")
_CURLS_OWN = "application/x-www-form-urlencoded"  # what curl says of any body; a store may take that for a form's
_A_FILE = {"schema": {"type": "string", "format": "binary"}, "example": "id,name\n1,Ada\n"}
_BODY = {"requestBody": {"required": True, "content": {"application/octet-stream": _A_FILE}}}


@router.put(
    "/{task_id}/inputs/{role}",
    operation_id="put_input",
    summary="Send a file to a role, as the request's body",
    responses=problems(
        TaskNotFound, InvalidTaskState, Conflict, FileTooLarge, UnsupportedFormat, UnreadableFile, BadRequest,
        TooManyUploads, StorageUnavailable,
    ),
    openapi_extra=_BODY,
)  # fmt: skip
async def put_input(
    task_id: TaskId,
    *,
    role: Annotated[str, Path(max_length=200, examples=["primary"])],
    filename: Annotated[ShortText, Query(pattern=r"^[^\x00]*$", examples=["customers.csv"])],
    request: Request,
    user: CurrentUser,
    storage: StorageDep,
) -> ReceivedFile:
    """Replaces an earlier file of that role; of one that takes several, that of the same name.

    The file itself, not a form; for large ones `upload-urls` is quicker.
    """
    announced, content_type = _announced(request)
    wanted = await run_in_threadpool(_wanted, task_id, user.id, role, filename, content_type)
    if announced is not None:
        check_size(wanted.role, wanted.file.filename, announced)
    try:
        with a_place_for(user.id):
            size, found = await _receive(storage, wanted, request.stream())
    except ClientDisconnect:
        raise BadRequest("The file broke off.") from None  # nobody reads it; the log does
    await run_in_threadpool(keep, storage, wanted, size)
    return ReceivedFile(role=wanted.role.name, filename=wanted.file.filename, size=size, format=found)


def _announced(request: Request) -> tuple[int | None, str]:
    """The body's length, if it says one, and its type."""
    length = request.headers.get("content-length", "")
    content_type = request.headers.get("content-type", "")
    if content_type.startswith("multipart/form-data"):
        raise BadRequest("Send the file itself as the body, not a form with a file in it.")
    known = _CONTENT_TYPE.fullmatch(content_type) and len(content_type) <= 200  # noqa: PLR2004 (as when announced)
    named = known and content_type != _CURLS_OWN
    return int(length) if length.isdecimal() else None, content_type if named else "application/octet-stream"


def _wanted(task_id: UUID, user_id: int, role_name: str, name: str, content_type: str) -> Wanted:
    with transaction() as session:
        task = open_task(session, task_id, user_id)
    role, filename = role_of(tool_for(task.tool_id), role_name), safe_filename(name)
    check_format(role, filename)
    file = PlannedFile(filename, input_key(user_id, task_id, role.name, filename), content_type, 0)
    files_with(task.inputs, role, [file])  # before a byte of one too many is taken
    return Wanted(task_id, user_id, role, file)


async def _receive(storage: Storage, wanted: Wanted, body: AsyncIterator[bytes]) -> tuple[int, str]:
    """The file, once it is stored: its size and its format."""
    head = bytearray()
    found: str | None = None
    async with StreamedUpload(storage, Destination(wanted.file.key, wanted.file.content_type)) as upload:
        async for chunk in lively(body):
            _check_room(wanted, upload.size + len(chunk))
            head += chunk[: HEAD_BYTES - len(head)]
            if found is None and len(head) == HEAD_BYTES:
                found = format_of(wanted.role, wanted.file.filename, bytes(head))
            await upload.add(chunk)
        check_size(wanted.role, wanted.file.filename, upload.size)
        found = found or format_of(wanted.role, wanted.file.filename, bytes(head))
        await run_in_threadpool(check_still_open, wanted)  # before the object replaces one that a submit has seen
        await upload.finish()
    return upload.size, found


def _check_room(wanted: Wanted, size: int) -> None:
    if size > wanted.role.max_bytes:
        sentence = f"{wanted.file.filename!r} has more than {wanted.role.max_bytes:,} bytes, the most that the role "
        raise FileTooLarge(
            f"{sentence}{wanted.role.name!r} takes.",
            role=wanted.role.name, filename=wanted.file.filename, max_bytes=wanted.role.max_bytes,
        )  # fmt: skip
