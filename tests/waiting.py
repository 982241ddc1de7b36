"""Waiting for what another thread or process does: polled, with a deadline."""

import threading
from collections.abc import Callable

from backend.clock import monotonic


def eventually(what: Callable[[], bool], seconds: float = 8.0) -> None:
    """Return as soon as it is so; fail when the time is over."""
    pause, deadline = threading.Event(), monotonic() + seconds
    while not what():
        assert monotonic() < deadline, "it never came"
        pause.wait(0.02)
