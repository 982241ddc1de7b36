"""Traces: from the HTTP request, by the task's row, to each run, agent and door of it.

Off unless OTEL_EXPORTER_OTLP_ENDPOINT (or …_TRACES_ENDPOINT) is set: then what sends is not imported, and a span
costs 0.3 µs. Everything else is said by OpenTelemetry's own variables, which its SDK reads. Nothing waits for a
collector: spans lie in a bounded queue, a thread sends them, and what does not fit is dropped.

A span carries ids, counts and codes. It carries no value of a customer's, no name of a file, no address of a person, no
query string, and of an error its code alone.
"""

import logging
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from backend.trace_shapes import Kind as Kind  # noqa: PLC0414 (the other rooms know it from here)
from backend.trace_shapes import Run
from backend.trace_shapes import Span as Span  # noqa: PLC0414 (the same)
from backend.trace_shapes import no_span as no_span  # noqa: PLC0414 (the same)

if TYPE_CHECKING:
    from backend.trace_export import Exporting

_log = logging.getLogger("agensium.traces")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
SPOKEN = "http/protobuf"
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def wanted() -> bool:
    """The environment names a collector."""
    off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or os.environ.get("OTEL_TRACES_EXPORTER") == "none"
    return not off and any(os.environ.get(name) for name in ENDPOINTS)


def begin(service: str) -> None:
    """Trace this process from now on, if that is wanted; in prefork each slot begins for itself.

    `service` is what OTEL_SERVICE_NAME says where nobody set it.
    """
    global _exporting  # noqa: PLW0603 (one a process)
    if _exporting is None and wanted():
        _exporting = _begun(service)


def _begun(service: str) -> "Exporting | None":
    """None, with the reason in the log, where it cannot be: a trace is no reason not to work."""
    protocol = next((os.environ[name] for name in PROTOCOLS if os.environ.get(name)), SPOKEN)
    if protocol != SPOKEN:
        _log.warning("traces are off: OTEL_EXPORTER_OTLP_PROTOCOL is %s, and only %s is spoken", protocol, SPOKEN)
        return None
    try:
        from backend.trace_export import Exporting
    except ImportError as error:
        _log.warning("traces are off: install the extra `otel` (%s)", error)
        return None
    try:
        return Exporting(service)
    except ValueError as error:  # the SDK's own word on one of its variables
        _log.warning("traces are off: %s", error)
        return None


def end() -> None:
    """Send what has not been sent, for two seconds at the most, and trace no more."""
    global _exporting
    ending, _exporting = _exporting, None
    if ending is not None:
        ending.end()


def span(
    name: str, kind: Kind = Kind.INTERNAL, *, parent: str | None = None, **attributes: Any
) -> AbstractContextManager[Span]:
    """A span for the length of the block; `parent` is a traceparent that came from elsewhere.

    Attributes are ids, counts and codes; those that are None are left out. What the block raises ends it as failed.
    """
    return no_span() if _exporting is None else _exporting.span(name, kind, parent, attributes)


def door(name: str, **attributes: Any) -> AbstractContextManager[Span]:
    """A call to the outside, where it is part of something that is traced: alone it would be a trace of one span.

    Nothing is its child: what is done meanwhile, a submit to the database for one, belongs to whoever calls.
    """
    return no_span() if _exporting is None else _exporting.leaf(name, attributes)


def run_span(run: Run, **attributes: Any) -> AbstractContextManager[Span]:
    """The run of one claim."""
    return no_span() if _exporting is None else _exporting.run(run, attributes)


def current() -> str | None:
    """Where we are, as W3C's `traceparent`; None where nothing is traced."""
    return None if _exporting is None else _exporting.current()


def current_span() -> Span:
    return no_span() if _exporting is None else _exporting.current_span()


def ids() -> Mapping[str, str]:
    """trace_id and span_id for a line of the log; empty where nothing is traced."""
    return {} if _exporting is None else _exporting.ids()


_exporting: "Exporting | None" = None

if hasattr(os, "register_at_fork"):  # its threads stay behind: a forked slot begins anew

    def _forget() -> None:
        global _exporting  # noqa: PLW0603 (the same)
        _exporting = None

    os.register_at_fork(after_in_child=_forget)
