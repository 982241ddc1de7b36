"""What one run of a task has at hand: its claim, its tool, its doors, its child, its limits."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel

from backend import traces
from backend.doors import Doors
from backend.errors import AgensiumError, MemoryLimit, Reroute
from backend.settings import Settings
from db import workers
from db.claims import Claim
from db.database import transaction
from db.models import Queue
from transformers.agent_process import AgentProcess, Answer, Limits
from transformers.stop_signal import StopSignal
from transformers.tables import Table
from transformers.tool import Forms, LocalFile, Step, Tool

LEAST_NO_PROGRESS_SECONDS = 30.0  # however quick an agent usually is, a machine may be crowded


@dataclass(frozen=True)
class Slot:
    """What a worker's slot lends to the task it runs: its warm child, the doors, and where progress goes."""

    process: AgentProcess
    doors: Doors
    settings: Settings
    stop: StopSignal
    scratch: Path
    known_tools: tuple[str, ...]
    on_progress: Callable[[float, str | None], None]  # 0..100, agent


@dataclass
class Workbench:
    """The task on the slot. What is empty at first is filled by the stations that come before the steps."""

    claim: Claim
    tool: Tool
    steps: tuple[Step, ...]
    slot: Slot
    began: float  # both on clock.monotonic
    deadline: float  # the tool's limit, less what earlier claims ran
    tables: Mapping[str, Table] = field(default_factory=dict)
    documents: Mapping[str, Path] = field(default_factory=dict)  # inputs that are no tables, by role: the first of each
    files: Mapping[str, tuple[LocalFile, ...]] = field(default_factory=dict)  # all that is no table
    source: Path | None = None  # the customer's own primary file, where a chain may need its bytes
    forms: Forms = field(default_factory=dict)
    done: frozenset[int] = frozenset()  # positions of a batch's items that an earlier task has finished
    made_headway: bool = False  # a step has ended in this claim, so nothing is counted against the next one

    @property
    def last_try(self) -> bool:
        """A hiccup of a step that begins now does not hand the task back once more."""
        return self.claim.hiccups >= self.slot.settings.transient_retries and not self.made_headway

    @cached_property
    def folder(self) -> Path:
        """Local scratch of this claim alone."""
        return self.slot.scratch / f"{self.claim.task_id}-{self.claim.epoch}"

    def limits(self, usual_seconds: float | None = None) -> Limits:
        """With what the operation usually takes, where that is known."""
        return Limits(
            deadline=self.deadline,
            no_progress_seconds=self._no_progress_seconds(usual_seconds),
            memory_bytes=self.slot.settings.agent_memory_bytes,
        )

    def _no_progress_seconds(self, usual_seconds: float | None) -> float:
        """Many times the usual, and never more than the tool's own."""
        settings, longest = self.slot.settings, self.tool.no_progress_after.total_seconds()
        if settings.no_progress_seconds is not None:
            return settings.no_progress_seconds
        if usual_seconds is None:
            return longest
        return min(longest, max(LEAST_NO_PROGRESS_SECONDS, settings.no_progress_factor * usual_seconds))

    async def compute(
        self,
        operation: str,
        request: BaseModel,
        answer: type[Answer],
        on_progress: Callable[[float], None] = lambda _fraction: None,
        usual_seconds: float | None = None,
        *,
        in_a_row: bool = False,
    ) -> Answer:
        """Have the child do one operation, within the task's limits.

        Raises:
            Reroute: it needs more memory than there is here, and elsewhere there is more.
            AgensiumError: what AgentProcess.call raises.
        """
        slot = self.slot
        try:
            with traces.span(f"compute {operation}") as span:
                found = await slot.process.call(
                    operation,
                    request,
                    answer,
                    folder=self.folder,
                    limits=self.limits(usual_seconds),
                    stop=slot.stop,
                    on_progress=on_progress,
                    in_a_row=in_a_row,
                )
                span.set(process__pid=slot.process.pid, peak_bytes=slot.process.peak_bytes)
            return found
        except AgensiumError as failure:
            if failure.verdict.error_code == MemoryLimit.error_code and await asyncio.to_thread(
                self._has_room_elsewhere
            ):
                raise Reroute(detail=failure.verdict.detail) from failure
            raise

    def _has_room_elsewhere(self) -> bool:
        """One move to the high-memory queue, where somebody lives there who has more to give than we."""
        if self.claim.queue is not Queue.DEFAULT:
            return False
        settings = self.slot.settings
        with transaction() as session:
            return workers.roomier(session, settings.agent_memory_bytes, settings.lease)
