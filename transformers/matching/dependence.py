"""What goes together among strangers too: a street and its city, a title's words and its authors.

Fellegi and Sunter take the fields for independent; where two pairs of values agree together by nature, that counts
their evidence twice. A tree over the fields (Chow and Liu: the most telling pairs of fields, without a ring) says how
much too much, and it is taken off again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from transformers.matching.patterns import Patterns, Seen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Edge:
    """For each level of two fields, how much likelier they come together than apart (natural logarithm)."""

    one: int
    other: int
    surplus: "Floats"


@dataclass(frozen=True)
class Dependence:
    edges: tuple[Edge, ...]

    def surplus(self, patterns: Patterns) -> "Floats":
        import numpy as np

        total = np.zeros(len(patterns.counts))
        for edge in self.edges:
            one, other = patterns.levels[:, edge.one], patterns.levels[:, edge.other]
            known = (one >= 0) & (other >= 0)
            total[known] += edge.surplus[one[known], other[known]]
        return total


def learn_dependence(strangers: Sequence[Seen], sizes: Sequence[int], pseudo_pairs: float) -> Dependence:
    """From pairs of strangers, seen in more than one way."""
    pairs = combinations(range(len(sizes)), 2)
    tables = {pair: most([_together(seen, pair, sizes) for seen in strangers]) for pair in pairs}
    found = {pair: _surplus(table, pseudo_pairs) for pair, table in tables.items()}
    telling = {pair: float((tables[pair] * found[pair]).sum()) for pair in tables}
    return Dependence(tuple(Edge(*pair, found[pair]) for pair in _tree(telling, len(sizes))))


def most(counts: "Sequence[Floats]") -> "Floats":
    """Of several counts of the same, each blind to some of it, the largest, cell by cell."""
    import numpy as np

    largest: Floats = np.max(np.stack(counts), axis=0)
    return largest


def _together(seen: Seen, pair: tuple[int, int], sizes: Sequence[int]) -> "Floats":
    import numpy as np

    one, other = seen.patterns.levels[:, pair[0]], seen.patterns.levels[:, pair[1]]
    known = (one >= 0) & (other >= 0)
    wide = sizes[pair[1]]
    cells = one[known].astype(np.int64) * wide + other[known]
    found = np.bincount(cells, weights=seen.counts[known], minlength=sizes[pair[0]] * wide).astype(np.float64)
    return found.reshape(sizes[pair[0]], wide)


def _surplus(table: "Floats", pseudo_pairs: float) -> "Floats":
    import numpy as np

    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / max(float(table.sum()), 1.0)
    surplus: Floats = np.log((table + pseudo_pairs) / (expected + pseudo_pairs))
    return surplus


def _tree(telling: dict[tuple[int, int], float], fields: int) -> Iterator[tuple[int, int]]:
    """Prim's: from the first field on, always the most telling pair that reaches a new one."""
    reached = {0}
    while len(reached) < fields:
        outward = [pair for pair in telling if (pair[0] in reached) != (pair[1] in reached)]
        best = max(outward, key=lambda pair: (telling[pair], -pair[0], -pair[1]))
        reached |= set(best)
        yield best
