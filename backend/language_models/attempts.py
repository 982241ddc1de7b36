"""Calls to one model until one goes well: a turn, the breaker, the clock, the tries; then an error of the tree.

Waiting for a turn counts against the step's time and against no call's.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from backend import traces
from backend.errors import ModelRefused, ModelUnavailable
from backend.language_models import measured
from backend.language_models.breakers import Breakers
from backend.language_models.failures import Barred, Refused, without_secrets
from backend.language_models.names import ModelName, secrets
from backend.language_models.questions import Budget
from backend.language_models.tries import in_time, with_tries
from backend.settings import Settings

T = TypeVar("T")


class Attempts:
    """For all slots of a process."""

    def __init__(self, settings: Settings, *, shared: bool) -> None:
        self._settings = settings
        self._breakers = Breakers(settings.model_breaker_failures, settings.model_cool_down_seconds, shared=shared)
        self._secrets = secrets(settings)

    async def until_well(
        self,
        name: ModelName,
        call: Callable[[], Awaitable[T]],
        turns: asyncio.Semaphore,
        budget: Budget,
        seconds: float,
    ) -> T:
        """What the call gives; each may take so many seconds, and no longer than the budget.

        Raises:
            ModelRefused, ModelUnavailable
        """

        async def once() -> T:
            await _turn(turns, budget)
            try:
                with traces.door("model call", gen_ai__request__model=str(name)), measured.counted(str(name)):
                    return await self._breakers.through(str(name), seconds, lambda: in_time(call, seconds, budget))
            finally:
                turns.release()

        try:
            return await with_tries(once, budget, self._settings.retry_base_seconds, self._settings.retry_cap_seconds)
        except Refused as failure:
            raise ModelRefused(detail=self._told(name, failure.detail)) from None
        except Barred as failure:
            raise ModelUnavailable(detail=self._told(name, failure.detail)) from None
        except ModelUnavailable as error:
            error.detail = self._told(name, error.detail)
            raise error from None

    def _told(self, name: ModelName, detail: str) -> str:
        """Without what the chain of exceptions holds besides: a library's may show a request with its headers."""
        return without_secrets(f"{name}: {detail}", self._secrets)


async def _turn(turns: asyncio.Semaphore, budget: Budget) -> None:
    """The clock is only set where there is somebody to wait for."""
    try:
        async with asyncio.timeout(budget.seconds_left() if turns.locked() else None):
            await turns.acquire()
    except TimeoutError:
        raise ModelUnavailable(detail="the step's time was over before its turn came") from None
