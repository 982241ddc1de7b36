"""Numbers for Prometheus: requests as they are answered, tasks as the database has them when somebody asks."""

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db import gauges
from db.database import transaction

_LABELS = ("method", "route", "status")


class _Tasks(Collector):
    def describe(self) -> Iterator[Metric]:
        """Nothing, so that registering does not ask the database."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        with transaction() as session:
            read = gauges.read(session)
        tasks = GaugeMetricFamily("agensium_tasks", "Tasks that have not ended, by state.", labels=["state"])
        for state, count in read.tasks.items():
            tasks.add_metric([state], count)
        yield tasks
        yield GaugeMetricFamily(
            "agensium_oldest_waiting_seconds",
            "How long the first waiting task has waited.",
            read.oldest_waiting_seconds,
        )


REGISTRY = CollectorRegistry()
REGISTRY.register(_Tasks())
REQUESTS = Counter("agensium_http_requests", "Requests answered.", _LABELS, registry=REGISTRY)
SECONDS = Histogram("agensium_http_request_seconds", "Time to the whole answer.", _LABELS[:2], registry=REGISTRY)


def exposition() -> bytes:
    """The text format. Raises DatabaseError."""
    return generate_latest(REGISTRY)


class CountRequests:
    """Counts every answer under its route's address with the holes left in, so that ids make no new series."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), "500"

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", "(none)")
            REQUESTS.labels(scope["method"], route, status).inc()
            SECONDS.labels(scope["method"], route).observe(time.monotonic() - started)
