"""What every line of the log carries besides its own words: level, time, the request it belongs to, the trace.

`bound` (logs.py) holds for what is called inside its block. `noted` goes the other way: who the customer is, is found
out deep inside a request, in a thread of its own, and is wanted by the line that ends the request.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import structlog

from backend.traces import ids

_noted: ContextVar[dict[str, Any] | None] = ContextVar("noted", default=None)


@contextmanager
def noting(**values: Any) -> Iterator[Mapping[str, Any]]:
    """What `note` adds anywhere inside the block is on all its later lines; the block's own view of it."""
    noted = dict(values)
    token = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(token)


def note(**values: Any) -> None:
    """For the lines of the block around; outside of any block for nobody."""
    noted = _noted.get()
    if noted is not None:
        noted.update(values)


def noted() -> Mapping[str, Any]:
    return _noted.get() or {}


def _add_noted(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in noted().items():
        line.setdefault(name, value)
    return line


def _add_trace(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """trace_id and span_id, where this is traced."""
    line.update(ids())
    return line


FIELDS: tuple[Any, ...] = (
    _add_noted,
    _add_trace,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
