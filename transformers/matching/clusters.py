"""Clusters from links: connected components, then each taken apart where its members do not hang together.

One wrong link joins two entities in a component. Within it every pair is judged, also those that blocking never
proposed, and clusters grow again from the likeliest pair, as long as the average evidence between two speaks for one
entity (average linkage, in logits).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.int64]

STRANGERS = -10.0  # the logit of two members that nobody compared


def members_of(labels: "Rows", at_least: int) -> "Iterator[Rows]":
    """The records of each component, smallest first."""
    import numpy as np

    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    sizes = np.diff(starts, append=len(order))
    for start, size in zip(starts[sizes >= at_least].tolist(), sizes[sizes >= at_least].tolist(), strict=True):
        yield order[start : start + size]


def refine(labels: "Rows", a: "Rows", b: "Rows", logits: "Floats", bar: float) -> "Rows":
    """Labels anew, the smallest record each; `bar` is the average logit from which two clusters are one."""
    import numpy as np

    inside = labels[a] == labels[b]
    a, b, logits = a[inside], b[inside], logits[inside]
    order = np.argsort(labels[a], kind="stable")
    a, b, logits = a[order], b[order], logits[order]
    component = labels[a]
    refined = labels.copy()
    for members in members_of(labels, 3):
        first, last = np.searchsorted(component, [members[0], members[0] + 1])
        evidence = np.full((len(members), len(members)), STRANGERS)
        one, other = np.searchsorted(members, a[first:last]), np.searchsorted(members, b[first:last])
        evidence[one, other] = evidence[other, one] = logits[first:last]
        refined[members] = members[average_linkage(evidence, bar)]
    return refined


def average_linkage(evidence: "Floats", bar: float) -> "Rows":
    """For each member the first member of its cluster."""
    import numpy as np

    size = len(evidence)
    average = evidence.copy()
    np.fill_diagonal(average, -np.inf)
    weight = np.ones(size)
    cluster = np.arange(size)
    for _ in range(size - 1):
        one, other = sorted(divmod(int(average.argmax()), size))
        if average[one, other] < bar:
            break
        joined = (weight[one] * average[one] + weight[other] * average[other]) / (weight[one] + weight[other])
        average[one], average[:, one] = joined, joined
        average[other], average[:, other] = -np.inf, -np.inf
        average[one, one] = -np.inf
        weight[one] += weight[other]
        cluster[cluster == other] = one
    return cluster
