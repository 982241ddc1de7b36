"""What is said of runs on tables: ours beside theirs at the largest size that both ended, and how ours grow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.apart import Ran
from bench.courses import Course
from bench.measure import Figure
from bench.peers.environments import version
from bench.table_work import TableWork

LINEAR, FLAT = 1.25, 1.25  # what a clock and an allocator may add


@dataclass(frozen=True)
class Found:
    """Courses by name; how well rows were linked, by name and rows."""

    courses: dict[str, Course] = field(default_factory=dict)
    linked: dict[tuple[str, int], dict[str, float]] = field(default_factory=dict)

    def ended(self, name: str) -> dict[int, Ran]:
        return self.courses[name].ended if name in self.courses else {}

    def told(self, name: str) -> dict[str, Any]:
        course = self.courses[name]
        runs = {f"{rows:,} rows": ran.told | self.linked.get((name, rows), {}) for rows, ran in course.runs.items()}
        return runs | ({"ends": course.stopped} if course.stopped else {})


def name_of(work: TableWork, peer: str = "ours") -> str:
    return f"{work.title}: {peer}"


def headline(works: Sequence[TableWork], found: Found) -> Iterator[Figure]:
    """One figure: the peer that comes nearest to us, or is ahead."""
    ratios = {
        f"{pair.work.title.lower()}, {pair.peer}, {pair.rows:,} rows": pair.ours.seconds / pair.theirs.seconds
        for pair in _pairs(works, found)
        if not pair.work.theirs[pair.peer].floor
    }
    if ratios:
        yield Figure(
            id="P9",
            title="Our time over that of the peer that is nearest to us, on its own work",
            unit="×",
            ours=max(ratios.values()),
            bar=1.0,
            missing=_not_beside(works, found),
            detail={name: round(ratio, 3) for name, ratio in ratios.items()},
            note="Each at the largest size that both end in 60 s and 8 GB.",
        )


def beside(works: Sequence[TableWork], found: Found) -> Iterator[Figure]:
    """A peer that does next to nothing is shown without a bar."""
    for pair in _pairs(works, found):
        who, theirs = pair.work.theirs[pair.peer], found.courses[name_of(pair.work, pair.peer)]
        yield Figure(
            id=f"P9 {pair.work.title.lower()}, {pair.peer}",
            title=f"{pair.work.title} {pair.rows:,} rows, beside {pair.peer}",
            unit="s",
            ours=pair.ours.seconds,
            bar=None if who.floor else pair.theirs.seconds,
            peers={pair.peer: pair.theirs.seconds},
            detail={
                "ours": found.told(name_of(pair.work)),
                pair.peer: found.told(name_of(pair.work, pair.peer)),
                "version": version(who.peer),
            },
            note=f"{pair.peer} gets no further: {theirs.stopped}." if theirs.stopped else "",
        )


def _not_beside(works: Sequence[TableWork], found: Found) -> dict[str, str]:
    """Peers that ended at no size at which we did, and why."""
    there = {(pair.work.title, pair.peer) for pair in _pairs(works, found)}
    courses = ((peer, found.courses.get(name_of(work, peer))) for work in works for peer in work.theirs
               if (work.title, peer) not in there)  # fmt: skip
    return {peer: course.stopped or "we ended at no size that it did" for peer, course in courses if course}


@dataclass(frozen=True)
class _Pair:
    """Ours and theirs at the largest size that both ended."""

    work: TableWork
    peer: str
    rows: int
    ours: Ran
    theirs: Ran


def _pairs(works: Sequence[TableWork], found: Found) -> Iterator[_Pair]:
    for work in works:
        ours = found.ended(name_of(work))
        for peer in work.theirs:
            theirs = found.ended(name_of(work, peer))
            if common := set(ours) & set(theirs):
                rows = max(common)
                yield _Pair(work, peer, rows, ours[rows], theirs[rows])


def growth(work: TableWork, found: Found) -> Iterator[Figure]:
    """Ten times the rows: how many times as long without the start, and how many times the memory."""
    course = found.courses.get(name_of(work))
    if course is None or len(course.ended) < 2:
        return
    (less, one), (more, ten) = list(course.ended.items())[-2:]
    of = f"{work.ours.tool}, {work.title.lower()}" if work.ours.agents else work.ours.tool
    yield Figure(
        id=f"P9 {work.title.lower()}, time",
        title=f"{of}: time a row, {less:,} → {more:,} rows",
        unit="×",
        ours=_slopes(course),
        bar=LINEAR,
        detail=found.told(name_of(work)),
        note="1 is linear, less is better than that.",
    )
    yield Figure(
        id=f"P9 {work.title.lower()}, memory",
        title=f"{of}: memory, {less:,} → {more:,} rows",
        unit="×",
        ours=ten.peak_mb / one.peak_mb,
        bar=FLAT,
        detail={f"{rows:,} rows": f"{ran.peak_mb:.0f} MB" for rows, ran in course.ended.items()},
        note=f"At most {max(ran.peak_mb for ran in course.ended.values()):.0f} MB.",
    )


def _slopes(course: Course) -> float:
    """Seconds a further row in the last stretch over those in the one before, which starting has no part in.

    Of two sizes alone: seconds a row over seconds a row, starting included.
    """
    rows, seconds = list(course.ended), [ran.seconds for ran in course.ended.values()]
    if len(rows) == 2:
        return (seconds[1] / rows[1]) / (seconds[0] / rows[0])
    last, before = ((seconds[at] - seconds[at - 1]) / (rows[at] - rows[at - 1]) for at in (-1, -2))
    return last / max(before, 1e-9)
