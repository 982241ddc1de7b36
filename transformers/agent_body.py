"""The child as the supervisor holds it: the process, its family, its guard and what it writes to standard error.

They begin together and end together. What is asked of it, and for how long, is agent_process.py's.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from transformers.agent_leash import Leash
from transformers.agent_stderr import AgentStderr
from transformers.process_family import ProcessFamily

# What a child may know of our environment: no address, no key, no password of ours.
_ENVIRONMENT_KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "VIRTUAL_ENV",
    "PYTHONHASHSEED",
)


@dataclass(frozen=True)
class AgentBody:
    process: asyncio.subprocess.Process
    family: ProcessFamily
    leash: Leash
    stderr: AgentStderr

    @classmethod
    async def born(cls, scratch: Path) -> "AgentBody":
        """A new child, warming."""
        stderr = AgentStderr(scratch / "agent.stderr")
        with stderr.path.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "transformers.agent_child",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=file,
                env=_environment(), cwd=scratch, start_new_session=True,
            )  # fmt: skip
        return cls(process, ProcessFamily(process.pid), await Leash.on(process.pid, _environment()), stderr)

    @property
    def words(self) -> asyncio.StreamReader:
        assert self.process.stdout is not None
        return self.process.stdout

    def say(self, line: bytes) -> None:
        """To a child that has died nothing is said, without an error: who listens to its words hears their end."""
        assert self.process.stdin is not None
        self.process.stdin.write(line)

    async def stacks(self, meanwhile: Callable[[], None]) -> str:
        """Where every thread of the child stands, as faulthandler tells it; what came of it within a second."""
        position = self.stderr.size()
        if sys.platform == "win32":
            self.say(b'{"dump": "stacks"}\n')
        else:  # heard by faulthandler itself, even where an agent's C code keeps the interpreter's lock
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGUSR1)
        return await self.stderr.stacks_since(position, meanwhile)

    async def kill(self) -> None:
        """End it and everything it started, now."""
        self.family.kill()
        with suppress(ProcessLookupError):
            self.process.kill()  # also where the table of processes would not tell us its tree
        await self.process.wait()
        await self.leash.drop()


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _ENVIRONMENT_KEPT if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONUNBUFFERED": "1"}
