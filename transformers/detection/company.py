"""The company a value keeps: whether a rare value stands beside what the frequent one stands beside.

A slip changes one cell; the rest of its row stays what it was. "Cortland" is no slip for "Portland" where every
Portland is in Oregon and every Cortland in New York.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from transformers.detection.workbench import READ, Doubt, Workbench

MOST_VALUES = 2000  # of the other column
MOST_COLUMNS = 30  # whose company is looked at: the first of them
CONCENTRATED = 0.3  # of the frequent value's rows, and of the column's values: few enough to tell something
STRANGE = 0.5  # what a doubt is worth where all company is strange
FAMILIAR = 0.5  # what is left of the trust in the cell where none is


def in_company(bench: Workbench, place: int, doubts: Sequence[Doubt]) -> list[Doubt]:
    """The same doubts, weaker or stronger."""
    import pyarrow as pa

    if not doubts:
        return []
    said = {"__rare__": [d.text for d in doubts], "__frequent__": [d.suggestion for d in doubts]}
    bench.db.register("__slips__", pa.table({name: pa.array(texts, pa.string()) for name, texts in said.items()}))
    tally: dict[str, list[int]] = {doubt.text: [0, 0] for doubt in doubts}
    others = {o: len(v) for o, v in sorted(bench.values.items()) if o != place and 1 < len(v) <= MOST_VALUES}
    for text, known in _company(bench, place, dict(list(others.items())[:MOST_COLUMNS])) if others else ():
        tally[text][0 if known else 1] += 1
    bench.db.unregister("__slips__")
    return [_weighed(doubt, *tally[doubt.text]) for doubt in doubts]


def _company(bench: Workbench, place: int, others: Mapping[int, int]) -> list[tuple[str, bool]]:
    """For each rare value whose frequent one keeps little company in another column: whether it is the same.

    `others`: the columns that are looked at, and how many values each has.
    """
    cells = ", ".join(f"c{other}" for other in others)
    return bench.db.execute(f"""
        WITH cells AS (
            SELECT c{place} AS v, unnest({list(others)}) AS other, unnest([{cells}]) AS beside,
                unnest({list(others.values())}) AS width FROM {READ}
            WHERE c{place} IN (SELECT __rare__ FROM __slips__ UNION ALL SELECT __frequent__ FROM __slips__)
        ), pairs AS (
            SELECT v, other, beside, width, count(*) AS n FROM cells WHERE beside IS NOT NULL GROUP BY ALL
        ), concentrated AS (
            SELECT v, other FROM pairs GROUP BY v, other, width
            HAVING count(*) <= {CONCENTRATED} * sum(n) AND count(*) <= greatest(1, {CONCENTRATED} * width)
        )
        SELECT __rare__, bool_or(f.v IS NOT NULL) FROM __slips__
        JOIN concentrated c ON c.v = __frequent__ JOIN pairs r ON r.v = __rare__ AND r.other = c.other
        LEFT JOIN pairs f ON f.v = __frequent__ AND f.other = c.other AND f.beside = r.beside
        GROUP BY __rare__, c.other ORDER BY __rare__, c.other
    """).fetchall()


def _weighed(doubt: Doubt, familiar: int, strange: int) -> Doubt:
    if strange > familiar:
        return replace(doubt, confidence=doubt.confidence * STRANGE, certainty=doubt.certainty * STRANGE)
    if familiar > strange:
        return replace(doubt, confidence=1 - (1 - doubt.confidence) * FAMILIAR)
    return doubt
