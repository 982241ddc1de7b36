"""What chance alone does between two samples of one distribution: p-values, and the share of a test in a table's level.

Distribution-free or asymptotic, in closed form, so that a figure costs nothing and is the same everywhere.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

COLUMNS_SHARING = 5  # at .05: one percent of false alarms a column at most, before effects are asked
WIDE = 100  # columns, from where more of them share: a few false alarms in a table are all that a reader bears
VALUES_SHARE = 0.5  # of a column's level: how its values are distributed is what is asked first
OTHER_TESTS = 4  # that can raise an alarm beside: range or new values, missing share, misfits, notation or pattern
SMALLEST_P = 1e-300  # a float's floor; below it nothing is told apart


@dataclass(frozen=True)
class Levels:
    """The chance of a false alarm that a test may have: `values` of the one of a column's values, `other` of others."""

    values: float
    other: float


def levels_of_tests(significance: float, columns: int) -> Levels:
    """The customer's level, shared out over a column's tests, and over the columns of a wide table."""
    column = significance / COLUMNS_SHARING / max(1.0, columns / WIDE)
    return Levels(values=column * VALUES_SHARE, other=column * (1 - VALUES_SHARE) / OTHER_TESTS)


def kolmogorov_p(distance: float, n: int, m: int) -> float:
    """The chance of a KS distance this large; conservative where values repeat."""
    root = math.sqrt(n * m / (n + m))
    x = (root + 0.12 + 0.11 / root) * distance  # Stephens 1970: good from a dozen values on
    if x < 0.2:  # noqa: PLR2004  the series does not settle there, and the answer is 1
        return 1.0
    series = sum((-1) ** (k - 1) * math.exp(-2 * (k * x) ** 2) for k in range(1, 101))
    return _bounded(2 * series)


def chi_square_p(statistic: float, freedom: int) -> float:
    """Wilson and Hilferty's cube root."""
    if freedom < 1 or statistic <= 0:
        return 1.0
    spread = 2 / (9 * freedom)
    z = ((statistic / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    return upper_p(z)


def proportions_p(a: int, n: int, b: int, m: int) -> float:
    """Two-sided, of two shares being one (pooled, with Yates' correction)."""
    pooled = (a + b) / (n + m)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    if not spread:
        return 1.0
    apart = max(0.0, abs(a / n - b / m) - 0.5 * (1 / n + 1 / m))
    return _bounded(2 * upper_p(apart / spread))


def never_seen_p(count: int, n: int, m: int) -> float:
    """Of `n` new values and `m` old ones, that the `count` beyond a point (or of a kind) should all be new.

    Exact under exchange and of no distribution: each of them is new with n / (n + m).
    """
    return _bounded(math.exp(max(-690.0, count * math.log(n / (n + m)))))


def upper_p(z: float) -> float:
    """Beyond `z` standard deviations of a normal distribution."""
    return _bounded(NormalDist().cdf(-z))


def _bounded(p: float) -> float:
    return min(1.0, max(p, SMALLEST_P))
