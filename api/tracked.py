"""Around everything: a request has an id, one line in the log when it is over and, where traces are wanted, a span.

The id is the caller's own (`X-Request-Id`) where it is a plain word; it comes back on every answer and in each problem.
Whoever asks is noted further in, by the rooms that find it out.
"""

import logging
import re
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend import traces
from backend.clock import monotonic
from backend.log_fields import noting
from backend.logs import log
from backend.traces import Kind, Span

REQUEST_ID = "X-Request-Id"
# Asked every few seconds by machines: a line at DEBUG, and no span.
UNREMARKABLE = frozenset({"/healthz", "/readyz", "/metrics"})
_PLAIN = re.compile(r"[A-Za-z0-9._~:-]{1,128}")


class TrackedRequests:
    """The outermost layer."""

    def __init__(self, app: ASGIApp, *, told: bool = True) -> None:
        self._app = app
        self._told = told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = _Request(scope)
        with noting(request_id=request.id) as noted, request.span() as span:
            try:
                await self._app(scope, receive, request.answering(send))
            finally:
                request.over(span, noted)
                if self._told:
                    request.tell()


class _Request:
    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._began = monotonic()
        self._status = HTTPStatus.INTERNAL_SERVER_ERROR.value
        self._headers = Headers(scope=scope)
        asked = self._headers.get(REQUEST_ID, "")
        self.id = asked if _PLAIN.fullmatch(asked) else uuid.uuid4().hex

    def span(self) -> AbstractContextManager[Span]:
        """A caller that traces too is gone on with (W3C's `traceparent`)."""
        if self._scope["path"] in UNREMARKABLE:
            return traces.no_span()
        method, parent = self._scope["method"], self._headers.get("traceparent")
        return traces.span(method, Kind.SERVER, parent=parent, http__request__method=method, request_id=self.id)

    def answering(self, send: Send) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = self.id
            await send(message)

        return answer

    def over(self, span: Span, noted: Mapping[str, Any]) -> None:
        span.rename(f"{self._scope['method']} {self._route}")
        span.set(
            http__route=self._route,
            http__response__status_code=self._status,
            user__id=noted.get("user_id"),
            task_id=noted.get("task_id"),
        )
        if self._status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            span.failed(str(self._status))

    def tell(self) -> None:
        """With the route and not the address: that one may hold what somebody typed."""
        quiet = self._scope["path"] in UNREMARKABLE or self._status == HTTPStatus.NOT_MODIFIED
        log().log(
            logging.DEBUG if quiet else logging.INFO,
            "request answered",
            method=self._scope["method"],
            route=self._route,
            status=self._status,
            milliseconds=round(1000 * (monotonic() - self._began), 1),
        )

    @property
    def _route(self) -> str:
        return getattr(self._scope.get("route"), "path", "(none)")


def access_log_wanted() -> bool:
    """Not with `uvicorn --no-access-log`, which takes its logger's handlers away before the app is loaded."""
    server = logging.getLogger("uvicorn.access")
    return bool(server.handlers) or server.propagate
