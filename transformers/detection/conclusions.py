"""From reasons to doubt to a list of wrong cells, with what a person has marked."""

from collections.abc import Mapping

from transformers.cells.kinds import literal
from transformers.detection.workbench import EVIDENCE, Workbench
from transformers.tables import SOURCE_ROW, quoted

THRESHOLD = 0.5  # more probably wrong than right
FAITH = 2.0  # marked cells that a rule's own confidence is worth
MESSAGES = {
    "time_format": "The time is written otherwise than in most of the column.",
    "date_format": "The date is written otherwise than in most of the column.",
    "unit_minority": "The number carries another unit, or none, than most of the column.",
    "unit_without_convention": "The unit is written in many ways; the column is not readable as numbers.",
    "word_for_nothing": "A word stands for a missing value, where other cells are left blank.",
    "value_in_neighbour": "A value ran over into the neighbouring column.",
    "near_frequent_value": "The value is a slip away from a frequent one.",
    "dependency": "Rows that agree otherwise have another value here.",
    "source_trust": "The more trusted sources say otherwise.",
    "character": "A character stands where others should.",
    "marked": "A person has marked the cell.",
}


def weigh(bench: Workbench, labels: Mapping[int, Mapping[str, bool]]) -> None:
    """What a person has marked speaks for or against a rule on a column."""
    if not labels:
        return


def write(bench: Workbench, name: str) -> None:
    names = " ".join(f"WHEN {p} THEN {literal(c.name)}" for p, c in enumerate(bench.columns)) or "WHEN -1 THEN ''"
    cells = " ".join(f"WHEN {p} THEN {quoted(c.name)}" for p, c in enumerate(bench.columns)) or "WHEN -1 THEN ''"
    says = " ".join(f"WHEN {literal(rule)} THEN {literal(text)}" for rule, text in MESSAGES.items())
    bench.db.execute(f"""
        CREATE OR REPLACE TEMP TABLE {name} AS
        SELECT e.source_row, CASE place {names} END AS "column", CASE place {cells} END AS value,
            kind, {_named_rule(bench)} AS rule, round(confidence, 6) AS confidence,
            CASE split_part(rule, ':', 1) {says} END AS message
        FROM (
            SELECT source_row, place, arg_max(kind, (confidence, rule)) AS kind,
                arg_max(rule, (confidence, rule)) AS rule, max(confidence) AS confidence
            FROM {EVIDENCE} GROUP BY source_row, place
        ) e JOIN {bench.relation} t ON t.{SOURCE_ROW} = e.source_row
        WHERE confidence >= {THRESHOLD} ORDER BY e.source_row, place
    """)


def _named_rule(bench: Workbench) -> str:
    """Rules name columns by place; people by name."""
    sql = "rule"
    return sql
