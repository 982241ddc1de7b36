"""How far rows that agree on one thing agree on another: counted over integer codes, 0 for a missing cell."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from transformers.dependencies.dependency import MIN_GROUPS, MIN_SUPPORT, MIN_SUPPORT_SHARE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Codes = NDArray[np.int64]

COUNTED_CODES = 2  # possible codes a row: up to so many they are counted, more are sorted sooner
DIGITS = 9  # errors and confidences are rounded: sums in another order must not give other bytes


@dataclass(frozen=True)
class Agreement:
    error: float
    confidence: float
    support: int
    groups: int
    dispersion: float = 1.0  # of the exceptions over the groups: 1 as chance would strew them, more where they gather

    def is_evidence(self, rows: int) -> bool:
        return self.groups >= MIN_GROUPS and is_support(self.support, rows)


NONE = Agreement(error=1.0, confidence=0.0, support=0, groups=0)


def is_support(rows: int, whole: int) -> bool:
    return rows >= max(MIN_SUPPORT, whole * MIN_SUPPORT_SHARE)


def sharing(left: "Codes") -> int:
    """Rows that share their left side with another one: of no right side can more be evidence."""
    import numpy as np

    counts = np.bincount(left)[1:]
    return int(counts[counts > 1].sum())


def agreement(left: "Codes", right: "Codes") -> Agreement:
    """Over the rows in which both are present and the left one is shared by two rows or more."""
    import numpy as np

    present = (left > 0) & (right > 0)
    left, right = left[present], right[present]
    if not left.size:
        return NONE
    shared = np.bincount(left)[left] > 1
    left, right = left[shared], right[shared]
    if not left.size:
        return NONE
    width = int(right.max()) + 1
    pairs, counts = _counted(left * width + right, int(left.max()) * width + width)
    starts = np.flatnonzero(np.diff(pairs // width, prepend=-1))
    sizes = np.add.reduceat(counts, starts)
    most = np.maximum.reduceat(counts, starts)
    error = 1 - int(most.sum()) / left.size
    told = float((np.add.reduceat(counts.astype(np.float64) ** 2, starts) / sizes).sum()) / left.size
    chance = float(((np.bincount(right) / left.size) ** 2).sum())
    return Agreement(
        error=round(error, DIGITS),
        confidence=round(_explained(told, chance, left.size, len(starts)), DIGITS),
        support=int(left.size),
        groups=len(starts),
        dispersion=round(_dispersion(sizes - most, sizes, error), DIGITS),
    )


def _counted(pairs: "Codes", below: int) -> "tuple[Codes, Codes]":
    """The distinct ones in order, and how often each occurs: where there are few possible ones, without sorting."""
    import numpy as np

    if below > COUNTED_CODES * pairs.size:
        return np.unique(pairs, return_counts=True)
    counts = np.bincount(pairs, minlength=below)
    distinct = np.flatnonzero(counts)
    return distinct, counts[distinct]


def _dispersion(exceptions: "Codes", sizes: "Codes", error: float) -> float:
    """Pearson's: the variance of the exceptions of a group over the binomial one."""
    expected = sizes * error
    spread = float((expected * (1 - error)).sum())
    return float(((exceptions - expected) ** 2).sum()) / spread if spread else 1.0


def _explained(told: float, chance: float, rows: int, groups: int) -> float:
    """Mu: 1 - (1 - pdep(left → right)) / (1 - pdep(right)), corrected for the number of groups."""
    if chance >= 1 or rows <= groups:
        return 0.0
    return max(0.0, 1 - (1 - told) / (1 - chance) * (rows - 1) / (rows - groups))


def together(left: "Codes", right: "Codes") -> "Codes":
    """The codes of pairs; 0 where either is missing."""
    import numpy as np

    width = int(right.max(initial=0)) + 1
    pair = np.where((left > 0) & (right > 0), left * width + right, 0)
    below = int(left.max(initial=0)) * width + width
    if below > COUNTED_CODES * max(1, pair.size):
        return coded(pair)
    there = np.bincount(pair, minlength=below) > 0
    numbers = np.cumsum(there) - (1 if there[0] else 0)  # as `coded` numbers them: in order, 0 for what is missing
    numbered: Codes = numbers[pair]
    return numbered


def coded(values: "NDArray[np.generic]") -> "Codes":
    """Small codes from 0 (what is 0 in `values`) on."""
    import numpy as np

    distinct, codes = np.unique(values, return_inverse=True)
    first = 0 if distinct.size and distinct[0] == 0 else 1
    numbered: Codes = codes.astype(np.int64) + first
    return numbered
