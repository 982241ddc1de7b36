"""From what the model believes to probabilities that hold, and the threshold that follows from them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

STEPS = 50
SLOPE_SPREAD = 0.5  # how far labels usually bend the model's logits: a normal belief around slope 1 and shift 0
SHIFT_SPREAD = 2.0


@dataclass(frozen=True)
class Cut:
    """Where links begin, and what the probabilities promise of it."""

    threshold: float
    precision: float
    recall: float


def bent(logits: "Floats", truth: "Floats") -> tuple[float, float]:
    """Slope and shift for the logits, from pairs that stewards judged (Platt, held near 1 and 0: labels are few)."""
    import numpy as np

    beta = np.array([1.0, 0.0])
    belief = np.diag([1 / SLOPE_SPREAD**2, 1 / SHIFT_SPREAD**2])
    inputs = np.column_stack([logits, np.ones_like(logits)])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(inputs @ beta, -30, 30)))
        gradient = inputs.T @ (p - truth) + belief @ (beta - [1.0, 0.0])
        curvature = (inputs.T * (p * (1 - p))) @ inputs + belief
        step = np.linalg.solve(curvature, gradient)
        beta = beta - np.clip(step, -1, 1)
    return max(float(beta[0]), 0.05), float(beta[1])


def best_cut(probabilities: "Floats", threshold: float | None) -> Cut:
    """The threshold of the highest expected F1, or what a given one is expected to give."""
    import numpy as np

    ranked = np.sort(probabilities)[::-1]
    total = max(float(ranked.sum()), 1e-12)
    right = np.cumsum(ranked)
    if not len(ranked):
        return Cut(0.5 if threshold is None else threshold, 1.0, 1.0)
    if threshold is None:
        taken = int((2 * right / (np.arange(1, len(ranked) + 1) + total)).argmax()) + 1
        below = float(ranked[taken]) if taken < len(ranked) else 0.0
        threshold = (float(ranked[taken - 1]) + below) / 2
    taken = int((probabilities >= threshold).sum())
    if not taken:
        return Cut(threshold, 1.0, 0.0)
    return Cut(threshold, float(right[taken - 1] / taken), float(right[taken - 1] / total))
