"""What grows: the slope of the floor under a series of readings. Knows nothing of processes.

The floor, because a process' memory goes up and down with its work, and what leaks is never given back: the least of
each short stretch of time is what stays between two pieces of work. Theil and Sen's slope (the median over all pairs),
because one step up, such as a library that is loaded late, is no leak. Where processes come and go, their sum is mostly
chance: then what counts is how steep it is at least.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from statistics import median

STRETCHES = 40  # of the judged time: more make no better slope, and the pairs grow with their square
DEVIATIONS = 1.96
FEWEST = 4  # stretches, below which there is no slope to speak of

Point = tuple[float, float]  # seconds, value


def floor(points: Iterable[Point], seconds: float) -> list[Point]:
    """The least value of each stretch of so many seconds, at the middle of the stretch."""
    least: dict[int, float] = defaultdict(lambda: float("inf"))
    for at, value in points:
        stretch = int(at // seconds)
        least[stretch] = min(least[stretch], value)
    return [((stretch + 0.5) * seconds, least[stretch]) for stretch in sorted(least)]


@dataclass(frozen=True, slots=True)
class Slope:
    """By the minute: the median over all pairs, and what it is at least (Sen's limit, one-sided, 97.5 %)."""

    median: float
    least: float


def slope(points: Sequence[Point]) -> Slope | None:
    """None of too few points."""
    number = len(points)
    if number < FEWEST:
        return None
    pairs = combinations(points, 2)
    slopes = sorted(60 * (value - before) / (at - began) for (began, before), (at, value) in pairs)
    spread = DEVIATIONS * sqrt(number * (number - 1) * (2 * number + 5) / 18)  # of Kendall's statistic
    return Slope(median(slopes), slopes[max(0, int((len(slopes) - spread) / 2))])
