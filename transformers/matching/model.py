"""Fellegi and Sunter's model, learnt without labels by expectation–maximisation over the patterns of agreement.

m is how often a level occurs among pairs of one entity, u among pairs of two. u starts from random pairs, of which
the few that may match are weighed out again; m is learnt from the candidates. Missing values say nothing. What goes
together among strangers too (a street and its city) counts once: see dependence.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transformers.matching.dependence import Dependence, learn_dependence, most
from transformers.matching.patterns import Patterns, Seen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ROUNDS = 25
ALONE = 3  # rounds without the dependence: at first matches pass for strangers who agree in everything
SAME_LEVELS = 3  # of a field, at most: a rare, a usual and a common value
STILL = 1e-4  # the largest change of an m at which the learning rests
PSEUDO_MATCHES = 2.0  # spread over a field's levels: none is ever impossible
PSEUDO_PAIRS = 0.2  # of strangers, of all there are: levels that are never seen together say nothing of each other
FIRST_BELIEF = 0.2  # of m that stays what people expect of matches: without it, rows of one street become the "matches"
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

    drawn = float(random.counts.sum()) / possible
    first = tuple(_first_m(size) for size in sizes)
    u = _u([Seen(random, random.counts)], sizes)
    model = Model(first, u, min(0.2, 0.5 * rows / possible), Dependence(()))
    for place in range(ROUNDS):
        matching = candidates.counts * model.posteriors(candidates)
        strangers = (
            Seen(random, random.counts * (1 - model.posteriors(random))),
            Seen(candidates, (candidates.counts - matching) * drawn),
        )
        m = _m(Seen(candidates, matching), first)
        moved = max(float(np.abs(now - then).max()) for now, then in zip(m, model.m, strict=True))
        prior = float(np.clip(min(matching.sum(), most_matches) / possible, 1e-12, 0.5))
        dependence = learn_dependence(strangers, sizes, PSEUDO_PAIRS * drawn) if place >= ALONE else Dependence(())
        model = Model(m, _u(strangers, sizes), prior, dependence)
        if moved < STILL and place > ALONE:
            break
    return model


def _m(matching: Seen, first: "Sequence[Floats]") -> "tuple[Floats, ...]":
    learnt = (_shares(matching.by_level(i, len(then)), PSEUDO_MATCHES) for i, then in enumerate(first))
    return tuple((1 - FIRST_BELIEF) * now + FIRST_BELIEF * then for now, then in zip(learnt, first, strict=True))


def _u(strangers: Sequence[Seen], sizes: Sequence[int]) -> "tuple[Floats, ...]":
    """Random pairs show what is common; of what is rare the candidates hold nearly all there is."""
    return tuple(_shares(most([s.by_level(i, size) for s in strangers]), 1.0) for i, size in enumerate(sizes))


def _shares(counts: "Floats", pseudo: float) -> "Floats":
    shares: Floats = (counts + pseudo / len(counts)) / (counts.sum() + pseudo)
    return shares


def _first_m(size: int) -> "Floats":
    """Most matches agree, the more the better, and some differ; the topmost levels are all one and the same value."""
    import numpy as np

    falling = 0.6 ** np.maximum(np.arange(size - 1, 0, -1) - SAME_LEVELS, 0)
    shares: Floats = np.concatenate([[0.1], 0.9 * falling / falling.sum()])
    return shares
