"""How long a run may take, and how much of it is left for each measure: twenty minutes, or two.

The parts of all measures fit into it. A measure may use what those before it did not need, and not what those after it
will; but on a machine so busy that this is too little, three times its own part: a run that takes longer there is worth
more than one without figures, and whatever hangs is ended all the same.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum

from backend.clock import monotonic
from bench.measure import Measure


class Size(StrEnum):
    """How much work: each measure says for itself what that means to it."""

    QUICK = "quick"
    WHOLE = "whole"
    LONG = "long"  # tables of ten million rows; an hour, and nobody waits for it


GRACE = 3.0  # times its own part
LIMITS = {Size.QUICK: 120.0, Size.WHOLE: 1200.0, Size.LONG: 7200.0}  # seconds


class Budget:
    """The time of one run, spent as its measures run one after the other."""

    def __init__(self, size: Size, measures: Sequence[Measure], clock: Callable[[], float] = monotonic) -> None:
        self._size = size
        self._left = list(measures)
        self._clock = clock
        self._ends = clock() + LIMITS[size]

    def of_the_next(self) -> float:
        """Seconds for the next measure: all that is left but the others' own parts, or three times its own."""
        measure, *others = self._left
        self._left = others
        left = self._ends - self._clock() - sum(seconds(one, self._size) for one in others)
        return max(left, GRACE * seconds(measure, self._size))


def seconds(measure: Measure, size: Size) -> float:
    """Its own part. Whoever asks for the quick form of a measure that has none gets the whole one."""
    if size is Size.QUICK and measure.quick_seconds is not None:
        return measure.quick_seconds
    return measure.seconds
