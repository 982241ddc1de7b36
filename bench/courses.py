"""How far everybody gets: each size in turn, everybody at it, until somebody does not end or would not.

Nobody is asked for what the sizes before say would take longer than the limits; that, too, is told.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from backend.clock import monotonic
from bench.apart import Limits, Ran

LEAST_SECONDS = 5.0  # with less nobody need begin
START_SHARE = 0.5  # of a first run, where nothing else is known: half of it is starting
KEPT_OPEN = 1.15  # of the limit: a forecast is not that good


@dataclass
class Course:
    """What became of one contender: its runs by size, and why there are no more."""

    runs: dict[int, Ran] = field(default_factory=dict)
    stopped: str = ""

    def take(self, size: int, ran: Ran) -> None:
        self.runs[size] = ran
        if ran.failure:
            self.stopped = f"{size:,} rows: {ran.failure}"

    @property
    def ended(self) -> dict[int, Ran]:
        return {size: ran for size, ran in sorted(self.runs.items()) if not ran.failure}

    def forecast(self, size: int) -> tuple[float, float]:
        """Seconds and megabytes on the straight line through the last two."""
        if not self.ended:
            return 0.0, 0.0
        known = list(self.ended.items())
        more, last = known[-1]
        less, before = known[-2] if len(known) > 1 else (0, _start_of(last))
        ahead = (size - more) / (more - less)
        return (
            last.seconds + ahead * max(0.0, last.seconds - before.seconds),
            last.peak_mb + ahead * max(0.0, last.peak_mb - before.peak_mb),
        )


def _start_of(first: Ran) -> Ran:
    return Ran(START_SHARE * first.seconds, START_SHARE * first.cpu_seconds, START_SHARE * first.peak_mb)


@dataclass(frozen=True)
class Entrant:
    """`run(size)` measures one run. `until` is the largest size it is asked for; up to `sure` no forecast counts."""

    name: str
    run: Callable[[int], Ran]
    until: int
    sure: int = 0


def run_all(entrants: Sequence[Entrant], sizes: Sequence[int], limits: Limits, budget: float) -> dict[str, Course]:
    """By name. `budget` is the seconds there are for all: the largest sizes come last, and go without first."""
    courses, deadline = {entrant.name: Course() for entrant in entrants}, monotonic() + budget
    for size in sizes:
        for entrant, course in _still_there(entrants, courses, size):
            left = deadline - monotonic()
            course.stopped = _reason(course, size, limits, left, sure=size <= entrant.sure)
            if not course.stopped:
                course.take(size, entrant.run(size))
    return courses


def _still_there(
    entrants: Sequence[Entrant], courses: dict[str, Course], size: int
) -> Iterator[tuple[Entrant, Course]]:
    for entrant in entrants:
        if not courses[entrant.name].stopped and size <= entrant.until:
            yield entrant, courses[entrant.name]


def _reason(course: Course, size: int, limits: Limits, left: float, *, sure: bool) -> str:
    """Why it is not asked; empty where it is."""
    seconds, megabytes = course.forecast(size)
    if left < min(max(seconds, LEAST_SECONDS), limits.seconds):
        return f"{size:,} rows: not tried, the time for all was over"
    if sure:
        return ""
    if seconds > KEPT_OPEN * limits.seconds:
        return f"{size:,} rows: not tried, some {seconds:.0f} s by the sizes before"
    if megabytes > KEPT_OPEN * limits.megabytes:
        return f"{size:,} rows: not tried, some {megabytes / 1024:.0f} GB by the sizes before"
    return ""
