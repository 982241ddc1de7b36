"""The company a value keeps: whether a rare value stands beside what the frequent one stands beside.

A slip changes one cell; the rest of its row stays what it was. "Cortland" is no slip for "Portland" where every
Portland is in Oregon and every Cortland in New York.
"""

from collections.abc import Sequence
from dataclasses import replace

from transformers.detection.workbench import READ, Doubt, Workbench

MOST_VALUES = 2000  # of the other column
CONCENTRATED = 0.3  # of the frequent value's rows, and of the column's values: few enough to tell something
STRANGE = 0.5  # what a doubt is worth where all company is strange
FAMILIAR = 0.7  # what is left of the trust in the cell where none is


def in_company(bench: Workbench, place: int, doubts: Sequence[Doubt]) -> list[Doubt]:
    """The same doubts, weaker or stronger."""
    import pyarrow as pa

    if not doubts:
        return []
    said = {"__rare__": [d.text for d in doubts], "__frequent__": [d.suggestion for d in doubts]}
    bench.db.register("__slips__", pa.table({name: pa.array(texts, pa.string()) for name, texts in said.items()}))
    tally: dict[str, list[int]] = {doubt.text: [0, 0] for doubt in doubts}
    for other, values in sorted(bench.values.items()):
        if other != place and 1 < len(values) <= MOST_VALUES:
            for text, known in _company(bench, place, other, len(values)):
                tally[text][0 if known else 1] += 1
    bench.db.unregister("__slips__")
    return [_weighed(doubt, *tally[doubt.text]) for doubt in doubts]


def _company(bench: Workbench, place: int, other: int, values: int) -> list[tuple[str, bool]]:
    """For each rare value whose frequent one keeps little company in the other column: whether it is the same."""
    return bench.db.execute(f"""
        WITH pairs AS (
            SELECT c{place} AS v, c{other} AS beside, count(*) AS n FROM {READ}
            WHERE c{other} IS NOT NULL
                AND c{place} IN (SELECT __rare__ FROM __slips__ UNION ALL SELECT __frequent__ FROM __slips__)
            GROUP BY v, beside
        ), concentrated AS (
            SELECT v FROM pairs GROUP BY v
            HAVING count(*) <= {CONCENTRATED} * sum(n) AND count(*) <= greatest(1, {CONCENTRATED} * {values})
        )
        SELECT __rare__, bool_or(f.v IS NOT NULL) FROM __slips__
        JOIN concentrated c ON c.v = __frequent__ JOIN pairs r ON r.v = __rare__
        LEFT JOIN pairs f ON f.v = __frequent__ AND f.beside = r.beside
        GROUP BY __rare__ ORDER BY __rare__
    """).fetchall()


def _weighed(doubt: Doubt, familiar: int, strange: int) -> Doubt:
    if strange > familiar:
        return replace(doubt, confidence=doubt.confidence * STRANGE, certainty=doubt.certainty * STRANGE)
    if familiar > strange:
        return replace(doubt, confidence=1 - (1 - doubt.confidence) * FAMILIAR)
    return doubt
