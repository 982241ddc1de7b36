"""Whether a table holds what several sources say about the same things.

An entity column and a source column that together are (nearly) a key, and attributes on which the rows of one entity
agree far more than chance. Product and month are such columns too: unless a person names the source, an attribute is
taken for a fact about the entity only where nearly all rows say so and the others are strewn as errors are.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from transformers.cells.columns import NUMERIC
from transformers.dependencies.samples import Sample
from transformers.detection.dissent import Dissent, dissent
from transformers.detection.workbench import Workbench
from transformers.tables import SOURCE_ROW

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Codes = NDArray[np.int64]

MAX_ROWS = 300_000  # weighed together
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


@dataclass(frozen=True)
class Panels:
    """`conflict`: whose attributes are facts about the entity; `varying`: columns that vary with some second key."""

    conflict: Conflict | None = None
    varying: frozenset[int] = frozenset()


def codes_of(bench: Workbench) -> "dict[int, Codes]":
    places = [p for p, values in bench.values.items() if len(values) > 1][:MAX_COLUMNS]
    if not places:
        return {}
    sample = Sample(bench.read, {f"c{p}": f"c{p}" for p in places}, bench.table.rows, MAX_ROWS)
    return {int(name[1:]): codes for name, codes in sample.of_rows(bench.db).items()}


def panels_in(bench: Workbench, codes: "dict[int, Codes]", named: int | None = None) -> Panels:
    """The entity and source with the most attributes in dispute; a person who names the source vouches for it."""
    conflicts, varying = [], set()
    for entity, source in _keys_of_two(codes, named):
        agreed = {p: _within(codes[entity], codes[p]) for p in codes if p not in {entity, source}}
        told = [p for p, within in agreed.items() if _is_told(codes[source], codes[p], within)]
        if named is None:
            lies = {p: _dissent(bench, codes, entity, source, p) for p in told}
            varying |= {p for p, dissent in lies.items() if dissent.varies}
            told = [p for p in told if lies[p].is_error and bench.columns[p].logical not in NUMERIC]
        told = [p for p in told if _chance(codes[p]) <= CHANCE]
        if any(agreed[p] <= 1 - CONFLICT for p in told) and (named is not None or _is_smaller(codes, source, entity)):
            conflicts.append(Conflict(entity, source, tuple(told)))
    best = min(conflicts, key=lambda c: (-len(c.attributes), c.entity, c.source), default=None)
    return Panels(best, frozenset(varying))


def _keys_of_two(codes: "dict[int, Codes]", named: int | None) -> Iterator[tuple[int, int]]:
    """Pairs of repeating columns that are together (nearly) a key."""
    import numpy as np

    rows = len(next(iter(codes.values())))
    full = [p for p, c in codes.items() if np.count_nonzero(c) >= rows * KEY_SHARE]
    grouped = [p for p in full if MIN_SOURCES <= codes[p].max() <= rows / ROWS_EACH]
    for first, second in combinations(grouped, 2):
        width = int(codes[second].max()) + 1
        if named not in {None, first, second} or codes[first].max() * (width - 1) < rows * KEY_SHARE:
            continue
        if len(np.unique(codes[first] * width + codes[second])) >= rows * KEY_SHARE:
            yield from (pair for pair in ((first, second), (second, first)) if named in {None, pair[1]})


def _is_smaller(codes: "dict[int, Codes]", place: int, than: int) -> bool:
    return bool(codes[place].max() < codes[than].max())


def _dissent(bench: Workbench, codes: "dict[int, Codes]", entity: int, source: int, place: int) -> Dissent:
    import numpy as np

    as_laid = np.arange(len(codes[source]))
    return dissent(codes[entity], codes[source], codes[place], (as_laid, _ranks(bench, codes[source], source)))


def _ranks(bench: Workbench, code: "Codes", place: int) -> "Codes":
    """For each row, where its text comes among those of its column; numbers in it count as numbers."""
    import numpy as np

    texts = bench.db.execute(f"SELECT c{place} FROM {bench.read} ORDER BY {SOURCE_ROW}").fetchnumpy()[f"c{place}"]
    _, first = np.unique(code, return_index=True)
    laid = sorted(first.tolist(), key=lambda row: re.sub("[0-9]+", lambda n: n[0].zfill(12), str(texts[row])))
    rank = np.zeros(int(code.max()) + 1, np.int64)
    rank[code[laid]] = np.arange(len(laid))
    ranked: Codes = rank[code]
    return ranked


def _is_told(source: "Codes", value: "Codes", within: float) -> bool:
    """Rows of an entity agree far beyond chance; the source does not tell the value."""
    return _chance(value) + AGREEMENT <= within and _within(source, value) < within / 2


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
