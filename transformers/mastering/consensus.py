"""What a cluster's rows most likely meant: a noisy channel from the true value to what each row says.

A value's chance is how common it is in the rest of its column, times the chance of every cell given it: written
right, left out, mistyped by some edits, or another value altogether. How often each happens in a column is learned
from the clusters themselves, starting from their majority. The candidates are the values the cluster's rows hold, and
nothing: where almost every row that should say something does, a row that says something against many that say
nothing is the odd one.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from transformers.mastering.text_model import TextModel

ROUNDS = 3  # the rates hardly move after the second
EDITS = 3  # beyond three edits a value is another value
CANDIDATES = 40  # the most frequent values of a cluster; a column with more in one cluster has no consensus
ALTERNATIVES = 50  # ways to make one edit at a place of a text: a letter put, taken, replaced or exchanged
FLOOR = -300.0  # a log-probability that no sum of ours turns into an underflow
UNKNOWN = 0.8  # how often a cell is right of which nothing is known yet; most are right more often than not
UNKNOWN_CELLS = 2.5  # and as many cells of the column outweigh that
Cell = str | None


@dataclass(frozen=True)
class Rates:
    """How often a cell of the column is what, given the true value; `left_empty` where there is none."""

    right: float
    missing: float
    edited: tuple[float, ...]  # by one, two, three edits
    other: float
    left_empty: float
    nothing: float  # how often there is no true value
    sound: float  # how often a cell that says something is right


@dataclass(frozen=True)
class Decided:
    value: Cell
    confidence: float


class Consensus:
    """One column's model. `clusters` are its cells by cluster, `alone` those of rows that match no other."""

    def __init__(self, clusters: Sequence[Sequence[Cell]], alone: Iterable[Cell] = ()) -> None:
        groups = [{cell for cell in cells if cell} for cells in clusters] + [{cell} for cell in alone if cell]
        self._of = len(groups) or 1
        self._holding = Counter(value for group in groups for value in group)
        self._text = TextModel(groups)
        self.rates = self._learned([cells for cells in clusters if len(cells) > 1])

    def _learned(self, clusters: Iterable[Sequence[Cell]]) -> Rates:
        """Clusters that say the same in the same order are decided once a round."""
        alike = Counter(tuple(cells) for cells in clusters)
        self.rates = _rates((cells, majority(cells), n) for cells, n in alike.items())
        for _ in range(ROUNDS - 1):
            self.rates = _rates((cells, self.decide(cells).value, n) for cells, n in alike.items())
        return self.rates

    def decide(self, cells: Sequence[Cell]) -> Decided:
        """The likeliest value and its probability among the candidates; of equals the more frequent, then the first."""
        scores = self.scores(cells)
        best = max(scores, key=lambda value: (scores[value], value is not None, value or ""))
        total = sum(math.exp(max(FLOOR, score - scores[best])) for score in scores.values())
        return Decided(best, 1 / total)

    def scores(self, cells: Sequence[Cell]) -> dict[Cell, float]:
        """The log-probability of each candidate together with what the cells say."""
        said = Counter(cells)
        most = sorted((cell for cell in said if cell), key=lambda value: (-said[value], value))[:CANDIDATES]
        priors = {value: self._prior(value) for value in most}
        looked_at = {cell: n for cell, n in said.items() if cell is None or cell in priors}
        return {value: self._score(value, looked_at, priors) for value in [*most, None]}

    def _score(self, value: Cell, said: Mapping[Cell, int], priors: Mapping[str, float]) -> float:
        nothing = self.rates.nothing
        score = math.log(nothing) if value is None else math.log(1 - nothing) + priors[value]
        return score + sum(n * self._chance(cell, value, priors) for cell, n in said.items())

    def _prior(self, value: str) -> float:
        """Half by how many other clusters hold it, half by how the column's values are spelled."""
        elsewhere = max(self._holding[value] - 1, 0) / self._of
        return math.log(0.5 * elsewhere + 0.5 * math.exp(max(FLOOR, self._text.log_probability(value))))

    def _chance(self, cell: Cell, value: Cell, priors: Mapping[str, float]) -> float:
        """The log-probability that a row says `cell` where `value` is true."""
        rates = self.rates
        if value is None:
            return math.log(rates.left_empty) if cell is None else math.log(1 - rates.left_empty) + priors[cell]
        if cell == value:
            return math.log(rates.right)
        if cell is None:
            return math.log(rates.missing)
        chance = rates.other * math.exp(priors[cell])
        edits = edits_between(cell, value)
        if edits:
            chance += rates.edited[edits - 1] / (ALTERNATIVES * max(3, len(value))) ** edits
        return max(FLOOR, math.log(chance)) if chance > 0 else FLOOR


def edits_between(cell: str, value: str) -> int:
    """One to three letters put, taken, replaced or exchanged; 0 where it takes more than that or half the value."""
    from rapidfuzz.distance import OSA

    edits = int(OSA.distance(cell, value, score_cutoff=EDITS))
    return edits if edits <= min(EDITS, max(1, len(value) // 2)) else 0


def majority(cells: Sequence[Cell]) -> Cell:
    """The most frequent value; of equally frequent ones the medoid: the least edits away from all the others."""
    from rapidfuzz.distance import Levenshtein

    said = Counter(cell for cell in cells if cell)
    if not said:
        return None
    most = max(said.values())
    first = sorted(value for value, n in said.items() if n == most)[:CANDIDATES]
    others = said.most_common(CANDIDATES)
    if len(first) == 1:
        return first[0]
    return min(first, key=lambda value: (sum(n * Levenshtein.distance(value, other) for other, n in others), value))


def _rates(decided: Iterable[tuple[Sequence[Cell], Cell, int]]) -> Rates:
    """Counted over decided clusters, so many of each; half a case more of each kind: nothing is impossible."""
    kinds: Counter[str] = Counter()
    for cells, value, n in decided:
        kinds["nothing" if value is None else "something"] += n
        for cell in cells:
            kinds[_kind(cell, value)] += n
    said = sum(kinds[kind] for kind in ("right", "1", "2", "3", "other"))
    told = said + kinds["missing"] + 3
    return Rates(
        right=(kinds["right"] + 0.5) / told,
        missing=(kinds["missing"] + 0.5) / told,
        edited=tuple((kinds[str(n)] + 0.5) / told for n in range(1, EDITS + 1)),
        other=(kinds["other"] + 0.5) / told,
        left_empty=(kinds["empty"] + 2) / (kinds["empty"] + kinds["put"] + 3),
        nothing=(kinds["nothing"] + 1) / (kinds["nothing"] + kinds["something"] + 2),
        sound=(kinds["right"] + UNKNOWN * UNKNOWN_CELLS) / (said + UNKNOWN_CELLS),
    )


def _kind(cell: Cell, value: Cell) -> str:
    if value is None:
        return "empty" if cell is None else "put"
    if cell == value:
        return "right"
    if cell is None:
        return "missing"
    return str(edits_between(cell, value) or "other")
