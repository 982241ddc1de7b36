"""Which models are left alone for a while, because one call after the other failed.

Every slot of a process shares one Breakers, and all workers share its rows (db/model_memory.py). A call that goes well
touches only what this process knows; the rows are looked at once a second, and written when a breaker opens or closes.
While the database is away, a breaker still works for its own process.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import structlog

from backend.clock import monotonic
from backend.language_models.failures import CallFailed, Impatient, LeftAlone, Passing
from db import model_memory
from db.database import DATABASE_ERRORS

LOOK_SECONDS = 1.0  # for so long a worker may still ask a model that the others have given up
PATIENCE_SECONDS = 2.0  # with the database: a question waits no longer for what the others know

log = structlog.get_logger()
T = TypeVar("T")


class _Unreachable(Exception):
    """The database does not say what the others know."""


@dataclass(slots=True)
class _State:
    under_way: int = 0
    failures: int = 0  # in a row
    most_failures: int = 0  # of this row, before it opens
    open_until: float | None = None  # on clock.monotonic; None: closed
    probed_until: float = 0.0
    shared: bool = False  # the others know that it is open

    def close(self) -> None:
        self.failures, self.open_until, self.shared = 0, None, False


class Breakers:
    """`failures` calls in a row open one for `cool_down` seconds. For any thread and any event loop.

    Calls that were under way together fail together, when a connection or a server blinks: a row of failures is counted
    beyond those, or fifty calls at once would shut out their own second tries.
    """

    def __init__(self, failures: int, cool_down: float, *, shared: bool) -> None:
        self._failures, self._cool_down, self._shared = failures, cool_down, shared
        self._states: dict[str, _State] = {}
        self._lock = threading.Lock()
        self._looked_at = float("-inf")

    async def through(self, name: str, seconds: float, call: Callable[[], Awaitable[T]]) -> T:
        """What the call gives, unless its model is left alone; it may take so many seconds.

        Raises:
            LeftAlone: nobody asked the model, for `retry_after` seconds still
        """
        if self._shared and monotonic() - self._looked_at >= LOOK_SECONDS:
            await self._look()
        state = self._states.setdefault(name, _State())
        if state.open_until is None:
            return await self._watched(name, state, call)
        await self._begin_probe(name, state, min(seconds, self._cool_down))
        try:
            return await self._watched(name, state, call, probe=True)
        finally:
            state.probed_until = 0.0

    async def _watched(self, name: str, state: _State, call: Callable[[], Awaitable[T]], *, probe: bool = False) -> T:
        """A provider that refuses or asks for patience is well; only silence and its own faults count."""
        with self._lock:
            state.under_way += 1
        try:
            answer = await call()
        except CallFailed as failure:
            if isinstance(failure, Passing) and not failure.paced:
                if not isinstance(failure, Impatient):
                    await self._failed(name, state, probe=probe)
            elif state.failures:
                await self._went_well(name, state)
            raise
        finally:
            with self._lock:
                state.under_way -= 1
        if state.failures:
            await self._went_well(name, state)
        return answer

    async def _begin_probe(self, name: str, state: _State, seconds: float) -> None:
        """One at a time: among this process' calls, then among all workers'."""
        with self._lock:
            left = max(state.open_until or 0.0, state.probed_until) - monotonic()
            if left <= 0:
                state.probed_until = monotonic() + seconds
        if left > 0:
            raise _left_alone(name, left)
        allowed = True
        with suppress(_Unreachable):
            allowed = not state.shared or await self._asked(model_memory.take_probe, name, seconds)
        if not allowed:
            state.probed_until = 0.0
            raise _left_alone(name, LOOK_SECONDS)

    async def _failed(self, name: str, state: _State, *, probe: bool) -> None:
        with self._lock:
            if state.failures == 0:
                state.most_failures = self._failures + state.under_way - 1
            state.failures += 1
            opens = probe or (state.open_until is None and state.failures >= state.most_failures)
            if opens:
                state.open_until = monotonic() + self._cool_down
        if opens:
            log.warning("model_left_alone", model=name, failures=state.failures, seconds=self._cool_down)
            with suppress(_Unreachable):
                await self._asked(model_memory.open_breaker, name, state.failures, self._cool_down)
                state.shared = self._shared

    async def _went_well(self, name: str, state: _State) -> None:
        """A late answer of a call that began before the breaker opened closes it as well: the model is there."""
        with self._lock:
            was_open = state.open_until is not None
            state.close()
        if was_open:
            log.info("model_answers_again", model=name)
            with suppress(_Unreachable):
                await self._asked(model_memory.close_breaker, name)

    async def _look(self) -> None:
        """What the others know becomes what we know."""
        self._looked_at = monotonic()  # whoever comes meanwhile goes on with what is known
        with suppress(_Unreachable):
            found = await self._asked(model_memory.open_breakers)
            with self._lock:
                self._learn(found)

    def _learn(self, found: dict[str, model_memory.OpenBreaker]) -> None:
        now = monotonic()
        for name, row in found.items():
            state = self._states.setdefault(name, _State())
            state.shared, state.open_until = True, now + row.cools_for
            state.failures = max(state.failures, 1)
            state.probed_until = max(state.probed_until, now + row.probed_for)
        for name, state in list(self._states.items()):  # other slots' first calls come meanwhile
            if state.shared and name not in found:
                state.close()

    async def _asked(self, what: Callable[..., T], *about: object) -> T:
        if not self._shared:
            raise _Unreachable
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await asyncio.to_thread(what, *about)
        except (TimeoutError, *DATABASE_ERRORS) as error:
            log.warning("model_breakers_unshared", error=type(error).__name__)
            raise _Unreachable from error


def _left_alone(name: str, seconds: float) -> LeftAlone:
    return LeftAlone(detail=f"{name} is left alone for {seconds:.1f} s more", retry_after=seconds)
