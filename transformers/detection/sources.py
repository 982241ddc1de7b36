"""Several sources about the same things: cells that say otherwise than the truth, or nothing where there is one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from transformers.detection.conflicts import MAX_ROWS, Conflict, Panels, codes_of, panels_in
from transformers.detection.trust import Claims, truths
from transformers.detection.workbench import READ, Workbench
from transformers.tables import SOURCE_ROW

if TYPE_CHECKING:
    from transformers.detection.marks import Mark
    from transformers.detection.trust import Codes, Figures

STRETCH = "cells_stretch"
KNOWN = 1000.0  # log odds: no number of sources outvotes a person


def look(bench: Workbench, marks: "Sequence[Mark]" = (), named: int | None = None) -> set[int]:
    """The columns that are not for others to judge. Marked cells are known to be right or wrong.

    A large table is weighed a stretch of rows at a time, as long as stretches show a conflict.
    """
    apart: set[int] = set()
    for part in _stretches(bench):
        conflict, judged = _weigh(part, marks, named)
        apart |= judged
        if conflict is None:
            break
    return apart


def _weigh(bench: Workbench, marks: "Sequence[Mark]", named: int | None) -> tuple[Conflict | None, set[int]]:
    codes = codes_of(bench)
    panels = panels_in(bench, codes, named) if codes else Panels()
    conflict = panels.conflict
    if conflict is None:
        return None, set(panels.varying)
    _judge(bench, codes, conflict, marks)
    return conflict, {conflict.entity, conflict.source, *conflict.attributes, *panels.varying}


def _stretches(bench: Workbench) -> Iterator[Workbench]:
    """The bench itself where its table is small."""
    if bench.table.rows <= MAX_ROWS:
        yield bench
        return
    [(first, last)] = bench.db.execute(f"SELECT min({SOURCE_ROW}), max({SOURCE_ROW}) FROM {READ}").fetchall()
    parts = -(-(last + 1 - first) // MAX_ROWS)
    ends = [first + (last + 1 - first) * part // parts for part in range(parts + 1)]
    for begin, end in pairwise(ends):
        bench.db.execute(
            f"CREATE OR REPLACE TEMP VIEW {STRETCH} AS SELECT * FROM {READ}"
            f" WHERE {SOURCE_ROW} >= {begin} AND {SOURCE_ROW} < {end}"
        )
        [(held,)] = bench.db.execute(f"SELECT count(*) FROM {STRETCH}").fetchall()
        if held:
            yield replace(bench, read=STRETCH, table=bench.table.model_copy(update={"rows": held}))


def _judge(bench: Workbench, codes: "dict[int, Codes]", conflict: Conflict, marks: "Sequence[Mark]") -> None:
    claims = [_claims(codes, conflict, place) for place in conflict.attributes]
    for claim, place in zip(claims, conflict.attributes, strict=True):
        _pin(bench, claim, [mark for mark in marks if mark.place == place])
    found = truths(claims, int(codes[conflict.source].max()) + 1)
    for place, claim, (winner, sure) in zip(conflict.attributes, claims, found, strict=True):
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
    rows = bench.db.execute(f"SELECT {SOURCE_ROW} AS r FROM {bench.read} ORDER BY r").fetchnumpy()["r"]
    for mark in marks:
        at = np.flatnonzero(rows[claims.rows] == mark.row)
        same = bench.rewritten.get(mark.place, {}).get(mark.text or "", mark.text) == mark.text
        if at.size and (same or not mark.wrong):
            claims.known[claims.claim[at[0]]] = -KNOWN if mark.wrong else KNOWN


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
        WITH numbered AS (SELECT *, row_number() OVER (ORDER BY {SOURCE_ROW}) - 1 AS place_in_order FROM {bench.read}),
        truths AS (
            SELECT e.c{conflict.entity} AS entity, v.c{place} AS truth, sure FROM __truths__
            JOIN numbered e ON e.place_in_order = of_row JOIN numbered v ON v.place_in_order = from_row
        )
        SELECT {SOURCE_ROW}, {place}, 'conflict', 'source_trust:c{conflict.source}',
            CASE WHEN c{place} IS DISTINCT FROM truth THEN 0.5 + 0.5 * sure ELSE 0.0 END, truth,
            CASE WHEN c{place} IS DISTINCT FROM truth THEN sure / (0.5 + 0.5 * sure) ELSE sure END
        FROM {bench.read} JOIN truths ON c{conflict.entity} = entity
    """)
    bench.db.unregister("__truths__")
