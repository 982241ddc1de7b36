"""What the default rule weighs a cluster's values by: the sources' learned trust, or what errors the column shows.

Both give the log-probability of each candidate, so a group of fields that belong together can be chosen as one.
"""

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Protocol

from transformers.mastering.consensus import FLOOR, UNKNOWN, Cell, Consensus
from transformers.mastering.source_trust import Trust, learn_trust

UNKNOWN_SOURCE = ""


class Weigher(Protocol):
    name: str

    def weigh(self, column: int, cells: Sequence[Cell], sources: Sequence[Cell]) -> dict[Cell, float]:
        """Log-probabilities of the candidates, which together are certain."""

    def told_by(self, cells: Sequence[Cell], sources: Sequence[Cell]) -> Hashable:
        """Cells and sources for which it is the same are weighed the same, to the last bit."""

    def unopposed(self, column: int, said: Sequence[Cell]) -> float:
        """How likely a value is right that nobody contradicts. `said` are the sources of the rows that have it."""

    def alone(self, column: int) -> float:
        """The same for a single row's value, whoever says it."""


class ByTrust:
    name = "source_trust"

    def __init__(self, columns: Mapping[int, Sequence[tuple[Sequence[Cell], Sequence[Cell]]]]) -> None:
        """By column: the cells and the sources of each cluster."""
        self.trust: Trust = learn_trust(
            {column: [_votes(*cluster) for cluster in clusters] for column, clusters in columns.items()}
        )

    def weigh(self, column: int, cells: Sequence[Cell], sources: Sequence[Cell]) -> dict[Cell, float]:
        chances = self.trust.chances(column, _votes(cells, sources))
        return {value: math.log(chance) if chance else FLOOR for value, chance in chances.items()}

    def told_by(self, cells: Sequence[Cell], sources: Sequence[Cell]) -> Hashable:
        return tuple(cells), tuple(sources)

    def unopposed(self, column: int, said: Sequence[Cell]) -> float:
        of = self.trust.of
        return 1 - math.prod(1 - of.get((column, source or UNKNOWN_SOURCE), UNKNOWN) for source in said)

    def alone(self, column: int) -> float:
        known = [trust for (place, _), trust in sorted(self.trust.of.items()) if place == column]
        return sum(known) / len(known) if known else UNKNOWN


class ByErrors:
    name = "consensus"

    def __init__(self, columns: Mapping[int, Consensus]) -> None:
        self.columns = columns

    def weigh(self, column: int, cells: Sequence[Cell], sources: Sequence[Cell]) -> dict[Cell, float]:  # noqa: ARG002
        scores = self.columns[column].scores(cells)
        top = max(scores.values())
        total = top + math.log(sum(math.exp(max(FLOOR, score - top)) for score in scores.values()))
        return {value: score - total for value, score in scores.items()}

    def told_by(self, cells: Sequence[Cell], sources: Sequence[Cell]) -> Hashable:  # noqa: ARG002
        return tuple(Counter(cells).items())  # in the order of the rows, in which chances are summed

    def unopposed(self, column: int, said: Sequence[Cell]) -> float:
        """Wrong only where every row that speaks is wrong."""
        return 1 - (1 - self.alone(column)) ** len(said)

    def alone(self, column: int) -> float:
        return self.columns[column].rates.sound


def _votes(cells: Sequence[Cell], sources: Sequence[Cell]) -> list[tuple[str, Cell]]:
    return [(source or UNKNOWN_SOURCE, cell) for source, cell in zip(sources, cells, strict=True)]
