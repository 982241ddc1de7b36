"""Mean, variance, skew and kurtosis of weighted values, merged part by part without losing digits. Pure."""

import math
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Moments:
    """`mean` is the values'; the central sums m2, m3 and m4 are in powers of `scale`, which keeps them finite."""

    scale: float
    n: int = 0
    mean: float = 0.0
    m2: float = 0.0
    m3: float = 0.0
    m4: float = 0.0

    @classmethod
    def of(cls, values: Any, counts: Any, scale: float) -> Self:
        """`values` occur `counts` times; both are NumPy arrays, the values finite."""
        import numpy as np

        n, middle = int(counts.sum()), values[len(values) // 2]
        with np.errstate(all="ignore"):  # a range wider than a float shows as infinity, which the summary leaves out
            z = (values - middle) / scale
            shift = float((z * counts).sum() / n)
            z = z - shift
            z2 = z * z
            sums = [float((part * counts).sum()) for part in (z2, z2 * z, z2 * z2)]
        return cls(scale, n, float(middle) + shift * scale, *sums)

    def merged(self, other: "Moments") -> "Moments":
        """Of both parts together (Chan, Golub and LeVeque 1979; Pebay 2008 for the higher ones)."""
        if not self.n or not other.n:
            return other if other.n else self
        a, b = self.n, other.n
        n = a + b
        d = (other.mean - self.mean) / self.scale
        return Moments(
            scale=self.scale,
            n=n,
            mean=self.mean + d * self.scale * b / n,
            m2=self.m2 + other.m2 + d**2 * a * b / n,
            m3=self.m3 + other.m3 + d**3 * a * b * (a - b) / n**2 + 3 * d * (a * other.m2 - b * self.m2) / n,
            m4=self.m4
            + other.m4
            + d**4 * a * b * (a * a - a * b + b * b) / n**3
            + 6 * d**2 * (a * a * other.m2 + b * b * self.m2) / n**2
            + 4 * d * (a * other.m3 - b * self.m3) / n,
        )

    @property
    def variance(self) -> float | None:
        return self.m2 / (self.n - 1) * self.scale * self.scale if self.n > 1 else None

    @property
    def skewness(self) -> float | None:
        """Adjusted Fisher-Pearson, as in spreadsheets and pandas."""
        n = self.n
        if n < 3 or self.m2 <= 0:  # noqa: PLR2004  two points have no skew
            return None
        return float(n * math.sqrt(n - 1) / (n - 2) * self.m3 / self.m2**1.5)

    @property
    def kurtosis(self) -> float | None:
        """Excess, adjusted; nought for a normal distribution."""
        n = self.n
        if n < 4 or self.m2 <= 0:  # noqa: PLR2004  three points have no tails
            return None
        return (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * n * self.m4 / self.m2**2 - 3 * (n - 1))
