"""Structured logs, one JSON line each on standard error, bound to the task they speak of.

What libraries log through Python's own `logging` (Celery, uvicorn, warnings) comes out as the same lines on the same
stream. Not below their warnings, though: at DEBUG some of them write down the requests they send, with their
signatures. What a line carries besides its own words is in log_fields.py.
"""

import logging
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter

from backend import log_fields
from backend.settings import Settings, get_settings

SPOKEN_FOR = ("uvicorn", "uvicorn.error", "celery")  # what they tell at INFO is of use to who runs them
SILENT = (
    "uvicorn.access",  # the API has a line of its own for each request, with its id and its customer
    "opentelemetry.util.re",  # it writes down OTEL_EXPORTER_OTLP_HEADERS, a collector's key, where that is malformed
)


def configure_logs() -> None:
    """Once at a process' start, and again where a server has set up its own lines since."""
    settings = get_settings()
    rendered = _rendered(settings)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *log_fields.FIELDS, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(_level(settings)),
        logger_factory=partial(_Lines, sys.stderr),
        cache_logger_on_first_use=False,
    )
    _adopt_libraries(settings, rendered)


def log() -> Any:
    """The house's logger; what `bound` binds is on every line."""
    return structlog.get_logger()


@contextmanager
def bound(**values: Any) -> Iterator[None]:
    """Bind task_id, user_id, epoch or agent to every line written inside the block, in this thread or coroutine."""
    with structlog.contextvars.bound_contextvars(**values):
        yield


def bind(**values: Any) -> None:
    """The same without a block, until `unbind`: for what begins and ends by two signals."""
    structlog.contextvars.bind_contextvars(**values)


def unbind(*names: str) -> None:
    structlog.contextvars.unbind_contextvars(*names)


def log_what_ends_a_process() -> None:
    """An error that nobody caught is a line too; for a process that has standard error to itself."""
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_a_thread


class _Lines(structlog.WriteLogger):
    """A disk that is full, or a reader that went, costs lines and no task: Python's own handlers do the same."""

    def __init__(self, file: TextIO, *_names: object) -> None:
        super().__init__(file)

    def msg(self, message: str) -> None:
        with suppress(OSError, ValueError):  # ValueError: it was closed
            super().msg(message)

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


class _Handler(logging.StreamHandler[Any]):
    """Ours on the root logger; there is one."""


def _adopt_libraries(settings: Settings, rendered: Sequence[Any]) -> None:
    handler = _Handler(sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_logger_name,
                *log_fields.FIELDS,
            ],
            processors=[ProcessorFormatter.remove_processors_meta, *rendered],
        )
    )
    root = logging.getLogger()
    root.handlers = [*(one for one in root.handlers if not isinstance(one, _Handler)), handler]
    root.setLevel(max(logging.WARNING, _level(settings)))
    for name in SPOKEN_FOR:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
        logger.setLevel(max(logging.INFO, _level(settings)))
    for name in SILENT:
        logging.getLogger(name).disabled = True
    logging.captureWarnings(capture=True)


def _level(settings: Settings) -> int:
    return logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)


def _rendered(settings: Settings) -> tuple[Any, ...]:
    if not settings.log_json:
        return structlog.processors.format_exc_info, structlog.dev.ConsoleRenderer()
    # no locals: they hold customers' values and our secrets
    exceptions = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return structlog.processors.ExceptionRenderer(exceptions), structlog.processors.JSONRenderer()


def _uncaught(
    kind: type[BaseException], error: BaseException, _trace: TracebackType | None, thread: str | None = None
) -> None:
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    log().critical("nobody caught an error", thread=thread, exc_info=error)


def _uncaught_in_a_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None:
        name = told.thread.name if told.thread is not None else None
        _uncaught(told.exc_type, told.exc_value, told.exc_traceback, name)
