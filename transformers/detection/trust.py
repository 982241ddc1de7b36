"""Truth and trust, estimated together and without labels (after TruthFinder and Accu).

A source's vote on one attribute weighs what it has earned on the *other* attributes: on its own attribute a camp of
copiers would vouch for itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Codes = NDArray[np.int64]
    Figures = NDArray[np.float64]

ROUNDS = 20  # it settles in fewer
FIRST_TRUST = 0.8
WRONG_VALUES = 10  # as many ways to be wrong as Accu takes
HUMBLE = 0.5  # what a lead is worth whose supporters deserve less trust than a rival's
FULL_SUPPORT = 0.9  # quantile of the winners: who could speak has spoken
LEAST, MOST = 0.02, 0.99  # trust: nobody is always wrong, nobody always right


@dataclass(frozen=True)
class Claims:
    """Of one attribute: which source (codes) claims which value (codes within the entity's values)."""

    rows: "Codes"
    source: "Codes"
    claim: "Codes"  # the code of (entity, value)
    entity_of_claim: "Codes"
    known: "Figures"  # in log odds: what a person has said of the claim


def truths(claims: Sequence[Claims], sources: int) -> "list[tuple[Codes, Figures]]":
    """For each attribute: the winning claim of each entity (-1: none), and how sure that is."""
    import numpy as np

    trust = [np.full(sources, FIRST_TRUST) for _ in claims]
    for _ in range(ROUNDS):
        odds = [_odds(c, t) for c, t in zip(claims, trust, strict=True)]
        likely = [_likely(c, o) for c, o in zip(claims, odds, strict=True)]
        right = [_counted(c.source, p[c.claim], sources) for c, p in zip(claims, likely, strict=True)]
        said = [_counted(c.source, None, sources) for c in claims]
        trust = [_trust(right, said, place) for place in range(len(claims))]
    return [_winners(c, t) for c, t in zip(claims, trust, strict=True)]


def _counted(codes: "Codes", weights: "Figures | None", size: int) -> "Figures":
    import numpy as np

    return np.bincount(codes, weights, size).astype(np.float64)


def _odds(claims: Claims, trust: "Figures") -> "Figures":
    import numpy as np

    weight = np.log(WRONG_VALUES * trust / (1 - trust))
    return np.bincount(claims.claim, weight[claims.source], len(claims.entity_of_claim)) + claims.known


def _likely(claims: Claims, odds: "Figures") -> "Figures":
    """Within each entity: the probability of each claim."""
    import numpy as np

    starts = np.flatnonzero(np.diff(claims.entity_of_claim, prepend=-1))
    lengths = np.diff(np.append(starts, len(odds)))
    power = np.exp(odds - np.repeat(np.maximum.reduceat(odds, starts), lengths))
    likely: Figures = power / np.repeat(np.add.reduceat(power, starts), lengths)
    return likely


def _trust(right: "Sequence[Figures]", said: "Sequence[Figures]", place: int) -> "Figures":
    """From the other attributes; from its own where there is no other."""
    import numpy as np

    others = [i for i in range(len(right)) if i != place] or [place]
    earned = sum(right[i] for i in others) + 2 * FIRST_TRUST
    return np.clip(earned / (sum(said[i] for i in others) + 2), LEAST, MOST)


def _winners(claims: Claims, trust: "Figures") -> "tuple[Codes, Figures]":
    """The claim with the best odds, and how sure that is.

    What is contested is believed as far as the winner leads, as trusted sources speak at all, and not much where its
    supporters deserve less trust than a rival's. Silence of the trusted is no consent.
    """
    import numpy as np

    weight = np.maximum(0, np.log(trust / (1 - trust)))
    count = len(claims.entity_of_claim)
    said = np.bincount(claims.claim, minlength=count)
    support = np.bincount(claims.claim, weight[claims.source], count)
    mean = np.bincount(claims.claim, trust[claims.source], count) / said
    order = np.lexsort((np.arange(count), -_odds(claims, trust), claims.entity_of_claim))
    starts = np.flatnonzero(np.diff(claims.entity_of_claim[order], prepend=-1))
    best = order[starts]
    rivals = support.copy(), mean.copy()
    for figures in rivals:
        figures[best] = 0.0
    strongest, worthiest = (np.maximum.reduceat(figures[order], starts) for figures in rivals)
    lead = np.maximum(0, support[best] - strongest) / np.maximum(1.0, support[best])
    lead[worthiest > mean[best]] *= HUMBLE
    spoken = np.minimum(1.0, support[best] / max(1.0, float(np.quantile(support[best], FULL_SUPPORT))))
    contested = 1 - float((said[best] / np.add.reduceat(said[order], starts)).mean())
    winner = np.full(int(claims.entity_of_claim.max()) + 1, -1)
    sure = np.zeros(len(winner))
    winner[claims.entity_of_claim[best]] = best
    sure[claims.entity_of_claim[best]] = 1 - contested * (1 - lead * spoken)
    return winner, sure
