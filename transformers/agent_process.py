"""The supervisor of the child process in which agents compute (DESIGN §5.4).

The supervisor keeps the clock, the database and the money; the child only computes. So a time limit, a memory
limit, no progress and a cancel are one thing: the process tree is killed, the same on every pool and system.

Envelopes are JSON lines of at most 8 KB; requests, answers and tables are files on scratch.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil
from pydantic import BaseModel

from backend.clock import monotonic
from backend.errors import AgentCrashed, AgentFailed, MemoryLimit, NoProgress, TimeLimit
from transformers.child_verdict import verdict_from_json
from transformers.stop_signal import StopSignal

SAMPLE_SECONDS = 0.05  # RSS is looked at this often; a runaway allocates about 100 MB between two looks
SAMPLES_PER_TREE = 20  # finding the grandchildren reads the whole process table, so once a second
STDERR_CAP = 1 << 20  # bytes; a library that prints without end fills no disk
STDERR_TAIL = 4000  # bytes kept with a crash
WORN_BYTES = 200 * 2**20  # a child that grew over this after its task is replaced
WORN_TASKS = 50
START_SECONDS = 60.0  # a cold child imports its libraries first: 1 s when idle, many on a crowded machine
DUMP_SECONDS = 0.5  # time for faulthandler to write the stacks

Answer = TypeVar("Answer", bound=BaseModel)

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


@dataclass(frozen=True, slots=True)
class Limits:
    """`deadline` is on `clock.monotonic`; seconds without a word from the agent; bytes of the whole process tree."""

    deadline: float
    no_progress_seconds: float
    memory_bytes: int


@dataclass
class _Call:
    """One call under way, and what was seen of it."""

    limits: Limits
    stop: StopSignal
    on_progress: Callable[[float], None]
    last_word: float
    started: bool = False
    next_look: float = 0.0
    peak_bytes: int = 0


class AgentProcess:
    """One warm child, replaced when it was killed or is worn. Not for two calls at once."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._child: asyncio.subprocess.Process | None = None
        self._stderr_path = scratch / "agent.stderr"
        self._calls = 0
        self._tasks = 0
        self._samples = 0
        self._family: list[psutil.Process] = []
        self.peak_bytes = 0  # of the last call

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child is not None and self._child.returncode is None else None

    async def start(self) -> None:
        """Have a child, warm or warming; harmless when there is one."""
        if self.pid is not None:
            return
        self._scratch.mkdir(parents=True, exist_ok=True)
        with self._stderr_path.open("ab") as stderr:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "transformers.agent_child",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=stderr,
                env=_environment(), cwd=self._scratch, start_new_session=True,
            )  # fmt: skip
        self._tasks = self._samples = 0

    async def call(
        self,
        operation: str,
        request: BaseModel,
        answer: type[Answer],
        *,
        folder: Path,
        limits: Limits,
        stop: StopSignal,
        on_progress: Callable[[float], None] = lambda _fraction: None,
    ) -> Answer:
        """Run one operation in the child and bring back its answer.

        Raises:
            TimeLimit, MemoryLimit, NoProgress, AgentCrashed: the child was killed or died.
            ClaimLost, HandBack: the signal said so; the child was killed.
            AgentFailed: the operation's own verdict; the child lives on.
        """
        await self.start()
        call = _Call(limits, stop, on_progress, last_word=monotonic())
        fit = False  # for the next call
        try:
            found = await self._exchange(operation, request, answer, folder, call)
            fit = True
        except AgentFailed:
            fit = True  # a verdict of its own is an answer too
            raise
        finally:
            self.peak_bytes = call.peak_bytes
            if not fit:
                await self.kill()
        return found

    async def _exchange(
        self, operation: str, request: BaseModel, answer: type[Answer], folder: Path, call: _Call
    ) -> Answer:
        self._calls += 1
        asked, answered = folder / f"{self._calls}.request.json", folder / f"{self._calls}.answer.json"
        asked.write_text(request.model_dump_json(), encoding="utf-8")
        self._say({"run": operation, "request": str(asked), "answer": str(answered)})
        await self._until_done(call)
        found = answer.model_validate_json(answered.read_bytes())
        asked.unlink()
        answered.unlink()
        return found

    def _say(self, envelope: dict[str, str]) -> None:
        assert self._child is not None
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(envelope).encode() + b"\n")

    async def _until_done(self, call: _Call) -> None:
        """Read the child's words and look at its limits until it is done."""
        assert self._child is not None
        assert self._child.stdout is not None
        stopped = asyncio.ensure_future(call.stop.changed())
        words = asyncio.ensure_future(self._child.stdout.readline())
        try:
            while True:
                await asyncio.wait({words, stopped}, timeout=SAMPLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if words.done():
                    if self._heard(words.result(), call):
                        return
                    words = asyncio.ensure_future(self._child.stdout.readline())
                if stopped.done():
                    stopped = asyncio.ensure_future(call.stop.changed())
                await self._look(call)
        finally:
            stopped.cancel()
            words.cancel()

    def _heard(self, line: bytes, call: _Call) -> bool:
        """Take in one envelope; True when the call is over."""
        if not line:
            raise AgentCrashed(detail=f"the child ended in the middle of a call; {self._stderr_tail()}")
        call.last_word, call.started = monotonic(), True
        word: dict[str, Any] = json.loads(line)
        if "failed" in word:
            raise AgentFailed(verdict_from_json(word["failed"]))
        if "progress" in word:
            call.on_progress(min(1.0, max(0.0, float(word["progress"]))))
        return "done" in word

    async def _look(self, call: _Call) -> None:
        """Hold the child to its limits.

        Raises:
            ClaimLost, HandBack, TimeLimit, MemoryLimit, NoProgress
        """
        call.stop.check()
        now = monotonic()
        if now > call.limits.deadline:
            raise TimeLimit
        if now < call.next_look:
            return
        call.next_look = now + SAMPLE_SECONDS
        used = self.memory_bytes()
        call.peak_bytes = max(call.peak_bytes, used)
        if used > call.limits.memory_bytes:
            raise MemoryLimit(used_mib=used >> 20, limit_mib=call.limits.memory_bytes >> 20)
        if now - call.last_word > (call.limits.no_progress_seconds if call.started else START_SECONDS):
            raise NoProgress(detail=await self._stacks())
        self._cap_stderr()

    def memory_bytes(self) -> int:
        """Resident bytes of the child and all it started; 0 when there is none."""
        if self._samples % SAMPLES_PER_TREE == 0:
            self._family = self._tree()
        self._samples += 1
        return sum(_resident(process) for process in self._family)

    async def _stacks(self) -> str:
        """Where every thread of the child stands, as faulthandler tells it."""
        self._say({"dump": "stacks"})
        await asyncio.sleep(DUMP_SECONDS)
        return self._stderr_tail()

    def _stderr_tail(self) -> str:
        with suppress(OSError):
            return self._stderr_path.read_bytes()[-STDERR_TAIL:].decode(errors="replace")
        return ""

    def _cap_stderr(self) -> None:
        with suppress(OSError):
            if self._stderr_path.stat().st_size > STDERR_CAP:
                os.truncate(self._stderr_path, 0)

    async def end_task(self) -> None:
        """After a task: a worn child is replaced now, so that the next task finds a warm one."""
        self._tasks += 1
        if self._tasks >= WORN_TASKS or self.memory_bytes() > WORN_BYTES:
            await self.kill()
        with suppress(OSError):
            os.truncate(self._stderr_path, 0)
        await self.start()

    async def kill(self) -> None:
        """End the child and everything it started, now."""
        if self._child is None:
            return
        for process in reversed(self._tree()):
            with suppress(psutil.Error):
                process.kill()
        with suppress(ProcessLookupError):
            self._child.kill()  # also where the table of processes would not tell us its tree
        await self._child.wait()
        self._child = None

    def _tree(self) -> list[psutil.Process]:
        if self.pid is None:
            return []
        with suppress(psutil.Error):
            child = psutil.Process(self.pid)
            return [child, *child.children(recursive=True)]
        return []


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _ENVIRONMENT_KEPT if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONUNBUFFERED": "1"}
