"""Records that hang together: connected components, without a loop over the pairs."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]
    Floats = NDArray[np.float64]


def components(rows: int, a: "Rows", b: "Rows") -> "Rows":
    """For each record the smallest record it is linked to, through others too."""
    import numpy as np

    label: Rows = np.arange(rows, dtype=np.int64)
    while len(a):
        one, other = label[a], label[b]
        apart = one != other
        if not apart.any():
            break
        a, b, one, other = a[apart], b[apart], one[apart], other[apart]
        np.minimum.at(label, np.maximum(one, other), np.minimum(one, other))
        label = _shortened(label)
    return label


def _shortened(label: "Rows") -> "Rows":
    """Every record points at its root."""
    while True:
        further = label[label]
        if (further == label).all():
            return label
        label = further


MOST_MEMBERS = 200  # of a component that is looked at pair by pair (20,000 pairs)
STRICTER = 2.0  # logits a round: how a larger one is taken apart first


def split_components(rows: int, a: "Rows", b: "Rows", logits: "Floats", bar: float) -> "tuple[Rows, int]":
    """Components of links from `bar` up; those too large only of their surer links. Also how many stay too large."""
    import numpy as np

    keep = logits >= bar
    a, b, logits = a[keep], b[keep], logits[keep]
    while True:
        labels = components(rows, a, b)
        large = np.bincount(labels, minlength=rows) > MOST_MEMBERS
        inside = large[labels[a]]
        if not inside.any() or bar > logits[inside].max():
            return labels, int(large.sum())
        bar += STRICTER
        keep = ~inside | (logits >= bar)
        a, b, logits = a[keep], b[keep], logits[keep]
