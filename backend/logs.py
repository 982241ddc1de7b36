"""Structured logs, one JSON line each on standard error, bound to the task they speak of.

Celery's and uvicorn's own loggers are left alone.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from backend.settings import get_settings


def configure_logs() -> None:
    """Once at a process' start."""
    settings = get_settings()
    renderer: Any = structlog.processors.JSONRenderer() if settings.log_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # no locals: they hold customers' values and our secrets
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))
            if settings.log_json
            else structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
        ),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def log() -> Any:
    """The house's logger; what `bound` binds is on every line."""
    return structlog.get_logger()


@contextmanager
def bound(**values: Any) -> Iterator[None]:
    """Bind task_id, user_id, epoch or agent to every line written inside the block, in this thread or coroutine."""
    with structlog.contextvars.bound_contextvars(**values):
        yield
