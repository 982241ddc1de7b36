"""null-handler's form and plan: what stands for nothing becomes nothing; what fills it, the customer says.

With no strategy given nothing is invented: disguised nulls become real ones, and missing cells are flagged.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from transformers.cleaning.filling import Filled, edits, filled, open_fills
from transformers.cleaning.nothing import WORD_AMONG_TEXT, WORD_SURE, Nothing, is_sentinel, is_word, nothing_of
from transformers.cleaning.null_strategies import NullHandlerParameters, Strategy, strategies_of
from transformers.cleaning.rules import CellRule, ColumnDrop, FlagRule, Plan, RowRule, Stage, Work
from transformers.findings import Alert, Severity
from transformers.tables import quoted

AGENT_ID = "null-handler"
MANY = 0.5  # of a column's cells: a fill of more than this is mostly invention


def plan(work: Work, form: NullHandlerParameters) -> Plan:
    strategies = strategies_of(work, form)
    found = [nothing_of(work.db, column, disguised=form.detect_disguised_nulls) for column in work.columns]
    work.report_progress(0.3)
    by_name = {nothing.column.name: nothing for nothing in found}
    open_fills(work)
    fills = [filled(work, form, by_name[name], strategy) for name, strategy in strategies.items()]
    work.report_progress(1.0)
    dropped = tuple(_drops(strategies))
    emptied = tuple(rule for nothing in found for rule in _emptied(nothing))
    return Plan(
        cells=(*emptied, *(one.rule for one in fills if one.rule), *edits(work)),
        rows=tuple(_rows(form, strategies, found)),
        drops=dropped,
        flags=tuple(_flags(form, strategies, found)),
        data=_data(found, strategies, fills),
        alerts=tuple(_alerts(found, strategies, fills)),
    )


def _emptied(nothing: Nothing) -> Iterator[CellRule]:
    """Disguised nulls become real ones."""
    column = nothing.column
    if nothing.disguised and (column.disguised or column.physical in {"FLOAT", "DOUBLE"}):
        sure = WORD_AMONG_TEXT if column.logical.value in {"text", "categorical", "identifier"} else WORD_SURE
        yield CellRule(
            "disguised_null",
            column.name,
            lambda cell: f"CASE WHEN {nothing.is_word(cell)} THEN NULL ELSE {cell} END",
            confidence=sure,
        )
    if nothing.sure:
        yield CellRule(
            "sentinel_null",
            column.name,
            lambda cell: f"CASE WHEN {nothing.is_sentinel(cell)} THEN NULL ELSE {cell} END",
            confidence=min(one.confidence for one in nothing.sure),
        )


def _rows(form: NullHandlerParameters, strategies: dict[str, Strategy], found: Sequence[Nothing]) -> Iterator[RowRule]:
    """A column without a single value says nothing about a row: it sets none aside."""
    for nothing in found:
        name = nothing.column.name
        own = strategies.get(name)
        everywhere = form.global_strategy == "drop_rows" and own is None and nothing.column.present
        if (own == "drop_rows" or everywhere) and nothing.may_be_missing:
            yield RowRule("missing_value", nothing.condition, f"{name} is missing.", column=name)


def _drops(strategies: dict[str, Strategy]) -> Iterator[ColumnDrop]:
    for name, strategy in strategies.items():
        if strategy == "drop_column":
            yield ColumnDrop("drop_column", name, "Dropped, as column_strategies says.")


def _flags(
    form: NullHandlerParameters, strategies: dict[str, Strategy], found: Sequence[Nothing]
) -> Iterator[FlagRule]:
    for nothing in found:
        column, cell = nothing.column, quoted(nothing.column.name)
        if column.name not in strategies and form.global_strategy == "column_specific" and nothing.may_be_missing:
            yield FlagRule("missing", column.name, nothing.condition, Severity.LOW, "Missing, and not filled.")
        if nothing.doubtful and column.disguised:
            words = f"({is_word(column, cell)} AND NOT {is_word(column, cell, nothing.doubtful)})"
            message = "May stand for nothing, or be a value of this column: left as it is."
            yield FlagRule("possible_null", column.name, words, Severity.LOW, message)
        if nothing.unsure:
            condition = is_sentinel(column, cell, nothing.unsure)
            message = "May stand for nothing: the only one below nought, again and again. Left as it is."
            yield FlagRule("possible_null", column.name, condition, Severity.LOW, message)


def _data(found: Sequence[Nothing], strategies: dict[str, Strategy], fills: Sequence[Filled]) -> dict[str, Any]:
    learnt = {one.column: one.fill for one in fills if one.fill}
    return {
        "columns": [
            {
                "name": nothing.column.name,
                "missing": nothing.column.nulls,
                "words_for_nothing": nothing.column.disguised,
                "sentinels": [
                    {"value": s.value, "times": s.times, "confidence": s.confidence, "reason": s.reason}
                    for s in nothing.sentinels
                ],
                "strategy": strategies.get(nothing.column.name),
                "fill_confidence": learnt[nothing.column.name].confidence if nothing.column.name in learnt else None,
            }
            for nothing in found
        ]
    }


def _alerts(found: Sequence[Nothing], strategies: dict[str, Strategy], fills: Sequence[Filled]) -> Iterator[Alert]:
    invented = [
        n.column.name
        for n in found
        if strategies.get(n.column.name, "drop_rows") not in {"drop_rows", "drop_column"}
        and n.column.missing > MANY * n.column.rows
    ]
    nothing_learnt = [one.column for one in fills if one.fill and one.fill.value is None]
    for number, (severity, names, message, advice) in enumerate(
        (
            (
                Severity.HIGH,
                invented,
                "Most of these columns' cells are filled: {}.",
                "Drop such columns, or find the source.",
            ),
            (
                Severity.MEDIUM,
                nothing_learnt,
                "Nothing to learn a fill from in {}.",
                "Give a constant, or drop the column.",
            ),
        ),
        start=1,
    ):
        if names:
            yield Alert(
                alert_id=f"{AGENT_ID}-alert-fill-{number}",
                severity=severity,
                category="completeness",
                message=message.format(", ".join(names)),
                affected_fields_count=len(names),
                recommendation=advice,
            )


STAGE = Stage(AGENT_ID, "Null handler", NullHandlerParameters, plan)
