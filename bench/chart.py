"""A chart of one figure as SVG: us, those beside us from the best to the worst, and apart what others publish.

Bars where they can be told apart; where the largest is many times the smallest, dots on a scale of powers of ten, since
the length of a bar would mean nothing there. A share near 100 % is drawn as what is lost.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any

from bench import svg, wording

TOP, LINE, BOTTOM = 76, 28, 34
RIGHT = 110  # for a value behind the longest bar
MUCH = 20.0  # times the smallest
LETTER = 7.2  # how wide one is, nearly
ABOUT_PUBLISHED = "as they publish it, on machines of theirs"


@dataclass(frozen=True)
class Row:
    """One line: `kind` is its ink; a value of None is a heading."""

    name: str
    value: float | None
    kind: str


@dataclass(frozen=True)
class Scale:
    """Values to places on the card."""

    left: float
    low: float
    high: float
    by_powers: bool

    def place(self, value: float) -> float:
        room = svg.WIDTH - svg.PAD - RIGHT - self.left
        if self.by_powers:
            return self.left + room * (log10(max(value, self.low)) - log10(self.low)) / log10(self.high / self.low)
        return self.left + room * max(0.0, value) / self.high

    def ticks(self) -> list[float]:
        if self.by_powers:
            return [10.0**power for power in range(round(log10(self.low)), round(log10(self.high)) + 1)]
        step = _round_step(self.high / 4)
        return [step * number for number in range(int(self.high / step + 1e-9) + 1)]


def chart(figure: Mapping[str, Any]) -> str:
    """The whole file."""
    shown = _lost(figure) if wording.is_share(figure) else figure
    rows = list(_rows(shown))
    scale = _scale(shown, rows)
    bottom = TOP + LINE * len(rows)
    ticks = [_tick(scale, tick, bottom) for tick in scale.ticks()]
    drawn = [_row(scale, row, TOP + LINE * number, shown["unit"]) for number, row in enumerate(rows)]
    limit = [_limit(scale, shown, bottom)] if shown["bar"] is not None else []
    subtitle = f"{shown['unit'] or 'index'}, {'less' if shown['less_is_better'] else 'more'} is better"
    subtitle += "; a scale of powers of ten" if scale.by_powers else ""
    return svg.card(bottom + BOTTOM, f"{figure['id']}  {shown['title']}", subtitle, [*ticks, *limit, *drawn])


def _lost(figure: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same figure, of what is missing to 100 %."""
    others = {name: {who: 100 - value for who, value in figure[name].items()} for name in ("peers", "published")}
    bar = None if figure["bar"] is None else 100 - figure["bar"]
    title = f"{figure['title']}: what is lost"
    return {**figure, **others, "title": title, "ours": 100 - figure["ours"], "bar": bar, "less_is_better": True}


def _rows(figure: Mapping[str, Any]) -> Iterator[Row]:
    def by_rank(values: Mapping[str, float], kind: str) -> list[Row]:
        best_first = sorted(values.items(), key=lambda item: item[1], reverse=not figure["less_is_better"])
        return [Row(name, value, kind) for name, value in best_first]

    yield Row("Agensium", figure["ours"], "ours")
    yield from by_rank(figure["peers"], "peer")
    if figure["published"]:
        yield Row(ABOUT_PUBLISHED, None, "quiet")
        yield from by_rank(figure["published"], "published")


def _scale(figure: Mapping[str, Any], rows: list[Row]) -> Scale:
    left = svg.PAD + LETTER * max(len(row.name) for row in rows if row.value is not None) + 16
    values = [row.value for row in rows if row.value] + ([figure["bar"]] if figure["bar"] else [])
    low, high = min(values, default=1.0), max(values, default=1.0)
    if high / low <= MUCH:
        return Scale(left, 0.0, high, by_powers=False)
    return Scale(left, 10.0 ** floor(log10(low)), 10.0 ** ceil(log10(high)), by_powers=True)


def _row(scale: Scale, row: Row, y: float, unit: str) -> str:
    if row.value is None:
        return svg.text(svg.PAD, y + 19, row.name, "quiet")
    end, ours = scale.place(row.value), "strong" if row.kind == "ours" else "text"
    named = svg.text(scale.left - 10, y + 18, row.name, ours, "end")
    if scale.by_powers:
        mark = svg.line(scale.left, y + 14, end, y + 14, row.kind, width=2) + svg.dot(end, y + 14, row.kind)
    else:
        mark = svg.rect(scale.left, y + 5, end - scale.left, LINE - 10, row.kind)
    return named + mark + svg.text(end + 12, y + 18, wording.number(row.value, unit), ours)


def _tick(scale: Scale, value: float, bottom: float) -> str:
    x = scale.place(value)
    return svg.line(x, TOP, x, bottom, "grid") + svg.text(x, bottom + 18, f"{value:,g}", "quiet", "middle")


def _limit(scale: Scale, figure: Mapping[str, Any], bottom: float) -> str:
    x = scale.place(figure["bar"])
    anchor = "end" if x > svg.WIDTH - 140 else "middle"
    said = svg.text(x, TOP - 6, f"bar {wording.bar(figure)}", "limit", anchor)
    return svg.line(x, TOP, x, bottom, "bar", width=1.5, dashes="5 4") + said


def _round_step(step: float) -> float:
    """1, 2 or 5 times a power of ten, not less than `step` by much."""
    power = 10.0 ** floor(log10(step))
    return power * next((size for size in (1, 2, 5) if size * power >= step * 0.8), 10)
