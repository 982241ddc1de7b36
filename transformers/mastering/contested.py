"""The fields of one cluster whose rows say different things, or of which most say nothing where the others do."""

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from transformers.mastering.consensus import Cell
from transformers.mastering.decision import TOGETHER, Decision, Policy
from transformers.mastering.members import Part
from transformers.mastering.rules import PICK, Rows, Rule, agreement
from transformers.mastering.weighing import Weigher

MOST_KNOWN = 5_000  # weighed cells that are kept: the few that a column of categories is made of come again and again
LONGEST_KNOWN = 200  # characters of them, so that those kept take a few MB
Weighed = tuple[Cell, float]  # the value that won, its probability


@dataclass(frozen=True)
class Arbiter:
    """What is the same for all clusters. Cells that were weighed once are not weighed again."""

    policy: Policy
    weigher: Weigher
    ranks: Mapping[str, int]  # of sources, the most trusted first
    _known: dict[Hashable, Weighed] = field(default_factory=dict)

    def weighed(self, column: int, cells: Sequence[Cell], sources: Sequence[Cell]) -> Weighed:
        if sum(len(cell) for cell in cells if cell) > LONGEST_KNOWN:
            return self._weigh(column, cells, sources)
        asked = column, self.weigher.told_by(cells, sources)
        known = self._known.get(asked)
        if known is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            known = self._known[asked] = self._weigh(column, cells, sources)
        return known

    def _weigh(self, column: int, cells: Sequence[Cell], sources: Sequence[Cell]) -> Weighed:
        scores = self.weigher.weigh(column, cells, sources)
        best = max(scores, key=lambda value: (scores[value], value is not None, value or ""))
        return best, math.exp(scores[best])


class Contested:
    """One cluster of a part."""

    def __init__(self, arbiter: Arbiter, part: Part, cluster: int) -> None:
        start, self._size = int(part.starts[cluster]), int(part.sizes[cluster])
        self._arbiter, self._part, self._here = arbiter, part, slice(start, start + self._size)

    def cells(self, column: int) -> list[Cell]:
        return self._part.cells[column][self._here]

    @property
    def _sources(self) -> list[Cell]:
        source = self._arbiter.policy.source
        return [None] * self._size if source is None else self.cells(source)

    def decide(self, column: int) -> Decision:
        cells, rule = self.cells(column), self._arbiter.policy.rule(column)
        said = Counter(cell for cell in cells if cell is not None)
        if rule is Rule.QUALITY_SCORE:
            best, confidence = self._arbiter.weighed(column, cells, self._sources)
            place = None if best is None else self._holder(cells, best)
        else:
            place = PICK[rule](self._rows(column))
            confidence = agreement(cells, cells[place])
        return Decision(place, rule.value, confidence, said.total(), len(said))

    def _holder(self, cells: Sequence[Cell], value: str) -> int:
        """The row of the most trusted source that says so, else the first."""
        sources = self._sources
        holders = [i for i, cell in enumerate(cells) if cell == value]
        return min(holders, key=lambda i: (self._rank(sources[i]), i))

    def _rank(self, source: Cell) -> int:
        return self._arbiter.ranks.get(source or "", len(self._arbiter.ranks))

    def _rows(self, column: int) -> Rows:
        cells, part = self.cells(column), self._part
        return Rows(
            cells=cells,
            filled=part.filled[self._here].tolist(),
            ranks=[self._rank(source) for source in self._sources],
            times=part.times[self._here],
            keys=part.keys[column][self._here] if column in part.keys else cells,
        )

    def together(self, group: Sequence[int], found: Sequence[Decision]) -> list[Decision]:
        """The fields of a group from the row whose cells have the most support, of those that have them all."""
        cells = [self.cells(column) for column in group]
        weighed = [
            self._arbiter.weigher.weigh(column, own, self._sources) for column, own in zip(group, cells, strict=True)
        ]

        def support(row: int) -> float:
            return sum(
                scores.get(own[row], min(scores.values(), default=0.0))
                for scores, own in zip(weighed, cells, strict=True)
            )

        whole = [row for row in range(self._size) if all(own[row] is not None for own in cells)]
        best = max(whole, key=lambda row: (support(row), -row))
        return [
            Decision(best, one.rule.removesuffix(TOGETHER) + TOGETHER, agreement(own, own[best]), one.told, one.values)
            for own, one in zip(cells, found, strict=True)
        ]
