"""The API with a clock at its door: `uvicorn bench.timed_api:app`. For the measure of the submit alone.

It says how long the product took for each `POST …/process`, from the request's arrival in the application to the last
byte of its answer; `GET /bench-times` gives the seconds since it was last asked.
"""

import json
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.main import app as product


class TimedSubmits:
    """Around the whole product: middleware, sign-in, validation and answer are part of a submit."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._seconds: list[float] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path == "/bench-times":
            await self._tell(send)
        elif path.endswith("/process"):
            await self._timed(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _timed(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = perf_counter()

        async def noted(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self._seconds.append(perf_counter() - began)

        await self._app(scope, receive, noted)

    async def _tell(self, send: Send) -> None:
        seconds, self._seconds = self._seconds, []
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": json.dumps(seconds).encode()})


app = TimedSubmits(product)
