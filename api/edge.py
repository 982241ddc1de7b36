"""Around every route: bodies are bounded, and browsers are told not to guess."""

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.error_responses import problem
from backend.errors import BodyTooLarge

LARGEST_BODY = 2 * 2**20  # parameters have at most 1 MiB; data has one door of its own
_DATA = re.compile(r"/tasks/[^/]+/inputs/[^/]+")  # streamed to the file store, bounded by its role there


class BoundBodies:
    """413 for a body above the bound: at once by its Content-Length, or as soon as it has come in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_data(scope):
            await self._app(scope, receive, send)
        elif _announced(scope) > LARGEST_BODY:
            await problem(BodyTooLarge(max_bytes=LARGEST_BODY).verdict, BodyTooLarge.http_status)(scope, receive, send)
        else:
            await self._app(scope, _counted(receive), send)


class NoSniff:
    """`X-Content-Type-Options: nosniff` on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Content-Type-Options"] = "nosniff"
            await send(message)

        await self._app(scope, receive, with_header)


def _is_data(scope: Scope) -> bool:
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return scope["method"] == "PUT" and _DATA.fullmatch(path) is not None


def _announced(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isdecimal() else 0


def _counted(receive: Receive) -> Receive:
    so_far = 0

    async def counting() -> Message:
        nonlocal so_far
        message = await receive()
        so_far += len(message.get("body", b""))
        if so_far > LARGEST_BODY:
            raise HTTPException(BodyTooLarge.http_status)
        return message

    return counting
