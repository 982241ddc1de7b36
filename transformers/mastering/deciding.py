"""The fields of a part's clusters, decided: at once where nobody contradicts, one by one where somebody does.

Most cells of an entity agree: for them, arrays of all the clusters are counted, and no text is looked at.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from transformers.mastering.consensus import Cell
from transformers.mastering.contested import MOST_KNOWN, Arbiter, Contested
from transformers.mastering.decision import AGREED, OF_THE_ROW, ONLY_VALUE, Decision, Policy
from transformers.mastering.decision_lines import Fields
from transformers.mastering.members import Part
from transformers.mastering.rules import Rule
from transformers.mastering.weighing import Weigher

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.int64]

MOST_SOURCES = 20  # of one value, that are looked up as a whole


class Deciding:
    def __init__(self, policy: Policy, weigher: Weigher, ranks: Mapping[str, int]) -> None:
        self._policy, self._weigher = policy, weigher
        self._arbiter = Arbiter(policy, weigher, ranks)
        self._sure: dict[Hashable, float] = {}

    def fields(self, part: Part) -> Fields:
        found = Fields(part)
        sources = None if self._policy.source is None else part.cells[self._policy.source][:]
        for column in range(len(part.cells)):
            for cluster in self._uncontested(part, column, found, sources):
                found.put(cluster, column, Contested(self._arbiter, part, cluster).decide(column))
        for group in self._policy.groups:
            self._put_together(part, group, found)
        return found

    def _uncontested(self, part: Part, column: int, found: Fields, sources: list[Cell] | None) -> list[int]:
        """Decide what nobody contradicts; the clusters that are left."""
        import numpy as np

        codes = part.cells[column].codes
        told = np.add.reduceat((codes >= 0).astype(np.int64), part.starts)
        if column in self._policy.of_rows:
            place = np.where(codes[part.starts] >= 0, 0, -1)
            found.put_all(
                slice(None), column, OF_THE_ROW, place=place, told=told, values=np.minimum(told, 1), confidence=1.0
            )
            return []
        highest = np.maximum.reduceat(codes, part.starts)
        lowest = np.minimum.reduceat(np.where(codes < 0, np.iinfo(codes.dtype).max, codes), part.starts)
        one = (told > 0) & (lowest == highest)
        if self._policy.rule(column) is Rule.QUALITY_SCORE:  # most say nothing: perhaps there is nothing to say
            one &= 2 * told >= part.sizes
        rows = np.where(codes >= 0, np.arange(len(codes)), len(codes))
        first = np.minimum.reduceat(rows, part.starts) - part.starts
        for chosen, rule in ((one & (told > 1), AGREED), (one & (told == 1), ONLY_VALUE)):
            at = np.flatnonzero(chosen)
            sure = self._sureness(part, column, at, told[at], sources)
            found.put_all(at, column, rule, place=first[at], told=told[at], values=1, confidence=sure)
        return [int(cluster) for cluster in np.flatnonzero((told > 0) & ~one)]

    def _sureness(self, part: Part, column: int, at: "Places", told: "Places", sources: list[Cell] | None) -> Any:
        """The confidence in values that nobody contradicts, by who says them."""
        import numpy as np

        if sources is None:
            counts, which = np.unique(told, return_inverse=True)
            return np.array([self._sure_of(column, [None] * n) for n in counts.tolist()] or [1.0])[which]
        codes = part.cells[column].codes
        found = []
        for start, size in zip(part.starts[at].tolist(), part.sizes[at].tolist(), strict=True):
            here = slice(start, start + size)
            said = [source for source, code in zip(sources[here], codes[here].tolist(), strict=True) if code >= 0]
            found.append(self._sure_of(column, said))
        return np.array(found, np.float64)

    def _sure_of(self, column: int, said: Sequence[Cell]) -> float:
        if len(said) > MOST_SOURCES:
            return round(self._weigher.unopposed(column, said), 4)
        asked = column, *said
        known = self._sure.get(asked)
        if known is None:
            if len(self._sure) >= MOST_KNOWN:
                self._sure.clear()
            known = self._sure[asked] = round(self._weigher.unopposed(column, said), 4)
        return known

    def _put_together(self, part: Part, group: Sequence[int], found: Fields) -> None:
        """Where the winners of a group's fields never stood side by side in any row, though some row has them all."""
        import numpy as np

        of_cluster = np.repeat(np.arange(len(part.starts)), part.sizes)
        whole = np.ones(len(part.rows), bool)
        same = np.ones(len(part.rows), bool)
        for column in group:
            codes = part.cells[column].codes
            whole &= codes >= 0
            same &= codes == found.winners(column)[of_cluster]
        apart = np.logical_or.reduceat(whole, part.starts) & ~np.logical_or.reduceat(whole & same, part.starts)
        for cluster in np.flatnonzero(apart).tolist():
            chosen = [found.get(cluster, column) for column in group]
            together: list[Decision] = Contested(self._arbiter, part, cluster).together(group, chosen)
            for column, decision in zip(group, together, strict=True):
                found.put(cluster, column, decision)
