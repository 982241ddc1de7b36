"""How those rows of an entity that say otherwise lie: strewn as errors are, or in an order that means something.

A price that changes in June, a store that sells at its own price: rows that say otherwise there stand side by side, or
belong to the same few values of the second key. What is so varies with the second key; nobody is wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Codes = NDArray[np.int64]

MIN_MIXED = 8  # entities in dispute: fewer lie anyhow by accident
ORDERED = 0.25  # of the way from chance to one run for each value
LEAST_MIXED = 4  # entities in dispute that lie by accident
CLEARLY_ORDERED = 0.5  # in no other way
FEW_SOURCES = 0.25  # of those that could say otherwise
NEARLY_ALL = 0.1  # of the rows say otherwise at most, where an entity has one true value
HONEST = 0.3  # of its rows, a source may say otherwise: more, and it has values of its own
JUDGED = 5  # rows of a source
MIN_ROWS = 3  # of an entity that can be in an order


@dataclass(frozen=True)
class Dissent:
    """Of the rows of entities from what most rows of their entity say."""

    share: float
    mixed: int  # entities in dispute
    order: float  # 0: as chance would lay them; 1: equal ones side by side
    spread: float  # as if so many sources said otherwise, each as often
    could: int  # so many might have
    worst: float  # share of its rows in which one source says otherwise

    @property
    def varies(self) -> bool:
        """With the second key, visibly."""
        few = self.spread <= max(1.0, FEW_SOURCES * self.could) + 1e-9
        ordered = self.order > (ORDERED if self.mixed >= MIN_MIXED else CLEARLY_ORDERED)
        return self.mixed >= LEAST_MIXED and (ordered or few)

    @property
    def is_error(self) -> bool:
        """Where an entity has one true value, visibly."""
        return self.mixed >= MIN_MIXED and self.share <= NEARLY_ALL and self.worst <= HONEST and not self.varies


NONE = Dissent(share=0.0, mixed=0, order=0.0, spread=0.0, could=0, worst=0.0)


def dissent(entity: "Codes", source: "Codes", value: "Codes", orders: "Sequence[Codes]") -> Dissent:
    """`orders`: ways in which an entity's rows may follow each other, a rank for each row."""
    import numpy as np

    present = np.flatnonzero((entity > 0) & (source > 0) & (value > 0))
    e, s, v = entity[present], source[present], value[present]
    if not e.size:
        return NONE
    claims, claim, counts = np.unique(e * (int(v.max()) + 1) + v, return_inverse=True, return_counts=True)
    entity_of = claims // (int(v.max()) + 1)
    ranked = np.lexsort((-counts, entity_of))
    first = ranked[np.flatnonzero(np.diff(entity_of[ranked], prepend=-1))]
    most = np.zeros(len(claims), bool)
    most[first] = True
    odd = ~most[claim]
    sizes, values = np.bincount(e), np.bincount(entity_of)
    mixed = (values > 1) & (sizes >= MIN_ROWS)
    by_source, rows = np.bincount(s, odd), np.bincount(s)
    judged = rows >= JUDGED
    return Dissent(
        share=float(odd.mean()),
        mixed=int(mixed.sum()),
        order=max((_order(e, claim, counts, entity_of, mixed, rank[present]) for rank in orders), default=0.0),
        spread=float(by_source.sum() ** 2 / max(1.0, (by_source**2).sum())),
        could=int(min(odd.sum(), np.count_nonzero(rows))),
        worst=float((by_source[judged] / rows[judged]).max(initial=0.0)),
    )


def _order(  # noqa: PLR0917
    e: "Codes", claim: "Codes", counts: "Codes", entity_of: "Codes", mixed: "NDArray[np.bool_]", rank: "Codes"
) -> float:
    """Equal neighbours beyond those of a shuffled order, as a share of the most there could be."""
    import numpy as np

    sizes = np.bincount(e)
    laid = np.lexsort((rank, e))
    equal = (np.diff(claim[laid]) == 0) & mixed[e[laid]][1:]  # one claim is of one entity
    held = mixed[entity_of]
    expected = float((counts[held] * (counts[held] - 1) / sizes[entity_of[held]]).sum())
    most = float((counts[held] - 1).sum())  # each value in one run
    return (float(equal.sum()) - expected) / (most - expected) if most > expected else 0.0
