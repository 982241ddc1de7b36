"""Numbers for Prometheus: what this process has counted, and the house as its rows have it.

For one uvicorn process behind one address: with several, each scrape would be answered by another one's counters.
"""

from collections.abc import Iterator
from http import HTTPMethod

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.standing import HouseStanding
from backend.clock import monotonic
from backend.metrics import catalogue
from backend.metrics import of_the_api as told
from backend.metrics.exposition import exposition, registry
from backend.metrics.kinds import Level
from db import gauges

_HOUSE = HouseStanding()
_METHODS = frozenset(HTTPMethod)
OTHER = "_OTHER"  # as OpenTelemetry calls it: h11 takes any word for a method, and each would be a series


def told_now() -> bytes:
    """The text format. With the database away too: then what is told from rows is missing, and so is said."""
    return exposition(_REGISTRY)


def _levels() -> Iterator[Level]:
    in_use, most = gauges.connections()
    yield told.CONNECTIONS.at(in_use)
    yield told.CONNECTIONS_MOST.at(most)
    yield from _HOUSE.levels()


_REGISTRY = registry(catalogue.API, _levels)


class CountRequests:
    """Counts every answer under its route's address with the holes left in, so that ids make no new series."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = monotonic(), "500"

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", "(none)")
            method = scope["method"] if scope["method"] in _METHODS else OTHER
            told.REQUESTS.count(method, route, status)
            told.REQUEST.observe(monotonic() - started, method, route)
