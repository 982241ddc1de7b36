"""Several sources about the same things: one true value for each thing, and sources that deserve more or less trust.

Found, not told: an entity column and a source column that together are (nearly) a key, and attributes on which the
rows of one entity agree far more than chance. Truth and trust are estimated together (after TruthFinder and Accu),
without labels. A source's vote on one attribute weighs what it has earned on the *other* attributes: on its own
attribute a camp of copiers would vouch for itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

from transformers.detection.workbench import READ, Workbench
from transformers.tables import SOURCE_ROW

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from transformers.detection.marks import Mark

    Codes = NDArray[np.int64]
    Figures = NDArray[np.float64]

MAX_ROWS = 300_000  # more are not weighed: an entity's rows may lie anywhere
MAX_COLUMNS = 30
MIN_SOURCES = 3
ROWS_EACH = 3  # of an entity, of a source: fewer is no conflict to settle
KEY_SHARE = 0.98  # of the rows are the only one of their entity and source
CHANCE = 0.15  # two rows agree by accident at most so often
AGREEMENT = 0.35  # beyond chance, within an entity
CONFLICT = 0.05  # of the pairs within an entity disagree on some attribute, or dependencies do as well
ROUNDS = 20  # it settles in fewer
FIRST_TRUST = 0.8
WRONG_VALUES = 10  # as many ways to be wrong as Accu takes
HUMBLE = 0.5  # what a lead is worth whose supporters deserve less trust than a rival's
FULL_SUPPORT = 0.9  # quantile of the winners: who could speak has spoken
KNOWN = 1000.0  # log odds: no number of sources outvotes a person
LEAST, MOST = 0.02, 0.99  # trust: nobody is always wrong, nobody always right


@dataclass(frozen=True)
class Conflict:
    entity: int
    source: int
    attributes: tuple[int, ...]


@dataclass(frozen=True)
class Claims:
    """Of one attribute: which source (codes) claims which value (codes within the entity's values)."""

    rows: "Codes"
    source: "Codes"
    claim: "Codes"  # the code of (entity, value)
    entity_of_claim: "Codes"
    known: "Figures"  # in log odds: what a person has said of the claim


def look(bench: Workbench, marks: "Sequence[Mark]" = ()) -> Conflict | None:
    """The conflict that was found and judged. Marked cells are known to be right or wrong."""
    codes = _codes(bench)
    conflict = _conflict(codes) if codes else None
    if conflict:
        _judge(bench, codes, conflict, marks)
    return conflict


def _codes(bench: Workbench) -> "dict[int, Codes]":
    from transformers.dependencies.samples import Sample

    places = [p for p, values in bench.values.items() if len(values) > 1][:MAX_COLUMNS]
    if not places or bench.table.rows > MAX_ROWS:
        return {}
    sample = Sample(READ, {f"c{p}": f"c{p}" for p in places}, bench.table.rows, MAX_ROWS)
    return {int(name[1:]): codes for name, codes in sample.of_rows(bench.db).items()}


def _conflict(codes: "dict[int, Codes]") -> Conflict | None:
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


def _judge(bench: Workbench, codes: "dict[int, Codes]", conflict: Conflict, marks: "Sequence[Mark]") -> None:
    claims = [_claims(codes, conflict, place) for place in conflict.attributes]
    for claim, place in zip(claims, conflict.attributes, strict=True):
        _pin(bench, claim, [mark for mark in marks if mark.place == place])
    truths = _truths(claims, int(codes[conflict.source].max()) + 1)
    for place, claim, (winner, sure) in zip(conflict.attributes, claims, truths, strict=True):
        _write(bench, conflict, place, codes[conflict.entity], claim, winner, sure)


def _claims(codes: "dict[int, Codes]", conflict: Conflict, place: int) -> Claims:
    import numpy as np

    entity, value = codes[conflict.entity], codes[place]
    rows = np.flatnonzero((entity > 0) & (codes[conflict.source] > 0) & (value > 0))
    pair = entity[rows] * (int(value.max()) + 1) + value[rows]
    distinct, claim = np.unique(pair, return_inverse=True)
    entity_of_claim = distinct // (int(value.max()) + 1)
    return Claims(rows, codes[conflict.source][rows], claim, entity_of_claim, np.zeros(len(distinct)))


def _pin(bench: Workbench, claims: Claims, marks: "Sequence[Mark]") -> None:
    """A cell marked as wrong for its form alone says nothing of its claim."""
    import numpy as np

    if not marks:
        return
    rows = bench.db.execute(f"SELECT {SOURCE_ROW} AS r FROM {READ} ORDER BY r").fetchnumpy()["r"]
    for mark in marks:
        at = np.flatnonzero(claims.rows == int(np.searchsorted(rows, mark.row)))
        same = bench.rewritten.get(mark.place, {}).get(mark.text or "", mark.text) == mark.text
        if at.size and (same or not mark.wrong):
            claims.known[claims.claim[at[0]]] = -KNOWN if mark.wrong else KNOWN


def _truths(claims: Sequence[Claims], sources: int) -> "list[tuple[Codes, Figures]]":
    """For each attribute: the winning claim of each entity (-1: none), and how sure that is."""
    import numpy as np

    trust = [np.full(sources, FIRST_TRUST) for _ in claims]
    for _ in range(ROUNDS):
        odds = [_odds(c, t) for c, t in zip(claims, trust, strict=True)]
        likely = [_likely(c, o) for c, o in zip(claims, odds, strict=True)]
        right = [_counted(c.source, p[c.claim], sources) for c, p in zip(claims, likely, strict=True)]
        said = [_counted(c.source, None, sources) for c in claims]
        trust = [_trust(right, said, place) for place in range(len(claims))]
    return [_winners(c, t) for c, t in zip(claims, trust, strict=True)]


def _counted(codes: "Codes", weights: "Figures | None", size: int) -> "Figures":
    import numpy as np

    return np.bincount(codes, weights, size).astype(np.float64)


def _odds(claims: Claims, trust: "Figures") -> "Figures":
    import numpy as np

    weight = np.log(WRONG_VALUES * trust / (1 - trust))
    return np.bincount(claims.claim, weight[claims.source], len(claims.entity_of_claim)) + claims.known


def _likely(claims: Claims, odds: "Figures") -> "Figures":
    """Within each entity: the probability of each claim."""
    import numpy as np

    starts = np.flatnonzero(np.diff(claims.entity_of_claim, prepend=-1))
    lengths = np.diff(np.append(starts, len(odds)))
    power = np.exp(odds - np.repeat(np.maximum.reduceat(odds, starts), lengths))
    likely: Figures = power / np.repeat(np.add.reduceat(power, starts), lengths)
    return likely


def _trust(right: "Sequence[Figures]", said: "Sequence[Figures]", place: int) -> "Figures":
    """From the other attributes; from its own where there is no other."""
    import numpy as np

    others = [i for i in range(len(right)) if i != place] or [place]
    earned = sum(right[i] for i in others) + 2 * FIRST_TRUST
    return np.clip(earned / (sum(said[i] for i in others) + 2), LEAST, MOST)


def _winners(claims: Claims, trust: "Figures") -> "tuple[Codes, Figures]":
    """The claim with the best odds, and how sure that is.

    What is contested is believed as far as the winner leads, as trusted sources speak at all, and not much where its
    supporters deserve less trust than a rival's. Silence of the trusted is no consent.
    """
    import numpy as np

    weight = np.maximum(0, np.log(trust / (1 - trust)))
    count = len(claims.entity_of_claim)
    said = np.bincount(claims.claim, minlength=count)
    support = np.bincount(claims.claim, weight[claims.source], count)
    mean = np.bincount(claims.claim, trust[claims.source], count) / said
    order = np.lexsort((np.arange(count), -_odds(claims, trust), claims.entity_of_claim))
    starts = np.flatnonzero(np.diff(claims.entity_of_claim[order], prepend=-1))
    best = order[starts]
    rivals = support.copy(), mean.copy()
    for figures in rivals:
        figures[best] = 0.0
    strongest, worthiest = (np.maximum.reduceat(figures[order], starts) for figures in rivals)
    lead = np.maximum(0, support[best] - strongest) / np.maximum(1.0, support[best])
    lead[worthiest > mean[best]] *= HUMBLE
    spoken = np.minimum(1.0, support[best] / max(1.0, float(np.quantile(support[best], FULL_SUPPORT))))
    contested = 1 - float((said[best] / np.add.reduceat(said[order], starts)).mean())
    winner = np.full(int(claims.entity_of_claim.max()) + 1, -1)
    sure = np.zeros(len(winner))
    winner[claims.entity_of_claim[best]] = best
    sure[claims.entity_of_claim[best]] = 1 - contested * (1 - lead * spoken)
    return winner, sure


def _write(  # noqa: PLR0917
    bench: Workbench, conflict: Conflict, place: int, entity: "Codes", claims: Claims, winner: "Codes", sure: "Figures"
) -> None:
    """Cells that say otherwise than the truth, or nothing where there is one."""
    import numpy as np
    import pyarrow as pa

    first_row = np.zeros(len(claims.entity_of_claim), np.int64)
    first_row[claims.claim[::-1]] = claims.rows[::-1]
    known = np.flatnonzero(winner >= 0)
    example = np.full(len(winner), -1)
    example[known] = first_row[winner[known]]
    first_of_entity = np.zeros(int(entity.max()) + 1, np.int64)
    first_of_entity[entity[::-1]] = np.arange(len(entity))[::-1]
    bench.db.register(
        "__truths__",
        pa.table({"of_row": first_of_entity[known], "from_row": example[known], "sure": sure[known]}),
    )
    bench.add(f"""
        WITH numbered AS (SELECT *, row_number() OVER (ORDER BY {SOURCE_ROW}) - 1 AS place_in_order FROM {READ}),
        truths AS (
            SELECT e.c{conflict.entity} AS entity, v.c{place} AS truth, sure FROM __truths__
            JOIN numbered e ON e.place_in_order = of_row JOIN numbered v ON v.place_in_order = from_row
        )
        SELECT {SOURCE_ROW}, {place}, 'conflict', 'source_trust:c{conflict.source}',
            CASE WHEN c{place} IS DISTINCT FROM truth THEN 0.5 + 0.5 * sure ELSE 0.0 END, truth, sure
        FROM {READ} JOIN truths ON c{conflict.entity} = entity
    """)
    bench.db.unregister("__truths__")
