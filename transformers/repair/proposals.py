"""The right value of a wrong cell, where the evidence agrees on one; silence where it does not.

The rules that doubt a cell also say what they would read there (detection/workbench.py). What several of them say
together is surer than what one says; what they dispute is left alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from transformers.cells.kinds import literal
from transformers.detection.conclusions import places_of, readable
from transformers.detection.detect import gather, no_report
from transformers.detection.opening import open_workbench
from transformers.detection.workbench import EVIDENCE, Workbench, comparable, evidence_is_there
from transformers.repair.examples import Values, learn
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

    from transformers.cells.columns import Column

REPAIRS = "cell_repairs"
MIN_CONFIDENCE = 0.8  # four in five: what is left out is for people
FORM = "('format', 'unit', 'disguised_missing')"  # doubts of how a cell says it, which trust what it says
IN_DISPUTE = 0.5  # another rule doubts what it says
CERTAIN = 0.999  # the most that one rule is believed; rules are not independent enough for more


def propose_repairs(
    db: "duckdb.DuckDBPyConnection",
    table: Table,
    columns: "Sequence[Column]",
    errors: str,
    *,
    min_confidence: float = MIN_CONFIDENCE,
    labels: Values | None = None,
    source_column: str | None = None,
    report_progress: Callable[[float], None] = no_report,
) -> str:
    """The name of a temporary table, ordered by row and column, of the cells of `errors` whose right value is clear.

    `cell_repairs(source_row, "column", old, new, rule, confidence)`; `new` is NULL where the cell should be empty.
    `labels` are up to 20 rows for which a person has given the right values of cells. The evidence of `detect_errors`
    is used where it is of the same table and `source_column`, and gathered where it is not.
    """
    if evidence_is_there(db, table, columns, source_column):
        bench = Workbench(db, table, comparable(columns), values={})
    else:
        bench = open_workbench(db, table, columns, source_column)
        gather(bench, report_progress=report_progress)
    learn(bench, labels or {})
    _offer(bench, errors)
    _settle(bench, min_confidence)
    report_progress(1.0)
    return REPAIRS


def _offer(bench: Workbench, errors: str) -> None:
    """`cell_offers`: what each rule would put into a wrong cell; a mere form only where nobody doubts the value."""
    bench.db.execute(f"""
        CREATE OR REPLACE TEMP TABLE cell_offers AS
        WITH wrong AS (SELECT source_row, {_place(bench)} AS place, {_confidence(bench, errors)} AS wrong
            FROM {errors}),
        disputed AS (
            SELECT DISTINCT source_row, place FROM {EVIDENCE}
            WHERE kind NOT IN {FORM} AND kind <> 'marked' AND (confidence >= {IN_DISPUTE} OR kind = 'conflict')
        )
        SELECT source_row, place, struct_pack(v := suggestion) AS offer,
            (1 - product(1 - least(certainty, {CERTAIN}))) * CASE WHEN bool_or(kind = 'example') THEN 1.0
                ELSE any_value(wrong) END AS sure,
            arg_max(rule, (certainty, rule)) AS rule
        FROM {EVIDENCE} JOIN wrong USING (source_row, place) LEFT JOIN disputed d USING (source_row, place)
        WHERE certainty > 0 AND (d.place IS NULL OR kind NOT IN {FORM} OR kind = 'example')
        GROUP BY source_row, place, suggestion
    """)


def _confidence(bench: Workbench, errors: str) -> str:
    """SQL: that the cell is wrong at all; a list that does not say is taken at its word."""
    said = [name for name, *_ in bench.db.execute(f"DESCRIBE {errors}").fetchall()]
    return "confidence" if "confidence" in said else "1.0"


def _settle(bench: Workbench, min_confidence: float) -> None:
    """The surest offer, less sure for every other one."""
    cell = _cell(bench)
    bench.db.execute(f"""
        CREATE OR REPLACE TEMP TABLE {REPAIRS} AS
        WITH settled AS (
            SELECT source_row, place, arg_max(offer, (sure, offer)) AS offer, arg_max(rule, (sure, offer)) AS rule,
                round(max(sure) * max(sure) / sum(sure), 6) AS confidence
            FROM cell_offers GROUP BY source_row, place
        )
        SELECT s.source_row, {_name(bench)} AS "column", {cell} AS old, s.offer.v AS new, {_rules(bench)} AS rule,
            s.confidence
        FROM settled s JOIN {bench.relation} t ON t.{SOURCE_ROW} = s.source_row
        WHERE s.confidence >= {min_confidence} AND s.offer.v IS DISTINCT FROM {cell}
        ORDER BY s.source_row, s.place
    """)


def _place(bench: Workbench) -> str:
    return _case('"column"', {literal(c.name): str(place) for place, c in enumerate(bench.columns)})


def _name(bench: Workbench) -> str:
    return _case("s.place", {str(place): literal(c.name) for place, c in enumerate(bench.columns)}) + "::VARCHAR"


def _cell(bench: Workbench) -> str:
    cells = {place: quoted(bench.columns[place].name) for place in places_of(bench, "cell_offers")}
    return _case("s.place", {str(place): f"t.{cell}::VARCHAR" for place, cell in cells.items()}) + "::VARCHAR"


def _rules(bench: Workbench) -> str:
    rules = [rule for [rule] in bench.db.execute("SELECT DISTINCT rule FROM cell_offers ORDER BY rule").fetchall()]
    return _case("s.rule", {literal(rule): literal(readable(bench, rule)) for rule in rules}) + "::VARCHAR"


def _case(of: str, answers: Mapping[str, str]) -> str:
    whens = " ".join(f"WHEN {given} THEN {answer}" for given, answer in answers.items())
    return f"CASE {of} {whens} END" if whens else "NULL"
