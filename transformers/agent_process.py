"""The supervisor of the child process in which agents compute (DESIGN §5.4).

The supervisor keeps the clock, the database and the money; the child only computes. So a time limit, a memory
limit, no progress and a cancel are one thing: the process tree is killed, the same on every pool and system. A
supervisor that is frozen can do none of it: then the child's guard does (agent_leash.py).

Envelopes are JSON lines of at most 8 KB; what a request or an answer has beyond that, and every table, is a file on
scratch.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from backend.clock import monotonic
from backend.errors import (
    AgensiumError,
    AgentCrashed,
    AgentFailed,
    MemoryLimit,
    NoProgress,
    TimeLimit,
    WorkerStalled,
)
from backend.logs import log
from backend.metrics.of_workers import CHILDREN
from transformers import envelopes
from transformers.agent_body import AgentBody
from transformers.child_verdict import verdict_from_json
from transformers.envelopes import Envelope
from transformers.stop_signal import StopSignal

SAMPLE_SECONDS = 0.05  # RSS is looked at this often; a runaway allocates about 100 MB between two looks
WORN_BYTES = 200 * 2**20  # a child that grew over this after its task is replaced
WORN_TASKS = 500  # a start takes half a second of CPU: of 50 tasks each, as much as all of a light one in its child
START_SECONDS = 60.0  # a cold child imports its libraries first: 1 s when idle, many on a crowded machine

Answer = TypeVar("Answer", bound=BaseModel)


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
    in_a_row: bool = False  # the next one is likely to begin at once
    started: bool = False  # a child that imports its libraries has not
    next_look: float = 0.0
    peak_bytes: int = 0


class AgentProcess:
    """One warm child, replaced when it was killed or is worn. Not for two calls at once."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._child: AgentBody | None = None
        self._is_warm = False  # it has said so
        self._calls = 0
        self._tasks = 0
        self.peak_bytes = 0  # of the last call
        self.used_bytes = 0  # at the last look of a call that is under way

    @property
    def pid(self) -> int | None:
        return self._child.process.pid if self._child is not None and self._child.process.returncode is None else None

    async def start(self) -> None:
        """Have a child, warm or warming; harmless when there is one."""
        if self._child is not None:
            if self.pid is None:  # it died by itself, between two calls
                await self._child.leash.was_cut()
            elif self._child.leash.holds:
                return
            else:
                await self.kill()
        self._scratch.mkdir(parents=True, exist_ok=True)
        self._child = await AgentBody.born(self._scratch)
        CHILDREN.count()
        self._is_warm = False
        self._tasks = 0

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
        in_a_row: bool = False,
    ) -> Answer:
        """Run one operation in the child and bring back its answer. After calls in a row `end_task` must come.

        Raises:
            TimeLimit, MemoryLimit, NoProgress, AgentCrashed: the child was killed or died.
            ClaimLost, HandBack: the signal said so; the child was killed.
            WorkerStalled: this process stood still for so long that the child's guard ended it.
            AgentFailed: the operation's own verdict; the child lives on.
        """
        await self.start()
        call = _Call(limits, stop, on_progress, last_word=monotonic(), in_a_row=in_a_row, started=self._is_warm)
        child = self._child
        assert child is not None
        fit = False  # for the next call
        silent_until = child.stderr.size()
        try:
            found = await self._exchange(operation, request, answer, folder, call)
            fit = True
        except AgentFailed:
            fit = True  # a verdict of its own is an answer too
            raise
        finally:
            self.peak_bytes, self.used_bytes = call.peak_bytes, 0
            if words := child.stderr.since(silent_until):
                log().info("the agent wrote to standard error", text=words)
            if not fit:
                await self.kill()
        return found

    async def _exchange(
        self, operation: str, request: BaseModel, answer: type[Answer], folder: Path, call: _Call
    ) -> Answer:
        if call.last_word > call.limits.deadline:
            raise TimeLimit
        self._calls += 1
        asked, answered = f"{folder}/{self._calls}.request.json", f"{folder}/{self._calls}.answer.json"
        envelope = {"run": operation, "asked": asked, "answered": answered}
        assert self._child is not None
        self._child.say(envelopes.sealed(envelope, "request", request.model_dump_json(), asked))
        last = await self._until_done(self._child, call)
        return answer.model_validate_json(envelopes.opened(last, "done", answered))

    async def _until_done(self, child: AgentBody, call: _Call) -> Envelope:
        """Read the child's words and look at its limits until it is done; its last word."""
        stopped: asyncio.Future[Any] = call.stop.changed()
        words: asyncio.Future[Any] = asyncio.ensure_future(child.words.readline())
        word: Envelope = {}
        try:
            while True:
                child.leash.alive()
                await asyncio.wait({words, stopped}, timeout=SAMPLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if words.done():
                    if not words.result():
                        raise await self._why_it_ended(child, call)
                    word = self._heard(words.result(), call)
                    if "done" in word:
                        call.peak_bytes = call.peak_bytes or child.family.memory_bytes()  # of a call between two looks
                        return word
                    words = asyncio.ensure_future(child.words.readline())
                if stopped.done():
                    stopped = call.stop.heard()
                await self._look(child, call)
        finally:
            if call.in_a_row and word.get("done"):  # what came by a file may take its time to be read
                child.leash.idle_soon()
            else:
                child.leash.idle()
            words.cancel()

    async def _why_it_ended(self, child: AgentBody, call: _Call) -> AgensiumError:
        """The child ended in the middle of a call.

        Raises:
            ClaimLost, HandBack: a supervisor that has just awoken may not be the task's any more; that comes first.
        """
        call.stop.check()
        if await child.leash.was_cut():
            return WorkerStalled(detail="the supervisor was silent in a call, and the guard ended the child")
        return AgentCrashed(detail=f"the child ended in the middle of a call; {child.stderr.tail()}")

    def _heard(self, line: bytes, call: _Call) -> Envelope:
        """Take in one envelope. Raises AgentFailed: it says so."""
        call.last_word, call.started, self._is_warm = monotonic(), True, True
        word: Envelope = json.loads(line)
        if "failed" in word:
            raise AgentFailed(verdict_from_json(word["failed"]))
        if "progress" in word:
            call.on_progress(min(1.0, max(0.0, float(word["progress"]))))
        return word

    async def _look(self, child: AgentBody, call: _Call) -> None:
        """Hold the child to its limits.

        Raises:
            ClaimLost, HandBack, TimeLimit, MemoryLimit, NoProgress
        """
        call.stop.check()
        now = monotonic()
        if now > call.limits.deadline:
            raise TimeLimit(detail=await self._stacks(child, call))
        if now < call.next_look:
            return
        call.next_look = now + SAMPLE_SECONDS
        self.used_bytes = used = child.family.memory_bytes()
        call.peak_bytes = max(call.peak_bytes, used)
        if used > call.limits.memory_bytes:
            raise MemoryLimit(used_mib=used >> 20, limit_mib=call.limits.memory_bytes >> 20)
        if now - call.last_word > (call.limits.no_progress_seconds if call.started else START_SECONDS):
            raise NoProgress(detail=await self._stacks(child, call))
        child.stderr.cap()

    async def _stacks(self, child: AgentBody, call: _Call) -> str:
        """Where every thread of the child stands, as faulthandler tells it. A stop is heard meanwhile."""

        def meanwhile() -> None:
            child.leash.alive()
            call.stop.check()

        if not call.started:
            return "the child did not begin"
        stacks = await child.stacks(meanwhile)
        log().warning("the agent's stacks were kept with the verdict", pid=child.process.pid, characters=len(stacks))
        return stacks

    def memory_bytes(self) -> int:
        """Resident bytes of the child and all it started; 0 when there is none."""
        return self._child.family.memory_bytes() if self._child is not None else 0

    async def end_task(self) -> None:
        """After a task: a worn child is replaced now, so that the next task finds a warm one."""
        self._tasks += 1
        if self._tasks >= WORN_TASKS or self.memory_bytes() > WORN_BYTES:
            await self.kill()
        if self._child is not None:
            self._child.leash.rest()
            self._child.stderr.clear()
        await self.start()

    async def kill(self) -> None:
        """End the child and everything it started, now."""
        if self._child is None:
            return
        child, self._child = self._child, None
        await child.kill()
