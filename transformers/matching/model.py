"""Fellegi and Sunter's model, learnt without labels by expectation–maximisation over the patterns of agreement.

m is how often a level occurs among pairs of one entity, u among pairs of two. u starts from random pairs, of which
the few that may match are weighed out again; m is learnt from the candidates. Missing values say nothing. What goes
together among strangers too (a street and its city) counts once: see dependence.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transformers.matching.dependence import Dependence, learn_dependence
from transformers.matching.patterns import Patterns, level_shares

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ROUNDS = 25
STILL = 1e-4  # the largest change of an m at which the learning rests
PSEUDO_MATCHES = 2.0  # spread over a field's levels: none is ever impossible
FIRST_BELIEF = 0.4  # of m that stays what people expect of matches: without it, rows of one street become the "matches"
MOST_LOGIT = 30.0  # beyond it a probability is one


@dataclass(frozen=True)
class Model:
    """m and u by field and level, and the share of matches among all possible pairs."""

    m: "tuple[Floats, ...]"
    u: "tuple[Floats, ...]"
    prior: float
    dependence: Dependence

    def weights(self) -> "tuple[Floats, ...]":
        """Natural logarithms of m/u, by field and level."""
        import numpy as np

        return tuple(np.log(m / u) for m, u in zip(self.m, self.u, strict=True))

    def logits(self, patterns: Patterns) -> "Floats":
        import numpy as np

        total = np.full(len(patterns.counts), np.log(self.prior / (1 - self.prior)))
        for i, weight in enumerate(self.weights()):
            levels = patterns.levels[:, i]
            total += np.where(levels < 0, 0.0, weight[np.maximum(levels, 0)])
        return np.clip(total - self.dependence.surplus(patterns), -MOST_LOGIT, MOST_LOGIT)

    def posteriors(self, patterns: Patterns) -> "Floats":
        return sigmoid(self.logits(patterns))


def sigmoid(logits: "Floats") -> "Floats":
    import numpy as np

    probabilities: Floats = 1 / (1 + np.exp(-logits))
    return probabilities


def learn(
    candidates: Patterns, random: Patterns, sizes: Sequence[int], *, rows: int, possible: int, most_matches: int
) -> Model:
    """`sizes` are the numbers of levels; `possible` all the pairs there are, of which `most_matches` can match."""
    import numpy as np

    first = tuple(_first_m(size) for size in sizes)
    model = Model(first, _u(random, random.counts, sizes), min(0.2, 0.5 * rows / possible), Dependence(()))
    for _ in range(ROUNDS):
        matching = candidates.counts * model.posteriors(candidates)
        strangers = random.counts * (1 - model.posteriors(random))
        learnt = (level_shares(candidates, matching, i, size, PSEUDO_MATCHES) for i, size in enumerate(sizes))
        m = tuple((1 - FIRST_BELIEF) * now + FIRST_BELIEF * then for now, then in zip(learnt, first, strict=True))
        prior = float(np.clip(min(matching.sum(), most_matches) / possible, 1e-12, 0.5))
        moved = max(float(np.abs(now - then).max()) for now, then in zip(m, model.m, strict=True))
        dependence = learn_dependence(random, strangers, sizes)
        model = Model(m, _u(random, strangers, sizes), prior, dependence)
        if moved < STILL:
            break
    return model


def _u(random: Patterns, counts: "Floats", sizes: Sequence[int]) -> "tuple[Floats, ...]":
    return tuple(level_shares(random, counts, i, size, 1.0) for i, size in enumerate(sizes))


def _first_m(size: int) -> "Floats":
    """Most matches agree, the more the better, and some differ."""
    import numpy as np

    falling = np.concatenate([[0.1], 0.5 ** np.arange(size - 1, 0, -1)])
    shares: Floats = falling / falling.sum()
    return shares
