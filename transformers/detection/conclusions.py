"""From reasons to doubt to a list of wrong cells, readable by people."""

from transformers.cells.kinds import literal
from transformers.detection.workbench import EVIDENCE, Workbench
from transformers.tables import SOURCE_ROW, quoted

THRESHOLD = 0.5  # more probably wrong than right
MESSAGES = {
    "time_format": "The time is written otherwise than in most of the column.",
    "date_format": "The date is written otherwise than in most of the column.",
    "stray_space": "There are spaces around the value, where other cells have none.",
    "number_format": "Thousands are separated otherwise than in most of the column.",
    "unit_minority": "The number carries another unit, or none, than in most of the column.",
    "unit_without_convention": "The unit is written in many ways; the column does not read as numbers.",
    "word_for_nothing": "A word stands for a missing value, where other cells are left blank.",
    "value_in_neighbour": "A value ran over into the neighbouring column.",
    "near_frequent_value": "The value is a slip away from a frequent one.",
    "dependency": "Rows that agree on other columns have another value here.",
    "contradicted_key": "What belongs to this value is contradicted by most of the row.",
    "source_trust": "The more trusted sources say otherwise.",
    "character": "A character stands where others should.",
    "marked": "A person has marked the cell as wrong.",
    "marked_alike": "It looks like cells that a person has marked as wrong.",
}


def conclude(bench: Workbench, name: str) -> None:
    """The strongest reason of each cell, where it is more probably wrong than right."""
    bench.db.execute(f"""
        CREATE OR REPLACE TEMP TABLE {name} AS
        SELECT e.source_row, {_of_place(bench, names=True)} AS "column", {_of_place(bench, names=False)} AS value,
            e.kind, {_named_rules(bench)} AS rule, round(e.confidence, 6) AS confidence, {_messages()} AS message
        FROM (
            SELECT source_row, place, arg_max(kind, (confidence, rule)) AS kind,
                arg_max(rule, (confidence, rule)) AS rule, max(confidence) AS confidence
            FROM {EVIDENCE} GROUP BY source_row, place HAVING max(confidence) >= {THRESHOLD}
        ) e JOIN {bench.relation} t ON t.{SOURCE_ROW} = e.source_row
        ORDER BY e.source_row, e.place
    """)


def places_of(bench: Workbench, evidence: str) -> list[int]:
    """The columns that `evidence` speaks of: no other one need be read."""
    return [place for (place,) in bench.db.execute(f"SELECT DISTINCT place FROM {evidence} ORDER BY 1").fetchall()]


def _of_place(bench: Workbench, *, names: bool) -> str:
    """SQL: the name of the column at `place`, or its cell."""
    columns = [(place, bench.columns[place]) for place in places_of(bench, EVIDENCE)]
    whens = [
        f"WHEN {place} THEN {literal(column.name) if names else f't.{quoted(column.name)}::VARCHAR'}"
        for place, column in columns
    ]
    return f"CASE e.place {' '.join(whens) or 'WHEN -1 THEN NULL'} END::VARCHAR"


def _messages() -> str:
    whens = (f"WHEN {literal(rule)} THEN {literal(text)}" for rule, text in MESSAGES.items())
    return f"CASE split_part(e.rule, ':', 1) {' '.join(whens)} END"


def _named_rules(bench: Workbench) -> str:
    """SQL: the rule as people read it; rules know columns by place."""
    rules = [rule for [rule] in bench.db.execute(f"SELECT DISTINCT rule FROM {EVIDENCE} ORDER BY rule").fetchall()]
    whens = " ".join(f"WHEN {literal(rule)} THEN {literal(readable(bench, rule))}" for rule in rules)
    return f"CASE e.rule {whens} END" if rules else "e.rule"


def readable(bench: Workbench, rule: str) -> str:
    """Of "dependency:c3,c5": "dependency: zip, street"."""
    kind, colon, places = rule.partition(":")
    if not colon or kind not in {"dependency", "source_trust"}:
        return rule.replace(":", ": ")
    return f"{kind}: {', '.join(bench.columns[int(place[1:])].name for place in places.split(','))}"
