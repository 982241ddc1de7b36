"""The steps one after the other: while an agent computes, what the one before it left is sent and written down.

Nothing of a step is recorded, charged, shown or told before the step before it is. What keeps that one from being
written down ends the computing of the next, and then the claim, as if the next had not begun.
"""

import asyncio
from types import TracebackType
from typing import Any, Self

from backend.clock import monotonic
from backend.errors import AgensiumError, ClaimLost, Interruption
from transformers.fan_out import fan_out
from transformers.fingerprints import fingerprint_of, fingerprint_of_inputs
from transformers.step_turn import Computed, fail, finished_before, take_turn, turn_of, work, write_down
from transformers.tool import Step
from transformers.walk import Walk

_GIVEN_UP = (ClaimLost, asyncio.CancelledError)  # nobody waits for what such a claim still has to write


async def one_by_one(walk: Walk) -> None:
    """Raises AgensiumError: as `step_turn.take_turn`, or `fan_out`."""
    bench = walk.bench
    upstream = fingerprint_of_inputs(bench)
    async with _Behind(walk) as behind:
        for step in bench.steps:
            bench.slot.stop.check_between_steps()
            fingerprint = fingerprint_of(step, bench, upstream)
            if step.agent.waits or step.fans_out or finished_before(walk, step, fingerprint) is not None:
                await behind.caught_up()
                turn = await take_turn(walk, step, fingerprint)
                if step.fans_out and turn.artifact is not None:
                    await fan_out(bench, turn.artifact)
            else:
                with turn_of(walk, step):
                    await behind.compute(step, fingerprint)
            if bench.tool.chained:
                upstream = fingerprint


class _Behind:
    """The one step that has delivered and is being written down."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._writing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _failure: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """A drain, a limit, a crash of the next one: what was delivered before is written down first.

        Raises:
            What keeps it from being written: that came first.
        """
        if self._writing is not None and kind is not None and issubclass(kind, _GIVEN_UP):
            await _ended(self._writing)
        else:
            await self.caught_up()

    async def caught_up(self) -> None:
        """Nothing is behind. Raises what keeps it from being written down."""
        writing, self._writing = self._writing, None
        if writing is not None:
            await writing

    async def compute(self, step: Step, fingerprint: str) -> None:
        """The step's computing; its own writing is what is behind then."""
        walk, began = self._walk, monotonic()
        computing = asyncio.ensure_future(work(walk, step, fingerprint))
        await self._beside(computing)
        try:
            computed = await computing
        except Interruption:
            raise
        except AgensiumError as failure:
            await self.caught_up()
            turn = await fail(walk, step, fingerprint, failure, began=began, last_try=False)
            walk.take(step, turn.outcome, turn.delivery)
            return
        await self.caught_up()
        walk.build_on(step, computed.delivery)
        walk.unwritten.add(step.id)
        self._writing = asyncio.create_task(self._write_down(computed))

    async def _beside(self, computing: "asyncio.Task[Computed]") -> None:
        """Until the computing has ended or nothing is behind any more.

        Raises:
            What keeps the step before from being written down; the computing is ended then.
        """
        if self._writing is None:
            return
        goes_on = False
        try:
            await asyncio.wait({computing, self._writing}, return_when=asyncio.FIRST_COMPLETED)
            if self._writing.done():
                await self.caught_up()
            goes_on = True
        finally:
            if not goes_on:
                await _ended(computing)

    async def _write_down(self, computed: Computed) -> None:
        turn = await write_down(self._walk, computed)
        self._walk.end(computed.step, turn.outcome)


async def _ended(task: "asyncio.Task[Any]") -> None:
    """Stopped, whatever it would have said."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
