"""What is said of runs on tables: ours beside theirs at the largest size that both ended, and how ours grow."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bench.courses import Course
from bench.measure import Figure
from bench.peers.environments import version
from bench.table_work import TableWork

LINEAR, FLAT = 1.25, 1.25  # what a clock and an allocator may add


@dataclass(frozen=True)
class Found:
    """Courses by name; how well rows were linked, by name and rows; the peers that could not be measured."""

    courses: dict[str, Course] = field(default_factory=dict)
    linked: dict[tuple[str, int], dict[str, float]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def told(self, name: str) -> dict[str, Any]:
        course = self.courses[name]
        runs = {f"{rows:,} rows": ran.told | self.linked.get((name, rows), {}) for rows, ran in course.runs.items()}
        return runs | ({"ends": course.stopped} if course.stopped else {})


def name_of(work: TableWork, peer: str = "ours") -> str:
    return f"{work.title}: {peer}"


def beside(work: TableWork, found: Found) -> Iterator[Figure]:
    """A peer that does next to nothing is shown without a bar."""
    ours = found.courses.get(name_of(work))
    for peer, who in work.theirs.items():
        theirs = found.courses.get(name_of(work, peer))
        if ours is None or theirs is None or not (common := set(ours.ended) & set(theirs.ended)):
            continue
        rows = max(common)
        yield Figure(
            id=f"P9 {work.title.lower()}, {peer}",
            title=f"{work.title} {rows:,} rows, beside {peer}",
            unit="s",
            ours=ours.ended[rows].seconds,
            bar=None if who.floor else theirs.ended[rows].seconds,
            peers={peer: theirs.ended[rows].seconds},
            detail={
                "ours": found.told(name_of(work)),
                peer: found.told(name_of(work, peer)),
                "version": version(who.peer),
            },
            note=f"{peer} gets no further: {theirs.stopped}." if theirs.stopped else "",
        )


def growth(work: TableWork, found: Found) -> Iterator[Figure]:
    """Ten times the rows: how many times as long without the start, and how many times the memory."""
    course = found.courses.get(name_of(work))
    if course is None or len(course.ended) < 2:
        return
    (less, one), (more, ten) = list(course.ended.items())[-2:]
    of = f"{work.ours.tool}, {work.title.lower()}" if work.ours.agents else work.ours.tool
    missed = " ".join(f"{peer}: {why}." for peer, why in found.missing.items() if peer in work.theirs)
    yield Figure(
        id=f"P9 {work.title.lower()}, time",
        title=f"{of}: time a row, {less:,} → {more:,} rows",
        unit="×",
        ours=_slopes(course),
        bar=LINEAR,
        detail=found.told(name_of(work)),
        note=f"1 is linear, less is better than that. {missed}".strip(),
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
