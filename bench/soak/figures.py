"""What was recorded of a run, and its figures: how the memory, the files and the threads of each kind came along."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.soak.census import Found, Identity, Kind, Reading
from bench.soak.outside import Counts
from bench.soak.slopes import STRETCHES, Point, Slope, floor, slope

MEGABYTE = 1e6
LONG_ENOUGH = 0.4  # of the judged time; whoever lived less is judged with its kind
OWN_WARM_UP = 0.5  # of the run's, which also has the caches of all the tools to fill


@dataclass(frozen=True, slots=True)
class KindFigures:
    """What became of one kind. Megabytes, and by the minute; the slope is that of the worst process that was judged,
    None where none lived long enough.
    """

    kind: Kind
    lives: int
    judged: int
    memory: tuple[float, float]  # of a typical process, in the first and the last quarter of the judged time
    memory_slope: float | None
    total_slope: Slope | None
    files: tuple[float, float]
    threads: tuple[float, float]


@dataclass
class Recorded:
    """All that was seen. `judged` is from when to when, in seconds since the run began."""

    looks: list[tuple[float, Found]] = field(default_factory=list)
    counts: list[Counts] = field(default_factory=list)
    judged: tuple[float, float] = (0.0, 0.0)

    def series(self) -> Mapping[Identity, Sequence[Reading]]:
        """Each process' readings within the judged time, less its own warm-up, which is as long as the run's."""
        found: dict[Identity, list[Reading]] = defaultdict(list)
        first: dict[Identity, float] = {}
        began, ended = self.judged
        for at, look in self.looks:
            for identity, reading in look.readings.items():
                warm = first.setdefault(identity, at) + (began - self.looks[0][0]) * OWN_WARM_UP
                if began <= at <= ended and (at >= warm or first[identity] <= self.looks[0][0]):
                    found[identity].append(reading)
        return found


def figures(recorded: Recorded) -> list[KindFigures]:
    """Each kind that was seen, ours first."""
    series, (began, ended) = recorded.series(), recorded.judged
    seen = {identity.kind for _, look in recorded.looks for identity in look.readings}
    return [_figures_of(kind, recorded, series, ended - began) for kind in Kind if kind in seen]


def _figures_of(
    kind: Kind, recorded: Recorded, series: Mapping[Identity, Sequence[Reading]], seconds: float
) -> KindFigures:
    mine = {identity: readings for identity, readings in series.items() if identity.kind is kind}
    old = [some for some in mine.values() if some[-1].at - some[0].at >= LONG_ENOUGH * seconds]
    looked = [
        (one, reading) for _, look in recorded.looks for one, reading in look.readings.items() if one.kind is kind
    ]
    everything, lives = [reading for _, reading in looked], {identity for identity, _ in looked}
    return KindFigures(
        kind, len(lives), len(old),
        memory=_ends(everything, "memory", recorded.judged, MEGABYTE),
        memory_slope=_worst(slope_over([(one.at, one.memory / MEGABYTE) for one in some], seconds) for some in old),
        total_slope=_total_slope(kind, recorded, seconds),
        files=_ends(everything, "files", recorded.judged),
        threads=_ends(everything, "threads", recorded.judged),
    )  # fmt: skip


def slope_over(points: Iterable[Point], seconds: float) -> Slope | None:
    """Of the floor, by the minute; `seconds` is how long is judged in all."""
    return slope(floor(points, seconds / STRETCHES))


def _total_slope(kind: Kind, recorded: Recorded, seconds: float) -> Slope | None:
    """Of all processes of the kind together, a process."""
    began, ended = recorded.judged
    totals, numbers = [], []
    for at, look in recorded.looks:
        mine = [reading.memory / MEGABYTE for identity, reading in look.readings.items() if identity.kind is kind]
        if began <= at <= ended:
            totals.append((at, sum(mine)))
            numbers.append(len(mine))
    found = slope_over(totals, seconds)
    number = max(1.0, median(numbers or [0]))
    return None if found is None else Slope(found.median / number, found.least / number)


def _ends(readings: Sequence[Reading], of: str, judged: tuple[float, float], unit: float = 1.0) -> tuple[float, float]:
    began, ended = judged
    quarter = (ended - began) / 4
    early = [getattr(one, of) / unit for one in readings if began <= one.at <= began + quarter]
    late = [getattr(one, of) / unit for one in readings if ended - quarter <= one.at <= ended]
    return (median(early or [0.0]), median(late or [0.0]))


def _worst(slopes: Iterable[Slope | None]) -> float | None:
    return max((one.median for one in slopes if one is not None), default=None)
