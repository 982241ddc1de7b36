"""One chart of all that has a bar: how many times better or worse than its bar, by powers of two."""

from collections.abc import Mapping, Sequence
from math import ceil, floor, log2
from typing import Any

from bench import svg, wording

TOP, LINE, BOTTOM = 84, 24, 34
LEFT, RIGHT = 424, 210
FARTHEST = 4  # powers of two; beyond it nobody asks how far
LETTERS = 58


def overview(figures: Sequence[Mapping[str, Any]]) -> str:
    """The whole file, of figures that have bars."""
    powers = [_power(figure) for figure in figures]
    low, high = min(-1, floor(min(powers, default=0))), max(1, ceil(max(powers, default=0)))

    def place(power: float) -> float:
        return LEFT + (svg.WIDTH - RIGHT - LEFT) * (power - low) / (high - low)

    bottom = TOP + LINE * len(figures)
    ticks = [_tick(place(power), power, bottom) for power in range(low, high + 1)]
    middle = svg.line(place(0), TOP, place(0), bottom, "bar", width=1.5)
    rows = [
        _row(figure, place(0), place(power), TOP + LINE * number)
        for number, (figure, power) in enumerate(zip(figures, powers, strict=True))
    ]
    held = sum(wording.held(figure) is True for figure in figures)
    subtitle = f"{held} of {len(figures)} held; how many times better (right) or worse (left) than its bar"
    return svg.card(bottom + BOTTOM, "Every bar", subtitle, [*ticks, middle, *rows])


def _power(figure: Mapping[str, Any]) -> float:
    """Of two: 1 is twice as good as the bar asks for, −1 half as good."""
    ours, bar, less = figure["ours"], figure["bar"], figure["less_is_better"]
    if wording.is_share(figure):
        ours, bar, less = 100 - ours, 100 - bar, True
    if ours <= 0 or bar <= 0:
        return float(FARTHEST if wording.held(figure) else -FARTHEST)
    times = bar / ours if less else ours / bar
    return max(-float(FARTHEST), min(float(FARTHEST), log2(times)))


def _row(figure: Mapping[str, Any], middle: float, x: float, y: float) -> str:
    kind = "held" if wording.held(figure) else "missed"
    name = f"{figure['id']}  {figure['title']}" if figure["id"] != figure["title"] else figure["id"]
    short = name if len(name) <= LETTERS else f"{name[: LETTERS - 1].rstrip()}…"
    ours = wording.number(figure["ours"], figure["unit"])
    return (
        svg.text(svg.PAD, y + 17, short)
        + svg.line(middle, y + 12.5, x, y + 12.5, kind, width=2)
        + svg.dot(x, y + 12.5, kind)
        + svg.text(svg.WIDTH - svg.PAD, y + 17, f"{ours}  ({wording.bar(figure)})", "text", "end")
    )


def _tick(x: float, power: int, bottom: float) -> str:
    said = "bar" if power == 0 else f"{2 ** abs(power)}×"
    return svg.line(x, TOP, x, bottom, "grid") + svg.text(x, bottom + 18, said, "quiet", "middle")
