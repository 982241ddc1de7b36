"""A process and all that it started: how much memory they hold, and their end."""

import os
import signal
import sys
from contextlib import suppress

import psutil

from backend.clock import monotonic

LOOK_AROUND_SECONDS = 1.0  # finding the grandchildren reads the whole process table, so not at every look


class ProcessFamily:
    """Known by its head, which leads a process group of its own. A number used again is taken for no member."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._looked_around = float("-inf")
        self._members: list[psutil.Process] = []
        with suppress(psutil.Error):
            self._members = [psutil.Process(pid)]

    def memory_bytes(self) -> int:
        """Resident bytes of all; 0 when they are gone."""
        if monotonic() - self._looked_around >= LOOK_AROUND_SECONDS:
            self._looked_around = monotonic()
            self._look_around()
        return sum(_resident(member) for member in self._members)

    def _look_around(self) -> None:
        with suppress(psutil.Error):
            head = self._members[:1]
            self._members = head + [found for member in head for found in member.children(recursive=True)]

    def kill(self) -> None:
        """All of them, now. Who left the tree, because its parent died before it, is still of the group."""
        self._look_around()
        for member in reversed(self._members):
            with suppress(psutil.Error):
                member.kill()
        if sys.platform != "win32":  # which knows no such groups: there the tree must do
            with suppress(OSError):
                os.killpg(self._pid, signal.SIGKILL)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
