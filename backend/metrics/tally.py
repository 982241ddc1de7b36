"""What this process has counted: plain numbers behind one lock, fit to be sent to another process and added up there.

It knows no metric by name (kinds.py does) and renders nothing (exposition.py does). A child that was forked begins
with an empty one.
"""

import os
import threading
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

Series = tuple[str, tuple[str, ...]]  # a metric's name, and a value for each of its labels


@dataclass(slots=True)
class Counted:
    """Counters by series; of histograms how many fell into each bucket (the last has no bound), and then the sum."""

    counts: dict[Series, float] = field(default_factory=dict)
    spreads: dict[Series, list[float]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.counts or self.spreads)


class Tally:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted = Counted()

    def add(self, series: Series, by: float) -> None:
        with self._lock:
            counts = self._counted.counts
            counts[series] = counts.get(series, 0.0) + by

    def observe(self, series: Series, bounds: Sequence[float], value: float) -> None:
        """`bounds` are the buckets' upper ends, ascending."""
        bucket = bisect_left(bounds, value)
        with self._lock:
            spread = self._counted.spreads.get(series)
            if spread is None:
                spread = self._counted.spreads[series] = [0.0] * (len(bounds) + 2)
            spread[bucket] += 1
            spread[-1] += value

    def include(self, other: Counted) -> None:
        """Add what another process has counted, or what could not be sent there."""
        with self._lock:
            for series, count in other.counts.items():
                self._counted.counts[series] = self._counted.counts.get(series, 0.0) + count
            for series, spread in other.spreads.items():
                before = self._counted.spreads.get(series, [0.0] * len(spread))
                self._counted.spreads[series] = [a + b for a, b in zip(before, spread, strict=True)]

    def take(self) -> Counted:
        """What was counted since the last time; it is the taker's now."""
        with self._lock:
            taken, self._counted = self._counted, Counted()
        return taken

    def read(self) -> Counted:
        """A copy."""
        with self._lock:
            spreads = {series: list(spread) for series, spread in self._counted.spreads.items()}
            return Counted(dict(self._counted.counts), spreads)

    def forget(self) -> None:
        """In a child that was forked, where the lock may be held by a thread that is not there."""
        self._lock = threading.Lock()
        self._counted = Counted()


TALLY = Tally()  # this process'

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=TALLY.forget)
