"""OpenTelemetry as traces.py uses it: the provider, the exporter, and spans whose ids are known beforehand.

The id of a run's span follows from its task and epoch. So the run of a later epoch names the one before it, which may
have died with its worker before it could tell of itself.

What is not said here, the SDK reads from the environment: OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG, OTEL_BSP_*
(OTEL_BSP_SCHEDULE_DELAY), OTEL_EXPORTER_OTLP_HEADERS and its like, OTEL_RESOURCE_ATTRIBUTES.
"""

import hashlib
import os
import platform
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags

from backend.errors import AgensiumError, Interruption
from backend.release import release
from backend.trace_shapes import Kind, Run, Span, no_span

SECONDS_TO_END = 2.0  # a worker's drain has a limit; what a collector did not take by then is lost
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
NANOSECONDS = 1_000_000_000
OURS = "agensium."  # before the names of attributes that no convention knows


class Exporting:
    """Spans are made, queued and sent by a thread of this process."""

    def __init__(self, service: str) -> None:
        self._ids = _Ids()
        self._provider = TracerProvider(
            resource=Resource.create(_who(service)), id_generator=self._ids, shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("agensium")

    @contextmanager
    def span(self, name: str, kind: Kind, parent: str | None, attributes: Mapping[str, Any]) -> Iterator["Recorded"]:
        context = trace.set_span_in_context(NonRecordingSpan(remote)) if (remote := _context_of(parent)) else None
        with self._inside(name, kind, context, attributes) as span:
            yield span

    @contextmanager
    def run(self, run: Run, attributes: Mapping[str, Any]) -> Iterator["Recorded"]:
        """In the trace of its submit, or in one that follows from the task: each of its runs finds the same."""
        remote = _context_of(run.traceparent)
        context = Context() if remote is None else trace.set_span_in_context(NonRecordingSpan(remote), Context())
        trace_id = _digest(16, run.task_id) if remote is None else remote.trace_id
        with self._ids.next(trace_id, _span_id(run.task_id, run.epoch)):
            begun = self._begun("process_analysis", Kind.CONSUMER, context, attributes, start=run.waited.get("claimed"))
        if run.epoch > 1:
            begun.add_link(SpanContext(trace_id, _span_id(run.task_id, run.epoch - 1), is_remote=True))
        self._tell_of_waiting(run.waited, context if remote is not None else trace.set_span_in_context(begun, context))
        with self._within(begun) as span:
            yield span

    def leaf(self, name: str, attributes: Mapping[str, Any]) -> AbstractContextManager[Span]:
        if not trace.get_current_span().get_span_context().trace_flags.sampled:  # what it is under may have ended
            return no_span()
        return self._leaf(self._begun(name, Kind.CLIENT, None, attributes))

    def current_span(self) -> "Recorded":
        return Recorded(trace.get_current_span())

    def current(self) -> str | None:
        context = trace.get_current_span().get_span_context()
        if not context.is_valid:
            return None
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def ids(self) -> Mapping[str, str]:
        context = trace.get_current_span().get_span_context()
        if not context.is_valid:
            return {}
        return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}

    def end(self) -> None:
        """The SDK's own shutdown may take as long as its collector lets it."""
        ending = threading.Thread(target=self._provider.shutdown, name="traces-end", daemon=True)
        ending.start()
        ending.join(SECONDS_TO_END)

    def _tell_of_waiting(self, waited: Mapping[str, datetime], context: Context) -> None:
        """What was before the run, told by it: the queue has no process that could."""
        claimed, since = waited.get("claimed"), min(waited.values(), default=None)
        if claimed is None or since is None:
            return
        waiting = self._begun("wait for a slot", Kind.INTERNAL, context, {}, start=since)
        if "admitted" in waited:
            waiting.add_event("admitted", timestamp=_nanoseconds(waited["admitted"]))
        waiting.end(_nanoseconds(claimed))

    @contextmanager
    def _inside(
        self, name: str, kind: Kind, context: Context | None, attributes: Mapping[str, Any]
    ) -> Iterator["Recorded"]:
        with self._within(self._begun(name, kind, context, attributes)) as span:
            yield span

    def _begun(
        self,
        name: str,
        kind: Kind,
        context: Context | None,
        attributes: Mapping[str, Any],
        start: datetime | None = None,
    ) -> trace.Span:
        return self._tracer.start_span(
            name, context, SpanKind[kind], _named(attributes), start_time=None if start is None else _nanoseconds(start)
        )

    @contextmanager
    def _leaf(self, span: trace.Span) -> Iterator["Recorded"]:
        recorded = Recorded(span)
        try:
            with recorded.ended_by_what_is_raised():
                yield recorded
        finally:
            span.end()

    @contextmanager
    def _within(self, span: trace.Span) -> Iterator["Recorded"]:
        recorded = Recorded(span)
        current = trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False)
        with current, recorded.ended_by_what_is_raised():
            yield recorded


class Recorded:
    """A span that is sent."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def set(self, **attributes: Any) -> None:
        self._span.set_attributes(_named(attributes))

    def failed(self, code: str) -> None:
        self._span.set_attribute("error.type", code)
        self._span.set_status(StatusCode.ERROR, code)

    @contextmanager
    def ended_by_what_is_raised(self) -> Iterator[None]:
        try:
            yield
        except AgensiumError as error:
            self.ended_by(error)
            raise
        except BaseException as error:
            self.failed(type(error).__name__)
            raise

    def ended_by(self, error: AgensiumError) -> None:
        """A drain, a cancel or a wait for children is an end, and no failure."""
        if isinstance(error, Interruption):
            self.set(ended_by=type(error).__name__)
            return
        self.set(error_class=error.verdict.error_class.value)
        self.failed(error.verdict.error_code)

    def link(self, traceparent: str | None) -> None:
        if (other := _context_of(traceparent)) is not None:
            self._span.add_link(other)


class _Ids(RandomIdGenerator):
    """Chance, unless the next ids are known."""

    def __init__(self) -> None:
        self._next: ContextVar[tuple[int, int] | None] = ContextVar("next", default=None)

    @contextmanager
    def next(self, trace_id: int, span_id: int) -> Iterator[None]:
        token = self._next.set((trace_id, span_id))
        try:
            yield
        finally:
            self._next.reset(token)

    def generate_trace_id(self) -> int:
        known = self._next.get()
        return super().generate_trace_id() if known is None else known[0]

    def generate_span_id(self) -> int:
        known = self._next.get()
        return super().generate_span_id() if known is None else known[1]


def _who(service: str) -> dict[str, Any]:
    """Of this process. What the environment says of the service outweighs us."""
    named = "OTEL_SERVICE_NAME" in os.environ or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return {
        **({} if named else {"service.name": service}),
        "service.version": release(),
        "service.instance.id": f"{platform.node()}:{os.getpid()}",
        "host.name": platform.node(),
        "process.pid": os.getpid(),
    }


def _named(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """A name with `__` is a convention's, its dots written so: `http__route`; all others are ours."""
    return {
        name.replace("__", ".") if "__" in name else f"{OURS}{name}": value
        for name, value in attributes.items()
        if value is not None
    }


def _context_of(traceparent: str | None) -> SpanContext | None:
    """Of W3C's header; None for what is none, as the standard wants it."""
    found = TRACEPARENT.fullmatch(traceparent.strip()) if traceparent else None
    if found is None:
        return None
    trace_id, span_id, flags = (int(part, 16) for part in found.groups())
    context = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))
    return context if context.is_valid else None


def _span_id(task_id: object, epoch: int) -> int:
    return _digest(8, f"{task_id}:{epoch}")


def _digest(size: int, of: object) -> int:
    return int.from_bytes(hashlib.sha256(str(of).encode()).digest()[:size])


def _nanoseconds(at: datetime) -> int:
    return round(at.timestamp() * NANOSECONDS)
