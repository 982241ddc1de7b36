"""A task's file from our own address, for a page that may ask no other origin, and for who cannot reach the store.

It is fetched from the store piece by piece as the customer takes it: no connection and no thread waits for them.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.responses import StreamingResponse

from api.credentials import LinkedOutput, output_of_link
from api.delivered import files_of, task_and_steps
from api.dependencies import CurrentUser, StorageDep, TaskId
from api.error_responses import problems
from api.ranges import Piece, etag_matches, piece_asked
from api.rate_limits import check_rate
from backend.errors import (
    Forbidden,
    InvalidTaskState,
    OutputNotFound,
    RangeNotSatisfiable,
    ResultsExpired,
    StorageUnavailable,
    TaskNotFound,
    TooManyRequests,
)
from backend.storage.door import Storage
from backend.storage.links import saved_as
from transformers.stored_files import RowFile, StoredFile

router = APIRouter(tags=["results"])
PIECE_BYTES = 2 * 2**20
_A_FILE = {"schema": {"type": "string", "format": "binary"}, "example": "<!doctype html>…"}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {"application/octet-stream": _A_FILE}},
    206: {"description": "The piece of it that `Range` asks for.", "content": {"application/octet-stream": {}}},
    304: {"description": "It is the one with that ETag."},
}


@router.get(
    "/tasks/{task_id}/outputs/{name}",
    operation_id="get_output",
    summary="A file itself",
    response_class=Response,
    responses=_RESPONSES
    | problems(TaskNotFound, OutputNotFound, InvalidTaskState, RangeNotSatisfiable, ResultsExpired, StorageUnavailable),
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
    return _answer(LinkedOutput(user.id, task_id, name), storage, if_none_match, wanted, if_range)


@router.get(
    "/outputs/{link}",
    operation_id="get_linked_output",
    summary="A file behind its link",
    response_class=Response,
    responses=_RESPONSES
    | problems(
        TaskNotFound, OutputNotFound, InvalidTaskState, RangeNotSatisfiable, ResultsExpired, StorageUnavailable,
        Forbidden, TooManyRequests,
    ),
)  # fmt: skip
def get_linked_output(
    request: Request,
    storage: StorageDep,
    *,
    link: Annotated[str, Path(max_length=2000, examples=["eyJhbGciOi…"])],
    if_none_match: Annotated[str | None, Header()] = None,
    wanted: Annotated[str | None, Header(alias="Range", examples=["bytes=0-1023"])] = None,
    if_range: Annotated[str | None, Header()] = None,
) -> Response:
    """What an agent of an unfinished task found, where it is too small to lie in the file store: without signing in,
    as there.
    """
    output = output_of_link(link)
    check_rate(request, output.user_id)
    return _answer(output, storage, if_none_match, wanted, if_range)


def _answer(
    output: LinkedOutput, storage: Storage, if_none_match: str | None, wanted: str | None, if_range: str | None
) -> Response:
    task, steps = task_and_steps(output.task_id, output.user_id)
    file = _one_of(files_of(task, steps, storage), output.name)
    headers = _headers_of(file)
    if etag_matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    piece = piece_asked(wanted, file.size) if if_range in (None, headers["ETag"]) else None
    headers["Content-Length"] = str(piece.length if piece else file.size)
    if piece:
        headers["Content-Range"] = f"bytes {piece.start}-{piece.end - 1}/{file.size}"
    body = _begun(_body(storage, file, piece or Piece(0, file.size)))
    return StreamingResponse(body, 206 if piece else 200, headers, media_type=file.content_type)


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


def _begun(body: Iterator[bytes]) -> Iterator[bytes]:
    """The first part is fetched now, while a store that fails can still be answered with its status."""
    return chain([next(body, b"")], body)


def _body(storage: Storage, file: StoredFile, piece: Piece) -> Iterator[bytes]:
    """Each part is fetched in a thread when the customer has taken the one before."""
    if isinstance(file, RowFile):
        yield file.body[piece.start : piece.end]
        return
    for start in range(piece.start, piece.end, PIECE_BYTES):
        yield storage.read(file.key, start, min(PIECE_BYTES, piece.end - start))
