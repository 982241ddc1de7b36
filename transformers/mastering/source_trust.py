"""How far each source is to be trusted, column by column, learned from how sources agree; nobody tells the truth first.

Expectation and maximisation: a value is as likely as the sources that say it are reliable, and a source is as
reliable as its values are likely. Sources that fail alike can outvote the truth in a disputed column, so the columns
are solved from the clearest to the most disputed, and the trust a source earned in the clear ones is what it starts
with in the next. A cell that contains another source's value and more ("7:10 (estimated)") speaks for that value, by
half; and of equally supported values the one written as the column usually writes is preferred.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from transformers.mastering.consensus import UNKNOWN, Cell, Decided

ROUNDS = 10
FALSE_VALUES = 10  # how many wrong values compete with the right one, on average
PRIOR_CELLS = 10  # a source's record elsewhere weighs as much as this many cells of the column
STEADY_CELLS = 5  # and the mean of all sources as much as this many of its record
WITHIN = 0.5  # what a cell's vote is worth for a value that it contains
CANDIDATES = 40
Vote = tuple[str, Cell]  # source, value


@dataclass
class Trust:
    """By column: how likely a source's cell is right; how often the column's values have a shape."""

    of: dict[tuple[int, str], float] = field(default_factory=dict)
    shapes: dict[int, Counter[str]] = field(default_factory=dict)
    disputed: Counter[str] = field(default_factory=Counter)  # cells of each source that not all others confirm

    def overall(self) -> dict[str, float]:
        """A source's mean over the columns."""
        every: dict[str, list[float]] = defaultdict(list)
        for (_, source), trust in sorted(self.of.items()):
            every[source].append(trust)
        return {source: sum(found) / len(found) for source, found in sorted(every.items())}

    def decide(self, column: int, votes: Sequence[Vote]) -> Decided:
        chances = self.chances(column, votes)
        if not chances:
            return Decided(None, 1.0)
        best = max(chances, key=lambda value: (chances[value], value))
        return Decided(best, chances[best])

    def chances(self, column: int, votes: Sequence[Vote]) -> dict[str, float]:
        """The probability of each value that is said."""
        own: dict[str, float] = defaultdict(float)
        for source, value in votes:
            if value:
                trust = self.of.get((column, source), UNKNOWN)
                own[value] += math.log(FALSE_VALUES * trust / (1 - trust))
        most = sorted(own, key=lambda value: (-own[value], value))[:CANDIDATES]
        shapes = self.shapes[column]
        scores = {
            value: own[value]
            + sum(WITHIN * own[other] for other in most if _contains(other, value))
            + math.log((shapes[shape_of(value)] + 0.5) / (shapes.total() + 1))
            for value in most
        }
        top = max(scores.values(), default=0.0)
        weights = {value: math.exp(score - top) for value, score in scores.items()}
        return {value: weight / sum(weights.values()) for value, weight in weights.items()}


def learn_trust(columns: Mapping[int, Sequence[Sequence[Vote]]]) -> Trust:
    """From each column's clusters, every one the votes of its rows."""
    trust = Trust()
    right: dict[str, float] = defaultdict(float)
    cells: dict[str, int] = defaultdict(int)
    for column in sorted(columns, key=lambda place: (-_clearness(columns[place]), place)):
        clusters = [[vote for vote in votes if vote[1]] for votes in columns[column]]
        trust.shapes[column] = Counter(shape_of(value) for votes in clusters for _, value in votes if value)
        learned, counted = _solve(trust, column, clusters, _earned(right, cells))
        for source, n in counted.items():
            right[source] += learned[source]
            cells[source] += n
            trust.disputed[source] += n
    return trust


def _earned(right: Mapping[str, float], cells: Mapping[str, float]) -> dict[str, float]:
    """What each source's record in the columns before says, drawn a little to the mean."""
    mean = sum(right.values()) / sum(cells.values()) if cells else UNKNOWN
    return {source: _bounded((right[source] + STEADY_CELLS * mean) / (n + STEADY_CELLS)) for source, n in cells.items()}


def _solve(
    trust: Trust, column: int, clusters: Sequence[Sequence[Vote]], earned: Mapping[str, float]
) -> tuple[dict[str, float], Counter[str]]:
    """Iterate one column; what its sources got right (an expectation) and how many cells they gave."""
    sources = sorted({source for votes in clusters for source, _ in votes})
    start = {source: earned.get(source, UNKNOWN) for source in sources}
    trust.of |= {(column, source): start[source] for source in sources}
    disputed = [votes for votes in clusters if len({value for _, value in votes}) > 1]
    right: dict[str, float] = defaultdict(float)
    cells = Counter(source for votes in disputed for source, _ in votes)
    for _ in range(ROUNDS):
        right = defaultdict(float)
        for votes in disputed:
            chances = trust.chances(column, votes)
            for source, value in votes:
                right[source] += chances.get(value or "", 0.0)
        trust.of |= {
            (column, source): _bounded((right[source] + PRIOR_CELLS * start[source]) / (cells[source] + PRIOR_CELLS))
            for source in sources
        }
    return right, cells


def _bounded(trust: float) -> float:
    """Nobody is beyond doubt: one voice must not outweigh any number of others."""
    return min(0.99, max(0.01, trust))


def _clearness(clusters: Sequence[Sequence[Vote]]) -> float:
    """The mean lead of the most frequent value over the second, as a share of the cells."""
    leads = []
    for votes in clusters:
        counted = Counter(value for _, value in votes if value).most_common(2)
        if counted:
            second = counted[1][1] if len(counted) > 1 else 0
            leads.append((counted[0][1] - second) / sum(1 for _, value in votes if value))
    return sum(leads) / len(leads) if leads else 0.0


def shape_of(value: str) -> str:
    """Its digits as one; letters stay, for they are what formats differ in."""
    return re.sub(r"\d+", "9", value)[:40]


def _contains(longer: str, value: str) -> bool:
    """Whether the value stands in the longer one, not as a part of a word or a number."""
    at = longer.find(value) if len(longer) > len(value) else -1
    if at < 0:
        return False
    before, after = longer[at - 1 : at], longer[at + len(value) : at + len(value) + 1]
    return not (before.isalnum() or after.isalnum())
