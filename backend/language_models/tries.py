"""Asking once more: which failure is worth it, after what wait, and when to stop. The step's budget pays.

Three tries a question and model; the longest wait doubles and is drawn with full jitter; a provider's Retry-After is
a wait's least.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from backend.clock import jitter
from backend.errors import ModelUnavailable
from backend.language_models.failures import Impatient, Passing
from backend.language_models.questions import Budget

TRIES = 3  # CATALOGUE §6
FAIR_SECONDS = 30.0  # a time-out that a customer chose shorter must not close a model to all the others

T = TypeVar("T")


async def with_tries(call: Callable[[], Awaitable[T]], budget: Budget, base: float, cap: float) -> T:
    """What `call` gives; `base` and `cap` are the longest first wait and the longest of all, in seconds.

    Raises:
        ModelUnavailable, and whatever else `call` raises that does not pass
    """
    for tried in range(TRIES):
        try:
            return await call()
        except Passing as failure:
            wait = (failure.retry_after or 0.0) + jitter(min(cap, base * 2**tried))  # spreads who was told the same
            last = tried == TRIES - 1 or wait >= budget.seconds_left()
            if last or not budget.take_retry():
                raise ModelUnavailable(detail=failure.detail, retry_after=failure.retry_after) from failure
        await asyncio.sleep(wait)
    raise AssertionError  # the last try returned or raised


async def in_time(call: Callable[[], Awaitable[T]], seconds: float, budget: Budget) -> T:
    """Our own clock says whether it ran out: a socket's time-out raises the same class.

    Where the step's time ends first, the model is not to blame.
    """
    left = budget.seconds_left()
    if left <= 0:
        raise ModelUnavailable(detail="the step's time is over")
    try:
        async with asyncio.timeout(min(seconds, left)) as clock:
            return await call()
    except TimeoutError as error:
        if clock.expired() and left < seconds:
            raise ModelUnavailable(detail="the step's time is over") from error
        if not clock.expired():
            raise Passing(repr(error)) from error
        kind = Impatient if seconds < FAIR_SECONDS else Passing
        raise kind(f"no answer within {seconds:g} s") from error
