"""A chart of one figure as SVG: a bar each for us, for those beside us and for what others publish.

Its colours are read well on a light page and on a dark one; a scale by powers of ten where the bars differ much.
"""

from collections.abc import Mapping
from html import escape
from math import log10
from typing import Any

WIDTH, LINE, LEFT, RIGHT = 760, 28, 260, 110
OURS, BESIDE, PUBLISHED, TEXT, BAR = "#2563eb", "#8b95a5", "#c4a15a", "#717c8b", "#dc2626"
MUCH = 30.0  # times the smallest: beyond it the smallest bars could not be told apart


def chart(figure: Mapping[str, Any]) -> str:
    """The whole file."""
    rows = [("Agensium", figure["ours"], OURS)]
    rows += [(name, value, BESIDE) for name, value in figure["peers"].items()]
    rows += [(f"{name} (published)", value, PUBLISHED) for name, value in figure["published"].items()]
    values = [value for _, value, _ in rows if value > 0] + ([figure["bar"]] if figure["bar"] else [])
    low, high = min(values, default=1), max(values, default=1)
    height = LINE * (len(rows) + 1) + 12
    lines = [_row(number, row, figure["unit"], low, high) for number, row in enumerate(rows)]
    head = f"{figure['title']} ({figure['unit']}, {'less' if figure['less_is_better'] else 'more'} is better)"
    head += ", by powers of ten" if high / low > MUCH else ""
    bar = _bar(figure["bar"], low, high, height) if figure["bar"] else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="13"><title>{escape(head)}</title>'
        f'<text x="0" y="16" fill="{TEXT}" font-weight="600">{escape(head)}</text>{"".join(lines)}{bar}</svg>\n'
    )


def _row(number: int, row: tuple[str, float, str], unit: str, low: float, high: float) -> str:
    name, value, colour = row
    y, width = LINE * (number + 1), _width(value, low, high)
    return (
        f'<text x="{LEFT - 8}" y="{y + 17}" text-anchor="end" fill="{TEXT}">{escape(name)}</text>'
        f'<rect x="{LEFT}" y="{y + 4}" width="{width:.1f}" height="{LINE - 10}" rx="3" fill="{colour}"/>'
        f'<text x="{LEFT + width + 6:.1f}" y="{y + 17}" fill="{TEXT}">{value:,.3g} {escape(unit)}</text>'
    )


def _bar(value: float, low: float, high: float, height: int) -> str:
    x = LEFT + _width(value, low, high)
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{LINE}" y2="{height - 6}" stroke="{BAR}" stroke-dasharray="4 3"/>'
        f'<text x="{x + 4:.1f}" y="{height - 4}" fill="{BAR}" font-size="11">bar</text>'
    )


def _width(value: float, low: float, high: float) -> float:
    room = WIDTH - LEFT - RIGHT
    if value <= 0:
        return 1.0
    if high / low > MUCH:
        return room * (0.1 + 0.9 * log10(value / low) / log10(high / low))
    return max(1.0, room * value / high)
