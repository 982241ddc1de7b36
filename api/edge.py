"""Around every route: bodies are bounded, browsers are told what not to do, and who may ask from elsewhere."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from fastapi.middleware.cors import CORSMiddleware
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.error_responses import problem
from backend.errors import BodyTooLarge
from backend.settings import Settings

A_YEAR = 365 * 24 * 3600  # seconds
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


def surroundings(settings: Settings) -> Sequence[Callable[[ASGIApp], ASGIApp]]:
    """What lies around every answer, those to errors included."""
    return (partial(_open_to, origins=settings.cors_origins), partial(SafeHeaders, headers=safe_headers(settings)))


class SafeHeaders:
    """What browsers are told on every answer, unless a route has said it otherwise."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    said.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)


def safe_headers(settings: Settings) -> Mapping[str, str]:
    """An answer of the API is data: it loads nothing, and no page may frame it. HTTPS for good, in production."""
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Resource-Policy": "cross-origin" if settings.cors_origins else "same-origin",
    }
    https_only = {"Strict-Transport-Security": f"max-age={A_YEAR}"} if settings.environment == "production" else {}
    return headers | https_only


def _open_to(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Pages of these origins may ask; they send a token themselves, so no cookie is allowed."""
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=[
            "Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Last-Event-ID", "Range", "X-API-Key",
            "X-Request-Id", "traceparent",
        ],
        expose_headers=["Content-Disposition", "Content-Range", "ETag", "Location", "Retry-After", "X-Request-Id"],
        max_age=600,
    )  # fmt: skip


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
