"""The right value of a wrong cell, where the evidence agrees on one; silence where it does not.

The rules that doubt a cell also say what they would read there (detection/workbench.py). What several of them say
together is surer than what one says; what they dispute is left alone.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from transformers.cells.kinds import literal
from transformers.detection.detect import gather
from transformers.detection.workbench import EVIDENCE, Workbench, open_workbench
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

    from transformers.cells.columns import Column

REPAIRS = "cell_repairs"
MIN_CONFIDENCE = 0.8
FORM = "('format', 'unit', 'disguised_missing')"  # doubts of how a cell says it, which trust what it says
IN_DISPUTE = 0.5  # another rule doubts what it says
Values = Mapping[int, Mapping[str, str]]  # source row → column → the right value


def propose_repairs(
    db: "duckdb.DuckDBPyConnection",
    table: Table,
    columns: "Sequence[Column]",
    errors: str,
    *,
    min_confidence: float = MIN_CONFIDENCE,
    labels: Values | None = None,
) -> str:
    """The name of a temporary table, ordered by row and column, of the cells of `errors` whose right value is clear.

    `cell_repairs(source_row, "column", old, new, rule, confidence)`; `new` is NULL where the cell should be empty.
    """
    bench = open_workbench(db, table, columns)
    gather(bench)
    _write(bench, errors, min_confidence)
    return REPAIRS


def _write(bench: Workbench, errors: str, min_confidence: float) -> None:
    places = " ".join(f"WHEN {literal(c.name)} THEN {p}" for p, c in enumerate(bench.columns)) or "WHEN '' THEN -1"
    cells = " ".join(f"WHEN {p} THEN {quoted(c.name)}" for p, c in enumerate(bench.columns)) or "WHEN -1 THEN ''"
    bench.db.execute(f"""
        CREATE OR REPLACE TEMP TABLE {REPAIRS} AS
        WITH wrong AS (SELECT source_row, "column", CASE "column" {places} END AS place FROM {errors}),
        disputed AS (
            SELECT DISTINCT source_row, place FROM {EVIDENCE} WHERE kind NOT IN {FORM} AND (confidence >= {IN_DISPUTE} OR kind = 'conflict')
        ),
        offers AS (
            SELECT w.source_row, w."column", w.place, suggestion, 1 - product(1 - least(certainty, 0.999)) AS sure,
                arg_max(rule, (certainty, rule)) AS rule
            FROM wrong w JOIN {EVIDENCE} e ON e.source_row = w.source_row AND e.place = w.place
            LEFT JOIN disputed d ON d.source_row = w.source_row AND d.place = w.place
            WHERE certainty > 0 AND (d.place IS NULL OR kind NOT IN {FORM}) GROUP BY ALL
        ),
        settled AS (
            SELECT source_row, "column", place, arg_max(suggestion, (sure, suggestion)) AS suggestion,
                arg_max(rule, (sure, suggestion)) AS rule, max(sure) AS sure, sum(sure) AS all_sure
            FROM (SELECT source_row, "column", place, rule, sure, struct_pack(v := suggestion) AS suggestion FROM offers)
            GROUP BY source_row, "column", place
        )
        SELECT s.source_row, "column", CASE place {cells} END AS old, suggestion.v AS new, rule,
            round(sure * sure / all_sure, 6) AS confidence
        FROM settled s JOIN {bench.relation} t ON t.{SOURCE_ROW} = s.source_row
        WHERE sure * sure / all_sure >= {min_confidence} AND suggestion.v IS DISTINCT FROM CASE place {cells} END
        ORDER BY s.source_row, place
    """)
