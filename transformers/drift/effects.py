"""How far two distributions lie apart: effect sizes, which do not grow with the number of rows.

Counts come bin by bin, the baseline's and the primary's, as arrays. Where sampling alone would lift a figure, the
lift that is to be expected is told beside it.
"""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Values = NDArray[np.float64]

LEAST_EXPECTED = 5.0  # cells of chi-square; rarer ones are thrown together (Cochran 1954)


def ks_distance(baseline: "Counts", primary: "Counts") -> float:
    """Over ordered bins: exact at their edges."""
    import numpy as np

    apart = np.cumsum(baseline) / baseline.sum() - np.cumsum(primary) / primary.sum()
    return float(np.abs(apart).max())


def total_variation(baseline: "Counts", primary: "Counts") -> float:
    """The share of the rows that would have to change their bin."""
    import numpy as np

    return float(np.abs(baseline / baseline.sum() - primary / primary.sum()).sum() / 2)


def expected_variation(baseline: "Counts", primary: "Counts") -> float:
    """The total variation that two samples of one distribution show (mean of a half-normal, bin by bin)."""
    import numpy as np

    n, m = baseline.sum(), primary.sum()
    pooled = (baseline + primary) / (n + m)
    return float(np.sqrt(2 / math.pi * pooled * (1 - pooled) * (1 / n + 1 / m)).sum() / 2)


def population_stability(baseline: "Counts", primary: "Counts") -> float:
    """PSI less what sampling adds to it."""
    import numpy as np

    p, q = _smoothed(baseline, primary)
    found = float(((p - q) * np.log(p / q)).sum())
    return float(max(0.0, found - (len(p) - 1) * (1 / baseline.sum() + 1 / primary.sum())))


def jensen_shannon(baseline: "Counts", primary: "Counts") -> float:
    """The distance (the root of the divergence, in bits): 0 the same, 1 nothing in common."""
    import numpy as np

    p, q = _smoothed(baseline, primary)
    middle = (p + q) / 2
    divergence = ((p * np.log2(p / middle)).sum() + (q * np.log2(q / middle)).sum()) / 2
    return float(math.sqrt(max(0.0, divergence)))


def chi_square(baseline: "Counts", primary: "Counts") -> tuple[float, int]:
    """(statistic, degrees of freedom) of the two rows of counts, rare bins thrown together."""
    import numpy as np

    both = baseline + primary
    share = min(baseline.sum(), primary.sum()) / both.sum()
    rare = both * share < LEAST_EXPECTED
    counts = np.array([[*row[~rare], row[rare].sum()] for row in (baseline, primary)], dtype=float)
    counts = counts[:, counts.sum(axis=0) > 0]
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    return float(((counts - expected) ** 2 / expected).sum()), counts.shape[1] - 1


def cramers_v(statistic: float, rows: int) -> float:
    return min(1.0, math.sqrt(statistic / rows))


def wasserstein(baseline: "Values", primary: "Values") -> float:
    """The mean way a value has to go, in the baseline's standard deviations; of sorted samples.

    The outer half percent on both sides is left out: one stray value would be the whole distance.
    """
    import numpy as np

    places = np.linspace(0.005, 0.995, 500)
    old, new = np.quantile(baseline, places), np.quantile(primary, places)
    with np.errstate(all="ignore"):
        scale = old.std() or baseline.std()
        way = np.abs(old - new).mean()
        return float(way / scale) if scale > 0 and np.isfinite(way / scale) else float(way > 0)


def _smoothed(baseline: "Counts", primary: "Counts") -> "tuple[Values, Values]":
    """Shares of the filled bins, half a row of the smaller table added on both sides: a new bin is large and finite."""
    import numpy as np

    filled = (baseline + primary) > 0
    counts = np.stack([baseline[filled], primary[filled]])
    shares = counts / counts.sum(axis=1, keepdims=True) + 0.5 / counts.sum(axis=1).min()
    p, q = shares / shares.sum(axis=1, keepdims=True)
    return p, q
