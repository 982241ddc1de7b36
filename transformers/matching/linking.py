"""Linking two sources: a record has at most one counterpart, so its candidates compete.

The probability of a pair is its odds against no match and against every other candidate of either record (a soft
assignment); the links are then taken from the likeliest down, each record once a source.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.int64]


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
    """The positions of the links kept: the likeliest first, as long as no source is met twice in a cluster."""
    import numpy as np

    kept: list[int] = []
    members: dict[int, list[int]] = {}
    order = np.lexsort((b, a, -probabilities))
    for place in order[probabilities[order] >= threshold].tolist():
        one, other = members.get(int(a[place]), [int(a[place])]), members.get(int(b[place]), [int(b[place])])
        if one is other or {int(source[r]) for r in one} & {int(source[r]) for r in other}:
            continue
        kept.append(place)
        both = one + other
        members |= dict.fromkeys(both, both)
    return np.array(kept, dtype=np.int64)
