"""A chart of one piece of work on tables: seconds by rows, ours and each other's, both on scales of powers of ten.

Read from the details of a measure's figures: whoever tells of its runs as {"10,000 rows": {"s": 1.5, …}} has a line.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10
from typing import Any

from bench import svg

TOP, HEIGHT, BOTTOM = 72, 260, 40
LEFT, RIGHT = 70, 210  # on the right a line's name stands at its end
APART = 16  # pixels between two names
ROWS = " rows"
Courses = Mapping[str, Mapping[int, float]]


def works(figures: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, dict[int, float]]]:
    """By a work's name, the first word of its figures' titles: seconds by rows, by whose they are."""
    found: dict[str, dict[str, dict[int, float]]] = {}
    for figure in figures:
        if figure["peers"]:
            work = found.setdefault(figure["title"].partition(" ")[0], {})
            work.update({name: runs for name, told in figure["detail"].items() if (runs := _runs(told))})
    return {name: work for name, work in found.items() if any(len(runs) > 1 for runs in work.values())}


def _runs(told: Any) -> dict[int, float]:
    if not isinstance(told, Mapping):
        return {}
    sizes = {name: run for name, run in told.items() if name.endswith(ROWS) and isinstance(run, Mapping)}
    ended = {name: run["s"] for name, run in sizes.items() if "s" in run and "failed" not in run}
    return {int(name.removesuffix(ROWS).replace(",", "")): float(seconds) for name, seconds in ended.items()}


@dataclass(frozen=True)
class Field:
    """Where rows and seconds lie: powers of ten from `low` to `high` of each."""

    rows: tuple[int, int]
    seconds: tuple[int, int]

    def x(self, rows: float) -> float:
        low, high = self.rows
        return LEFT + (svg.WIDTH - LEFT - RIGHT) * (log10(rows) - low) / (high - low)

    def y(self, seconds: float) -> float:
        low, high = self.seconds
        return TOP + HEIGHT * (1 - (log10(seconds) - low) / (high - low))


def growth(work: str, courses: Courses) -> str:
    """The whole file."""
    points = [(rows, seconds) for runs in courses.values() for rows, seconds in runs.items()]
    field = Field(_powers([rows for rows, _ in points]), _powers([seconds for _, seconds in points]))
    others = [one for name in courses if name != "ours" for one in _line(field, courses[name], "peer")]
    drawn = [*_grid(field), *others, *_line(field, courses.get("ours", {}), "ours"), *_names(field, courses)]
    title, subtitle = f"P9  {work}: seconds by rows", "s, less is better; both scales are of powers of ten"
    return svg.card(TOP + HEIGHT + BOTTOM, title, subtitle, drawn)


def _powers(values: Sequence[float]) -> tuple[int, int]:
    low, high = floor(log10(min(values)) + 1e-9), ceil(log10(max(values)) - 1e-9)
    return low, max(high, low + 1)


def _grid(field: Field) -> Iterator[str]:
    for power in range(field.rows[0], field.rows[1] + 1):
        x = field.x(10**power)
        yield svg.line(x, TOP, x, TOP + HEIGHT, "grid")
        yield svg.text(x, TOP + HEIGHT + 20, f"{10**power:,} rows", "quiet", "middle")
    for power in range(field.seconds[0], field.seconds[1] + 1):
        y = field.y(10.0**power)
        yield svg.line(LEFT, y, svg.WIDTH - RIGHT, y, "grid")
        yield svg.text(LEFT - 10, y + 4, f"{10.0**power:,g} s", "quiet", "end")


def _line(field: Field, runs: Mapping[int, float], kind: str) -> Iterator[str]:
    places = [(field.x(rows), field.y(seconds)) for rows, seconds in sorted(runs.items())]
    for (x1, y1), (x2, y2) in pairwise(places):
        yield svg.line(x1, y1, x2, y2, kind, width=3 if kind == "ours" else 1.8)
    yield from (svg.dot(x, y, kind) for x, y in places)


def _names(field: Field, courses: Courses) -> Iterator[str]:
    """Where each line ends; on the right edge, where most do, not one upon another."""
    most = max(max(runs) for runs in courses.values())
    lowest = float(TOP - APART)
    for name, runs in sorted(courses.items(), key=lambda one: -one[1][max(one[1])]):
        last = max(runs)
        said, kind = ("Agensium", "strong") if name == "ours" else (name, "text")
        y = field.y(runs[last])
        if last == most:
            y = lowest = max(y, lowest + APART)
        yield svg.text(field.x(last) + 14, y + 4, f"{said}  {runs[last]:.3g} s", kind)
