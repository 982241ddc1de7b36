"""null-handler's form and plan: what stands for nothing becomes nothing; what fills it, the customer says.

With no strategy given nothing is invented: disguised nulls become real ones, and missing cells are flagged.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from backend.errors import BadParameters
from transformers.cells.columns import Column
from transformers.cells.kinds import literal
from transformers.cleaning.imputation import Fill, centre, is_number, most_frequent, neighbours
from transformers.cleaning.naming_columns import known
from transformers.cleaning.nearest import Vote, fill_by_nearest
from transformers.cleaning.nothing import (
    ACTED_ON,
    WORD_AMONG_TEXT,
    WORD_SURE,
    Sentinel,
    doubtful_words,
    is_blank,
    is_sentinel,
    is_word,
    sentinels,
)
from transformers.cleaning.rules import (
    CellEdits,
    CellRule,
    ColumnDrop,
    FlagRule,
    Plan,
    RowRule,
    Stage,
    Work,
)
from transformers.findings import Alert, Severity
from transformers.tables import quoted
from transformers.tool import AgentParameters

AGENT_ID = "null-handler"
FILLS = "null_fills"
EDIT_COLUMNS = 'source_row BIGINT, "column" VARCHAR, new VARCHAR, rule VARCHAR, confidence DOUBLE'
MANY = 0.5  # of a column's cells: a fill of more than this is mostly invention

Strategy = Literal[
    "mean", "median", "mode", "forward_fill", "backward_fill", "constant", "knn_imputation", "drop_column", "drop_rows"
]


class NullHandlerParameters(AgentParameters):
    global_strategy: Literal["drop_rows", "column_specific"] = Field(
        default="column_specific", description="Set every row with a missing cell aside, or go by column_strategies."
    )
    column_strategies: dict[str, Strategy] = Field(
        default={}, description="By column: what to do where it is missing. Columns not named are left as they are."
    )
    fill_values: dict[str, str | int | float | bool] = Field(
        default={}, description="By column: the value of the strategy constant."
    )
    knn_neighbors: int = Field(default=5, ge=1, le=100, description="Most alike rows that knn_imputation asks.")
    detect_disguised_nulls: bool = Field(
        default=True,
        description="Empty cells that stand for nothing: N/A, -, 9999 or 1900-01-01 where nothing is near.",
    )


@dataclass(frozen=True)
class Nothing:
    """What of a column stands for nothing. `cell` is SQL for its cell, in any state."""

    column: Column
    disguised: bool  # whether it is looked for
    doubtful: tuple[str, ...]
    sentinels: tuple[Sentinel, ...]

    @property
    def sure(self) -> tuple[Sentinel, ...]:
        return tuple(one for one in self.sentinels if one.confidence >= ACTED_ON)

    @property
    def unsure(self) -> tuple[Sentinel, ...]:
        return tuple(one for one in self.sentinels if one.confidence < ACTED_ON)

    def is_word(self, cell: str) -> str:
        """Words, and what is no number in a column of floats."""
        if not self.disguised:
            return "false"
        nan = f"isnan({cell})" if self.column.physical in {"FLOAT", "DOUBLE"} else "false"
        return f"coalesce({is_word(self.column, cell, self.doubtful) if self.column.is_text else nan}, false)"

    def is_sentinel(self, cell: str) -> str:
        return is_sentinel(self.column, cell, self.sure)

    @property
    def condition(self) -> str:
        """SQL: the cell, as the table has it, is missing or stands for nothing."""
        cell = quoted(self.column.name)
        return f"({is_blank(cell, self.column.physical)} OR {self.is_word(cell)} OR {self.is_sentinel(cell)})"

    @property
    def may_be_missing(self) -> bool:
        return bool(self.column.missing or self.sure)


def plan(work: Work, form: NullHandlerParameters) -> Plan:
    strategies = _strategies(work, form)
    found = [_nothing(work, form, column) for column in work.columns]
    work.report_progress(0.3)
    by_name = {nothing.column.name: nothing for nothing in found}
    work.db.execute(f"CREATE OR REPLACE TEMP TABLE {FILLS}({EDIT_COLUMNS})")
    fills = [_filled(work, form, by_name[name], strategy) for name, strategy in strategies.items()]
    work.report_progress(1.0)
    dropped = tuple(_drops(strategies))
    emptied = tuple(rule for nothing in found for rule in _emptied(nothing))
    return Plan(
        cells=(*emptied, *(one.rule for one in fills if one.rule), *_edits(work)),
        rows=tuple(_rows(form, strategies, found)),
        drops=dropped,
        flags=tuple(_flags(form, strategies, found)),
        data=_data(found, strategies, fills),
        alerts=tuple(_alerts(found, strategies, fills)),
    )


def _strategies(work: Work, form: NullHandlerParameters) -> dict[str, Strategy]:
    """In the table's order."""
    known("fill_values", form.fill_values, work.table.columns)
    names = known("column_strategies", form.column_strategies, work.table.columns)
    for name in names:
        if form.column_strategies[name] == "constant" and name not in form.fill_values:
            raise BadParameters(
                f"fill_values: the strategy constant of {name!r} needs a value there.", field="fill_values"
            )
    return {name: form.column_strategies[name] for name in names}


def _nothing(work: Work, form: NullHandlerParameters, column: Column) -> Nothing:
    if not form.detect_disguised_nulls:
        return Nothing(column, disguised=False, doubtful=(), sentinels=())
    doubtful = doubtful_words(work.db, column)
    return Nothing(column, disguised=True, doubtful=doubtful, sentinels=tuple(sentinels(work.db, column)))


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


def _edits(work: Work) -> tuple[CellEdits, ...]:
    """What the rows around or alike gave, if anything."""
    [(some,)] = work.db.execute(f"SELECT count(*) > 0 FROM {FILLS}").fetchall()
    return (CellEdits(f"SELECT * FROM {FILLS}"),) if some else ()


@dataclass(frozen=True)
class Filled:
    """A column's strategy carried out. One figure for all is a rule; what rows give lies in FILLS."""

    column: str
    strategy: str
    rule: CellRule | None = None
    fill: Fill | None = None


def _filled(work: Work, form: NullHandlerParameters, nothing: Nothing, strategy: Strategy) -> Filled:
    column, here = nothing.column, f"(NOT {nothing.condition})"
    done = Filled(column.name, strategy)
    if strategy in {"drop_column", "drop_rows"} or not nothing.may_be_missing:
        return done
    rule = f"fill_{strategy}"
    if strategy == "knn_imputation":
        fill_by_nearest(work, column, here, Vote(form.knn_neighbors, rule), FILLS)
        return done
    if strategy in {"forward_fill", "backward_fill"}:
        before = strategy == "forward_fill"
        work.db.execute(f"INSERT INTO {FILLS} {neighbours(work.db, column, here, before=before, rule=rule)}")
        return done
    fill = _fill(work, form, column, here, strategy)
    if fill.value is None:
        return Filled(column.name, strategy, fill=fill)
    return Filled(column.name, strategy, _fill_rule(column, rule, fill), fill)


def _fill(work: Work, form: NullHandlerParameters, column: Column, here: str, strategy: str) -> Fill:
    if strategy == "constant":
        return Fill(_constant(work, column, form.fill_values[column.name]), 1.0)  # the customer's own word
    if strategy == "mode":
        return most_frequent(work.db, column, here)
    if not is_number(column) and column.present:
        raise BadParameters(
            f"column_strategies: {column.name!r} holds {column.logical.value} values, which have no {strategy}.",
            field="column_strategies",
        )
    return centre(work.db, column, here, median=strategy == "median")


def _constant(work: Work, column: Column, value: Any) -> str:
    """As text; a table with types of its own takes only what they take."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if not column.is_text:
        cast = f"TRY_CAST({literal(text)} AS {work.types[column.name]})"
        [(fits,)] = work.db.execute(f"SELECT {cast} IS NOT NULL").fetchall()
        if not fits:
            raise BadParameters(
                f"fill_values: {text!r} is no {work.types[column.name]}, as {column.name!r} holds.", field="fill_values"
            )
    return text


def _fill_rule(column: Column, rule: str, fill: Fill) -> CellRule:
    value = literal(fill.value or "")

    def filled(cell: str) -> str:
        typed = value if column.is_text else f"CAST({value} AS {column.physical})"
        return f"CASE WHEN {is_blank(cell, column.physical)} THEN {typed} ELSE {cell} END"

    return CellRule(rule, column.name, filled, confidence=fill.confidence)


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
