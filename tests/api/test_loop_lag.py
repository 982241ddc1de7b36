import asyncio
import time

import pytest

from api import loop_lag
from backend.metrics.tally import TALLY


def test_what_blocks_the_loop_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_lag, "SECONDS", 0.01)
    TALLY.take()

    async def blocked() -> None:
        async with loop_lag.measured_lag():
            await asyncio.sleep(0)
            until = time.monotonic() + 0.1
            while time.monotonic() < until:
                pass
            await asyncio.sleep(0.03)

    asyncio.run(blocked())
    seconds = TALLY.read().spreads["agensium_event_loop_lag_seconds", ()][-1]
    assert 0.08 < seconds < 5
