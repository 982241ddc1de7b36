"""Five faults that happen to a column between two files, planted in one half of a table: chosen before any threshold.

Each is a function of the cells (text, as a file holds them) and a seeded chance.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

Cells = list[str]
Fault = Callable[[Sequence[str], "np.random.Generator"], Cells]
UNIT_SHARE, NEW_SHARE, MIX_SHARE, MISSING_SHARE = 0.05, 0.05, 0.15, 0.10


def shifted(cells: Sequence[str], chance: "np.random.Generator") -> Cells:
    """Every number moved up by .25 to .5 standard deviations, rounded as the column is."""
    import numpy as np

    numbers = np.array([float(cell) for cell in cells if cell])
    by = chance.uniform(0.25, 0.5) * numbers.std()
    return [_like(cell, float(cell) + by) if cell else cell for cell in cells]


def scaled(cells: Sequence[str], _chance: "np.random.Generator") -> Cells:
    """Every number times 1.5."""
    return [_like(cell, float(cell) * 1.5) if cell else cell for cell in cells]


def other_unit(cells: Sequence[str], chance: "np.random.Generator") -> Cells:
    """One number in twenty, of those that are not nought, times 1000."""
    hit = chance.random(len(cells)) < UNIT_SHARE
    return [
        _like(cell, float(cell) * 1000) if cell and h and float(cell) else cell
        for cell, h in zip(cells, hit, strict=True)
    ]


def other_mix(cells: Sequence[str], chance: "np.random.Generator") -> Cells:
    """By chance one of two: one cell in twenty a new category, or 15 % of the cells another known one."""
    known = sorted({cell for cell in cells if cell}, key=lambda value: (-cells.count(value), value))
    new = chance.random() < 0.5
    value = "__new__" if new else known[min(1, len(known) - 1)]
    hit = chance.random(len(cells)) < (NEW_SHARE if new else MIX_SHARE)
    return [value if h else cell for cell, h in zip(cells, hit, strict=True)]


def more_missing(cells: Sequence[str], chance: "np.random.Generator") -> Cells:
    """One cell in ten gone."""
    hit = chance.random(len(cells)) < MISSING_SHARE
    return ["" if h else cell for cell, h in zip(cells, hit, strict=True)]


NUMBER_FAULTS: dict[str, Fault] = {
    "mean +.25 to .5 sd": shifted,
    "scale x1.5": scaled,
    "unit x1000 in 5 %": other_unit,
    "10 % more missing": more_missing,
}
WORD_FAULTS: dict[str, Fault] = {
    "mix of categories": other_mix,
    "10 % more missing": more_missing,
}


def _like(cell: str, value: float) -> str:
    digits = len(cell.partition(".")[2])
    return f"{value:.{digits}f}"
