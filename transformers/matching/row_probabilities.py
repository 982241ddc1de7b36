"""How likely each record stands where it was put: with its fellows, or alone."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from transformers.matching.copies import Copies
from transformers.matching.model import sigmoid
from transformers.matching.pairs import Pairs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Standing:
    """Of each record: its probability, that of its copies, whether these are with it; and how many rows are not."""

    probability: "Floats"
    copied: "Floats"
    together: "Flags"
    apart: int = 0


def standing(labels: "Rows", pairs: Pairs, copies: Copies | None, bar: float) -> Standing:
    """A record's probability is that of its likeliest link to a fellow member; alone, that no link of it holds. Copies
    are together where they are sure, or where their record is one of a cluster.
    """
    import numpy as np

    within = labels[pairs.a] == labels[pairs.b]
    linked, rival = (_likeliest(len(labels), pairs, chosen) for chosen in (within, ~within))
    alone = (np.bincount(labels, minlength=len(labels)) == 1)[labels]
    copied, together = np.zeros(len(labels)), ~alone
    apart = 0
    if copies is not None:
        at = copies.records
        copied[at] = sigmoid(copies.logits)
        together[at] |= copies.sure(bar)
        joined = together[at]
        linked[at] = np.where(joined, np.maximum(linked[at], copied[at]), linked[at])
        rival[at] = np.where(joined, rival[at], np.maximum(rival[at], copied[at]))
        alone[at] &= ~joined
        apart = int((copies.rows[~joined] - 1).sum())
    return Standing(np.where(alone, 1 - rival, linked), copied, together, apart)


def _likeliest(rows: int, pairs: Pairs, chosen: "Flags") -> "Floats":
    """The probability of each record's likeliest pair of those chosen; 0 without one."""
    import numpy as np

    found = np.zeros(rows)
    for end in (pairs.a, pairs.b):
        np.maximum.at(found, end[chosen], pairs.probabilities[chosen])
    return found
