"""The one statistic that all of them share."""

import math
from collections.abc import Iterable, Mapping


def quantile(values: Iterable[float], share: float) -> float:
    """The least value that so large a share of them does not exceed: one that was seen, never a mean of two."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def in_milliseconds(seconds: Iterable[float]) -> Mapping[str, float]:
    """How they lie, for a figure's detail."""
    values = [1000 * value for value in seconds]
    shares = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99, "worst_ms": 1.0}
    return {"count": len(values)} | {name: round(quantile(values, share), 2) for name, share in shares.items()}
