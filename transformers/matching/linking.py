"""Linking two sources: a record has at most one counterpart, so its candidates compete.

The probability of a pair is its odds against no match and against every other candidate of either record (a soft
assignment); the links are then taken from the likeliest down, each record once a source.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from transformers.matching.components import components

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.int64]

AT_ONCE = 100_000  # links as Python's numbers


def competing(a: "Rows", b: "Rows", source: "Rows", logits: "Floats") -> "Floats":
    """Probabilities under one match at most for each record and other source."""
    import numpy as np

    odds = np.exp(logits)
    sources = int(source.max(initial=0)) + 1
    rivals_a, rivals_b = a * sources + source[b], b * sources + source[a]
    size = len(source) * sources
    total = np.bincount(rivals_a, weights=odds, minlength=size) + np.bincount(rivals_b, weights=odds, minlength=size)
    probabilities: Floats = odds / (1 + total[rivals_a] + total[rivals_b] - odds)
    return probabilities


def one_to_one(a: "Rows", b: "Rows", source: "Rows", probabilities: "Floats", threshold: float) -> "Rows":
    """The positions of the links kept: the likeliest first, as long as no source is met twice in a cluster.

    One component after another: what is known of the members of all would not fit.
    """
    import numpy as np

    likely = np.flatnonzero(probabilities >= threshold)
    component = components(len(source), a[likely], b[likely])
    order = likely[np.lexsort((b[likely], a[likely], -probabilities[likely], component[a[likely]]))]
    ranked = (place for first in range(0, len(order), AT_ONCE) for place in order[first : first + AT_ONCE].tolist())
    kept = (
        place
        for _, some in groupby(ranked, key=lambda place: int(component[a[place]]))
        for place in _within(some, a, b, source)
    )
    return np.fromiter(kept, dtype=np.int64)


def _within(ranked: Iterable[int], a: "Rows", b: "Rows", source: "Rows") -> Iterator[int]:
    """The links kept of one component."""
    members: dict[int, list[int]] = {}
    for place in ranked:
        one, other = members.get(int(a[place]), [int(a[place])]), members.get(int(b[place]), [int(b[place])])
        if one is other or {int(source[r]) for r in one} & {int(source[r]) for r in other}:
            continue
        yield place
        both = one + other
        members |= dict.fromkeys(both, both)
