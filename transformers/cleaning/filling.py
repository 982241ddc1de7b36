"""A strategy carried out: one figure for a column is a rule, what other rows give are edits in the table FILLS."""

from dataclasses import dataclass
from typing import Any

from backend.errors import BadParameters
from transformers.cells.columns import Column
from transformers.cells.kinds import literal
from transformers.cleaning.imputation import Fill, centre, is_number, most_frequent, neighbours
from transformers.cleaning.nearest import Vote, fill_by_nearest
from transformers.cleaning.nothing import Nothing, is_blank
from transformers.cleaning.null_strategies import NullHandlerParameters, Strategy
from transformers.cleaning.rules import CellEdits, CellRule, Work

FILLS = "null_fills"
EDIT_COLUMNS = 'source_row BIGINT, "column" VARCHAR, new VARCHAR, rule VARCHAR, confidence DOUBLE'


def open_fills(work: Work) -> None:
    work.db.execute(f"CREATE OR REPLACE TEMP TABLE {FILLS}({EDIT_COLUMNS})")


def edits(work: Work) -> tuple[CellEdits, ...]:
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


def filled(work: Work, form: NullHandlerParameters, nothing: Nothing, strategy: Strategy) -> Filled:
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

    def put(cell: str) -> str:
        typed = value if column.is_text else f"CAST({value} AS {column.physical})"
        return f"CASE WHEN {is_blank(cell, column.physical)} THEN {typed} ELSE {cell} END"

    return CellRule(rule, column.name, put, confidence=fill.confidence)
