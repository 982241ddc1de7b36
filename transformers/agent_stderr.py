"""What a child writes to its standard error: a file that is kept small, and what is read from it."""

import asyncio
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from backend.clock import monotonic

CAP = 1 << 20  # bytes; a library that prints without end fills no disk
TAIL = 4000  # bytes kept with a crash
DUMP = 16_384  # bytes kept of the stacks
DUMP_SEARCHED = 4 << 20  # bytes; an agent may print between ours
DUMP_SECONDS = 1.0  # the kill waits no longer for the stacks
LOOK_SECONDS = 0.03
STILL_LOOKS = 3  # a file that did not grow at so many looks is complete

_STACKS = re.compile(rb"(?:Current thread|Thread) 0x")


class AgentStderr:
    def __init__(self, path: Path) -> None:
        self.path = path

    def tail(self) -> str:
        return self._from(max(0, self.size() - TAIL), TAIL).decode(errors="replace")

    def since(self, position: int) -> str:
        """What came after `position`, or the end of it where that is much."""
        size = self.size()
        return self._from(max(position, size - TAIL), TAIL).decode(errors="replace") if size > position else ""

    def size(self) -> int:
        with suppress(OSError):
            return self.path.stat().st_size
        return 0

    def cap(self) -> None:
        if self.size() > CAP:
            self.clear()

    def clear(self) -> None:
        with suppress(OSError):
            os.truncate(self.path, 0)

    async def stacks_since(self, position: int, meanwhile: Callable[[], None]) -> str:
        """What faulthandler writes from `position` on, complete or what came of it within a second."""
        deadline, seen, still = monotonic() + DUMP_SECONDS, position, 0
        while still < STILL_LOOKS and monotonic() < deadline:
            await asyncio.sleep(LOOK_SECONDS)
            meanwhile()
            size = self.size()
            still = still + 1 if size == seen > position else 0
            seen = size
        found = self._from(position, DUMP_SEARCHED)
        begins = _STACKS.search(found)
        return found[begins.start() if begins else 0 :][:DUMP].decode(errors="replace")

    def _from(self, position: int, most: int) -> bytes:
        with suppress(OSError), self.path.open("rb") as file:
            file.seek(position)
            return file.read(most)
        return b""
