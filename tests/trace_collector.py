"""A collector of traces on the loopback: it takes OTLP over HTTP, as a real one, and keeps what came."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SentSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status


@dataclass(frozen=True)
class Span:
    """One span as it was sent; ids in hex, `links` are the ids of spans."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    links: tuple[tuple[str, str], ...]
    failed: bool
    begins: int
    ends: int


class Collector:
    """`bodies` is every request as it came, so that a test may look for what must not be in it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.bodies: list[bytes] = []
        self.paths: set[str] = set()
        self.answers = threading.Event()  # cleared: it takes connections and says nothing
        self.answers.set()
        self._spans: list[Span] = []

    def environment(self) -> dict[str, str]:
        """For the processes that are to send to it, without waiting long."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.address, "OTEL_BSP_SCHEDULE_DELAY": "50"}

    @property
    def spans(self) -> list[Span]:
        return list(self._spans)

    def trace_of(self, trace_id: str) -> list[Span]:
        return sorted((span for span in self.spans if span.trace_id == trace_id), key=lambda span: span.begins)

    def take(self, path: str, body: bytes) -> None:
        self.paths.add(path)
        self.bodies.append(body)
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = _named(group.resource.attributes)
            for scope in group.scope_spans:
                self._spans += [_span(sent, resource) for sent in scope.spans]


@contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not collector.answers.wait(30):
                return
            collector.take(self.path, body)
            self.send_response(200)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        collector.answers.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _span(sent: SentSpan, resource: Mapping[str, Any]) -> Span:
    return Span(
        name=sent.name,
        kind=SentSpan.SpanKind.Name(sent.kind).removeprefix("SPAN_KIND_"),
        trace_id=sent.trace_id.hex(),
        span_id=sent.span_id.hex(),
        parent_id=sent.parent_span_id.hex(),
        attributes=_named(sent.attributes),
        resource=resource,
        links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in sent.links),
        failed=sent.status.code == Status.STATUS_CODE_ERROR,
        begins=sent.start_time_unix_nano,
        ends=sent.end_time_unix_nano,
    )


def _named(attributes: Any) -> dict[str, Any]:
    return {one.key: _plain(one.value) for one in attributes}


def _plain(value: AnyValue) -> Any:
    return getattr(value, value.WhichOneof("value") or "string_value")
