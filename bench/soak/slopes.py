"""What grows: the slope of the floor under a series of readings. Knows nothing of processes.

The floor, because a process' memory goes up and down with its work, and what leaks is never given back: the least of
each short stretch of time is what stays between two pieces of work. Theil and Sen's slope (the median over all pairs),
because one step up, such as a library that is loaded late, is no leak.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from statistics import median

STRETCHES = 40  # of the judged time: more make no better slope, and the pairs grow with their square
FEWEST = 4  # stretches, below which there is no slope to speak of

Point = tuple[float, float]  # seconds, value


def floor(points: Iterable[Point], seconds: float) -> list[Point]:
    """The least value of each stretch of so many seconds, at the middle of the stretch."""
    least: dict[int, float] = defaultdict(lambda: float("inf"))
    for at, value in points:
        stretch = int(at // seconds)
        least[stretch] = min(least[stretch], value)
    return [((stretch + 0.5) * seconds, least[stretch]) for stretch in sorted(least)]


def slope(points: Sequence[Point]) -> float | None:
    """By the minute; None of too few points."""
    if len(points) < FEWEST:
        return None
    return 60 * median((value - before) / (at - began) for (began, before), (at, value) in combinations(points, 2))
