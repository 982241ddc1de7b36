"""How late the event loop is: what blocks it holds up every customer of the process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from backend.clock import monotonic
from backend.metrics.of_the_api import LOOP_LAG

SECONDS = 0.5


@asynccontextmanager
async def measured_lag() -> AsyncIterator[None]:
    """For as long as the block takes."""
    measuring = asyncio.create_task(_measure())
    try:
        yield
    finally:
        measuring.cancel()
        with suppress(asyncio.CancelledError):
            await measuring


async def _measure() -> None:
    while True:
        began = monotonic()
        await asyncio.sleep(SECONDS)
        LOOP_LAG.observe(max(0.0, monotonic() - began - SECONDS))
