"""From many fine bins to the few that PSI, chi-square and people look at: tenths of the baseline, and what lies beyond.

Where the baseline has few values each has a bin of its own.
"""

from dataclasses import dataclass
from typing import Any

from transformers.drift.numbers import FEW_VALUES, Counted

TENTHS = 10


@dataclass(frozen=True)
class Bins:
    """Bin i holds values above lows[i], up to highs[i]. The first and the last lie outside the baseline."""

    lows: tuple[float, ...]
    highs: tuple[float, ...]
    old: Any
    new: Any

    @property
    def outside(self) -> int:
        return int(self.new[0] + self.new[-1])


def coarse(counted: Counted) -> Bins:
    import numpy as np

    edges, old = counted.edges, counted.old
    first = int(np.searchsorted(edges, np.nextafter(counted.low, -np.inf)))
    last = int(np.searchsorted(edges, counted.high))
    cuts = [first, *_cuts(old, first, last), last]
    cuts = sorted(set(cuts))
    starts = [0, *(cut + 1 for cut in cuts)]
    limits = [float("-inf"), *(float(edges[cut]) for cut in cuts), float("inf")]
    return Bins(
        lows=tuple(limits[:-1]),
        highs=tuple(limits[1:]),
        old=np.add.reduceat(old, starts),
        new=np.add.reduceat(counted.new, starts),
    )


def _cuts(old: Any, first: int, last: int) -> list[int]:
    """Fine bins after which a coarse one ends: at each value where they are few, else at a tenth of the rows."""
    filled = [i for i in range(first + 1, last + 1) if old[i]]
    if len(filled) <= FEW_VALUES:
        return sorted({i for place in filled for i in (place - 1, place) if i >= first})
    cuts, held, tenth = [], 0, old.sum() / TENTHS
    for i in filled:
        if old[i] >= tenth and held:
            cuts.append(i - 1)
            held = 0
        held += int(old[i])
        if held >= tenth:
            cuts.append(i)
            held = 0
    return cuts
