"""The only time and the only chance in the house.

What two processes compare (leases, `not_before`, order) is never read here: it uses `clock_timestamp()` in SQL.
"""

import random
import time
from datetime import UTC, datetime

_chance = random.SystemRandom()


def now() -> datetime:
    """The wall clock, aware, in UTC; for what people read."""
    return datetime.now(UTC)


def half_way(since: datetime) -> datetime:
    """Between then and now: when another machine, asked then and heard now, will have read its own clock."""
    return since + (now() - since) / 2


def monotonic() -> float:
    """Seconds that never go back; for durations."""
    return time.monotonic()


def jitter(ceiling: float) -> float:
    """A delay in seconds, uniform over 0..ceiling: full jitter, so that a crowd that failed together spreads out."""
    return _chance.uniform(0, ceiling)
