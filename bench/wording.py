"""How numbers and comparisons are said, alike in the page and in the charts."""

from collections.abc import Mapping
from typing import Any

NO_BREAK = "\N{NO-BREAK SPACE}"
ALIKE = 0.05  # within what two runs differ by


def number(value: float, unit: str) -> str:
    """Three digits that say something, and the unit on the same line."""
    if unit == "%" and 90 < value < 100:
        digits = f"{value:.4g}"  # near the whole it is the rest that says something
    else:
        digits = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{digits}{NO_BREAK}{unit}" if unit else digits


def ratio(figure: Mapping[str, Any], theirs: float) -> str:
    """How many times as good or as bad, in words that need no sign. Of shares, what is lost is compared."""
    ours, less = figure["ours"], figure["less_is_better"]
    if is_share(figure):
        ours, theirs, less = 100 - ours, 100 - theirs, True
    if theirs <= 0 or ours <= 0:
        return ""
    times = theirs / ours if less else ours / theirs
    if abs(times - 1) < ALIKE:
        return "alike"
    return f"**{_times(times)} × better**" if times > 1 else f"{_times(1 / times)} × worse"


def is_share(figure: Mapping[str, Any]) -> bool:
    """Of a whole, and the more the better: near 100 % nothing can be seen but what is lost."""
    return bool(figure["unit"] == "%" and not figure["less_is_better"])


def held(figure: Mapping[str, Any]) -> bool | None:
    """None: there is no bar."""
    if figure["bar"] is None or figure["ours"] is None:
        return None
    if figure["less_is_better"]:
        return bool(figure["ours"] <= figure["bar"])
    return bool(figure["ours"] >= figure["bar"])


def judged(figure: Mapping[str, Any]) -> str:
    """Ours, and beside it the bar where there is one."""
    ours = number(figure["ours"], figure["unit"])
    if (is_held := held(figure)) is None:
        return ours
    return f"{ours} ({bar(figure)}: {'held' if is_held else 'missed'})"


def bar(figure: Mapping[str, Any]) -> str:
    return f"{'≤' if figure['less_is_better'] else '≥'}{NO_BREAK}{number(figure['bar'], figure['unit'])}"


def _times(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
