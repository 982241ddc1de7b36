"""The supervisor's end of the leash: it tells the guard of its child, ten times a second, that it lives.

A supervisor that is frozen says nothing; then the guard ends the child (agent_guard.py), so that what another worker
or a cancel has decided meanwhile holds for the computing too.
"""

import asyncio
import sys
from collections.abc import Mapping
from contextlib import suppress

from backend.clock import monotonic
from transformers import agent_guard

PING_SECONDS = 0.1
FAREWELL_SECONDS = 5.0  # a guard ends at once; on a crowded machine that may take its time


class Leash:
    """One child's guard."""

    def __init__(self, guard: asyncio.subprocess.Process) -> None:
        self._guard = guard
        self._said_at = float("-inf")
        self._idle_soon: asyncio.TimerHandle | None = None

    @classmethod
    async def on(cls, pid: int, environment: Mapping[str, str]) -> "Leash":
        """Have a guard for the child, which leads a process group of its own."""
        nowhere = asyncio.subprocess.DEVNULL
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-S", agent_guard.__file__, str(pid),
                stdin=asyncio.subprocess.PIPE, stdout=nowhere, stderr=nowhere, env=environment, start_new_session=True,
            )
        )  # fmt: skip

    @property
    def holds(self) -> bool:
        return self._guard.returncode is None

    def alive(self) -> None:
        """During a call, as often as the supervisor's loop turns: what the guard has not read yet does not pile up."""
        assert self._guard.stdin is not None
        self._forget_idle()
        if monotonic() - self._said_at >= PING_SECONDS and not self._guard.stdin.transport.get_write_buffer_size():
            self._said_at = monotonic()
            self._guard.stdin.write(agent_guard.ALIVE)

    def idle(self) -> None:
        """No call is under way: a supervisor may now be silent for as long as it likes."""
        assert self._guard.stdin is not None
        self._forget_idle()
        self._said_at = float("-inf")
        self._guard.stdin.write(agent_guard.IDLE)

    def idle_soon(self) -> None:
        """A light call is over, and the next one is about to begin: the guard is told only where none does."""
        self._forget_idle()
        self._idle_soon = asyncio.get_running_loop().call_later(PING_SECONDS, self.idle)

    def rest(self) -> None:
        """No next one comes."""
        if self._idle_soon is not None:
            self.idle()

    def _forget_idle(self) -> None:
        if self._idle_soon is not None:
            self._idle_soon.cancel()
            self._idle_soon = None

    async def was_cut(self) -> bool:
        """The child has died: whether it was the guard that ended it. In any case the guard ends what is left."""
        assert self._guard.stdin is not None
        self._forget_idle()
        self._guard.stdin.close()
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                return await self._guard.wait() == agent_guard.LEASHED
        except TimeoutError:
            await self.drop()
            return False

    async def drop(self) -> None:
        """The child and all that it started were ended by their supervisor: the guard has nothing left to do."""
        self._forget_idle()
        with suppress(ProcessLookupError):
            self._guard.kill()
        await self._guard.wait()
