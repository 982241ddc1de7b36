"""The nouns of traces.py: what is traced names them, and what sends them builds them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import TracebackType
from typing import Any, Protocol, Self


class Kind(StrEnum):
    """OpenTelemetry's kinds of spans."""

    SERVER = "SERVER"
    CLIENT = "CLIENT"
    CONSUMER = "CONSUMER"
    INTERNAL = "INTERNAL"


class Span(Protocol):
    """What the block of a span may do with it."""

    def rename(self, name: str) -> None: ...

    def set(self, **attributes: Any) -> None: ...

    def failed(self, code: str) -> None:
        """It ended in vain, with this code."""

    def link(self, traceparent: str | None) -> None:
        """It goes back to what another trace tells of."""


class Run(Protocol):
    """What of a claim its span is made of. `traceparent` is that of the submit; `waited` when it began to wait, and for
    what: `queued` for its turn, `admitted` for a slot, until it was `claimed`.
    """

    @property
    def task_id(self) -> Any: ...
    @property
    def epoch(self) -> int: ...
    @property
    def traceparent(self) -> str | None: ...
    @property
    def waited(self) -> Mapping[str, datetime]: ...


class _Nothing:
    """A span that is none, and its block."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def rename(self, name: str) -> None: ...
    def set(self, **attributes: Any) -> None: ...
    def failed(self, code: str) -> None: ...
    def link(self, traceparent: str | None) -> None: ...


_NOTHING = _Nothing()


def no_span() -> _Nothing:
    return _NOTHING
