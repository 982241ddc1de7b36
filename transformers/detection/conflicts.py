"""Whether a table holds what several sources say about the same things.

Found, not told: an entity column and a source column that together are (nearly) a key, and attributes on which the
rows of one entity agree far more than chance.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

from transformers.dependencies.samples import Sample
from transformers.detection.workbench import READ, Workbench

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Codes = NDArray[np.int64]

MAX_ROWS = 300_000  # more are not weighed: an entity's rows may lie anywhere
MAX_COLUMNS = 30
MIN_SOURCES = 3
ROWS_EACH = 3  # of an entity, of a source: fewer is no conflict to settle
KEY_SHARE = 0.98  # of the rows are the only one of their entity and source
CHANCE = 0.15  # two rows agree by accident at most so often
AGREEMENT = 0.35  # beyond chance, within an entity
CONFLICT = 0.05  # of the pairs within an entity disagree on some attribute, or dependencies do as well


@dataclass(frozen=True)
class Conflict:
    entity: int
    source: int
    attributes: tuple[int, ...]


def codes_of(bench: Workbench) -> "dict[int, Codes]":
    places = [p for p, values in bench.values.items() if len(values) > 1][:MAX_COLUMNS]
    if not places or bench.table.rows > MAX_ROWS:
        return {}
    sample = Sample(READ, {f"c{p}": f"c{p}" for p in places}, bench.table.rows, MAX_ROWS)
    return {int(name[1:]): codes for name, codes in sample.of_rows(bench.db).items()}


def conflict_in(codes: "dict[int, Codes]") -> Conflict | None:
    """The entity and source with the most attributes in dispute."""
    return min(_conflicts(codes), key=lambda c: (-len(c.attributes), c.entity, c.source), default=None)


def _conflicts(codes: "dict[int, Codes]") -> Iterator[Conflict]:
    import numpy as np

    rows = len(next(iter(codes.values())))
    full = [p for p, c in codes.items() if np.count_nonzero(c) >= rows * KEY_SHARE]
    grouped = [p for p in full if MIN_SOURCES <= codes[p].max() <= rows / ROWS_EACH]
    for entity, source in permutations(grouped, 2):
        pair = codes[entity] * (codes[source].max() + 1) + codes[source]
        if len(np.unique(pair)) >= rows * KEY_SHARE and codes[source].max() < codes[entity].max():
            agreed = {p: _within(codes[entity], codes[p]) for p in codes if p not in {entity, source}}
            told = {p: w for p, w in agreed.items() if _is_told(codes[source], codes[p], w)}
            if any(within <= 1 - CONFLICT for within in told.values()):
                yield Conflict(entity, source, tuple(told))


def _is_told(source: "Codes", value: "Codes", within: float) -> bool:
    """Rows of an entity agree far beyond chance; the source does not tell the value."""
    chance = _chance(value)
    return chance <= CHANCE and chance + AGREEMENT <= within and _within(source, value) < within / 2


def _chance(value: "Codes") -> float:
    import numpy as np

    counts = np.bincount(value)[1:].astype(np.float64)
    return float(((counts / max(1.0, counts.sum())) ** 2).sum())


def _within(group: "Codes", value: "Codes") -> float:
    """How often two rows of one group agree, missing values left out."""
    import numpy as np

    present = (group > 0) & (value > 0)
    group, value = group[present], value[present]
    if not group.size:
        return 0.0
    sizes = np.bincount(group).astype(np.float64)
    same = np.unique(group * (value.max() + 1) + value, return_counts=True)[1].astype(np.float64)
    pairs = float((sizes * (sizes - 1)).sum())
    return float((same * (same - 1)).sum()) / pairs if pairs else 0.0
