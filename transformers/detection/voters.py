"""Which dependencies have a vote: those whose exceptions look like errors."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from transformers.cells.columns import LogicalType
from transformers.dependencies import Dependency
from transformers.dependencies.discovery import Search, dependencies_between
from transformers.detection.workbench import READ, Workbench

MAX_VOTERS = 6  # dependencies on one column, the most confident
MAX_DEPENDENCIES = 60
MAX_ERROR = 0.12  # dirty cells on both sides
MAX_DISPERSION = 2.0  # exceptions that gather in some groups are habits of these, no errors
MEAN_GROUP = 3  # rows: of two that differ, nobody knows which is wrong
SMALL_ERROR = 0.01  # unless they hardly ever differ
LOOSE_ERROR, LOOSE_CONFIDENCE = 0.05, 0.85  # exceptions by the dozen, and little explained: a habit and no rule
LARGE_GROUP = 20  # rows: agreement of so many is no accident
MOST_TOLD = (
    20  # values: a left side of many values in small groups names something if it tells as many, or the root of its own
)


def dependencies_of(bench: Workbench, apart: Iterable[int]) -> tuple[Dependency, ...]:
    """Among what the columns read, without those `apart`; the most confident few of each right side."""
    names = {f"c{place}": f"c{place}" for place in range(len(bench.columns)) if place not in set(apart)}
    found = _believed(bench, dependencies_between(bench.db, READ, names, search=Search(max_error=MAX_ERROR)))
    voters: dict[str, int] = defaultdict(int)
    kept = []
    for dependency in sorted(found, key=lambda d: (len(d.lhs), -d.confidence, d.rhs, d.lhs)):
        voters[dependency.rhs] += 1
        if voters[dependency.rhs] <= MAX_VOTERS:
            kept.append(dependency)
    return tuple(kept[:MAX_DEPENDENCIES])


def _believed(bench: Workbench, found: Sequence[Dependency]) -> list[Dependency]:
    """Exceptions strewn as errors are, groups large enough to have a majority, left sides that name something."""
    strewn = [
        d
        for d in found
        if not any(_is_measured(bench, name) for name in d.lhs)
        and d.dispersion <= MAX_DISPERSION
        and (d.support >= MEAN_GROUP * d.groups or d.error <= SMALL_ERROR)
        and (d.confidence >= LOOSE_CONFIDENCE or d.error <= LOOSE_ERROR)
    ]
    told: dict[tuple[str, ...], int] = defaultdict(int)
    for d in strewn:
        told[d.lhs] = max(told[d.lhs], _distinct(bench, d.rhs))
    return [d for d in strewn if d.support >= LARGE_GROUP * d.groups or told[d.lhs] >= min(MOST_TOLD, d.groups**0.5)]


def _is_measured(bench: Workbench, name: str) -> bool:
    """A number with a fraction is a quantity: it names nothing that other columns could tell of."""
    return bench.columns[int(name[1:])].logical is LogicalType.DECIMAL


def _distinct(bench: Workbench, name: str) -> int:
    return len(bench.values.get(int(name[1:]), ())) or MOST_TOLD
