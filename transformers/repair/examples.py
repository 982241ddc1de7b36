"""What a person has put right: final for the cells themselves, an example for cells with the same wrong text.

It also says how far each rule's suggestions on a column are to be trusted.
"""

from collections.abc import Mapping

from transformers.cells.kinds import is_missing, literal
from transformers.detection.marks import MOST_ROWS, Trial, calibrate
from transformers.detection.workbench import EVIDENCE, Workbench
from transformers.tables import SOURCE_ROW

Values = Mapping[int, Mapping[str, str]]  # source row → column → the right value, "" for none
LIKE_AN_EXAMPLE = 0.9  # that the same wrong text stands for the same right one


def learn(bench: Workbench, labels: Values) -> None:
    rows = sorted(labels)[:MOST_ROWS]
    places = {column.name: place for place, column in enumerate(bench.columns)}
    asked = [
        (row, places[name], right or None) for row in rows for name, right in labels[row].items() if name in places
    ]
    if asked:
        _trust_rules(bench, {(row, place): right for row, place, right in asked})
        _follow(bench, asked)


def _trust_rules(bench: Workbench, right: Mapping[tuple[int, int], str | None]) -> None:
    rows = ", ".join(str(row) for row in sorted({row for row, _ in right}))
    offered = bench.db.execute(
        f"SELECT source_row, place, split_part(rule, ':', 1) AS rule, suggestion, max(certainty) FROM {EVIDENCE}"
        f" WHERE source_row IN ({rows}) AND certainty > 0 AND confidence > 0 GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    calibrate(
        bench,
        "certainty",
        [
            Trial(place, rule, sure, (suggestion or None) == right[row, place])
            for row, place, rule, suggestion, sure in offered
            if (row, place) in right
        ],
    )


def _follow(bench: Workbench, asked: list[tuple[int, int, str | None]]) -> None:
    """The cells themselves, and those of their column with the same text; no example is one to fill empty cells."""
    for row, place, right in asked:
        value = "NULL" if right is None else literal(right)
        text = f"(SELECT {bench.text(place)} FROM {bench.relation} WHERE {SOURCE_ROW} = {row})"
        bench.db.execute(f"DELETE FROM {EVIDENCE} WHERE source_row = {row} AND place = {place}")
        bench.add(f"SELECT {row}, {place}, 'example', 'given', 0.0, {value}, 1.0")
        bench.add(
            f"SELECT {SOURCE_ROW}, {place}, 'example', 'as_given', 0.0, {value}, {LIKE_AN_EXAMPLE}"
            f" FROM {bench.relation} WHERE {SOURCE_ROW} <> {row} AND {bench.text(place)} = {text}"
            f" AND NOT {is_missing(bench.text(place))} AND {text} IS DISTINCT FROM {value}"
        )
