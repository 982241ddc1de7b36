"""Says where the work is, once a second at most: a large document must not look as if nobody was at work."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from backend.clock import monotonic

SAID_EVERY = 1.0  # seconds
T = TypeVar("T")


class SignOfLife:
    """`share` is how much of all the documents is done."""

    def __init__(self, report_progress: Callable[[float], None]) -> None:
        self.share = 0.0
        self._report_progress = report_progress
        self._said = monotonic()

    def __call__(self) -> None:
        if monotonic() - self._said >= SAID_EVERY:
            self._report_progress(self.share)
            self._said = monotonic()

    def over(self, pieces: Iterable[T]) -> Iterator[T]:
        for piece in pieces:
            self()
            yield piece
