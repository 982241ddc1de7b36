"""Random tables and random chains of made-up stages, for the properties that hold for all of them."""

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import strategies as st

from transformers.cells.kinds import literal
from transformers.cleaning.delivery import delivery_of, run_stage
from transformers.cleaning.rules import (
    CellEdits,
    CellRule,
    ColumnDrop,
    FlagRule,
    Plan,
    RowRemovals,
    RowRule,
    Stage,
    Work,
)
from transformers.findings import Severity
from transformers.tables import SOURCE_ROW, Table, quoted
from transformers.tool import PRIMARY, AgentContext, AgentParameters, Delivery

ROW = quoted(SOURCE_ROW)
CELLS = st.one_of(st.none(), st.sampled_from(["", " ", "a", "A ", " b", "Ä", "7", "07", "1.50", "-0.0", 'x,"y"\n']))
FLOATS = st.one_of(st.none(), st.sampled_from([0.0, -0.0, 1.5, 1e300, float("inf"), float("nan"), 0.1 + 0.2]))


class Told(AgentParameters):
    """What a made-up stage does, in words."""

    acts: tuple[tuple[str, int], ...] = ()


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    rows = draw(st.integers(0, 12))
    columns = {
        f"c{i}": pa.array(draw(st.lists(CELLS, min_size=rows, max_size=rows)), pa.string())
        for i in range(draw(st.integers(1, 4)))
    }
    columns["f"] = pa.array(draw(st.lists(FLOATS, min_size=rows, max_size=rows)), pa.float64())
    return pa.table(columns)


ACTS = ("trim", "upper", "null", "text", "edit", "by_condition", "by_number", "drop", "flag")
CHAINS = st.lists(
    st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 3)), max_size=5).map(tuple), min_size=1, max_size=4
)


def plan(work: Work, form: Told) -> Plan:
    proposals: dict[str, list[Any]] = {"cells": [], "rows": [], "drops": [], "flags": []}
    for act, pick in form.acts:
        column = work.table.columns[pick % len(work.table.columns)]
        kind, proposal = _proposal(act, column, pick, work)
        if act == "drop" and len(work.table.columns) - len(proposals["drops"]) < 2:
            continue
        if proposal not in proposals[kind]:
            proposals[kind].append(proposal)
    return Plan(**{kind: tuple(some) for kind, some in proposals.items()})


def _proposal(act: str, column: str, pick: int, work: Work) -> tuple[str, Any]:  # noqa: PLR0911 (one line an act)
    name, text = quoted(column), work.types[column] == "VARCHAR"
    match act:
        case "trim" | "upper":
            return "cells", CellRule(
                act, column, lambda cell: f"{act}({cell})" if text else f"abs(TRY_CAST({cell} AS DOUBLE))"
            )
        case "null":
            return "cells", CellRule(
                act, column, lambda cell: f"CASE WHEN {ROW} % 3 = {pick} THEN NULL ELSE {cell} END"
            )
        case "text":
            return "cells", CellRule(act, column, lambda cell: f"CAST({cell} AS VARCHAR)", 0.5, type="VARCHAR")
        case "edit":
            said = f"{ROW} AS source_row, {literal(column)} AS \"column\", '{pick}' AS new, 'edit' AS rule"
            return "cells", CellEdits(f'SELECT {said}, 0.25::DOUBLE AS confidence FROM "primary" WHERE {ROW} % 2 = 0')
        case "by_condition":
            return "rows", RowRule(act, f"{name} IS NULL", f"{column} is missing.", column=column)
        case "by_number":
            said = f"{ROW} AS source_row, 'by_number' AS rule, 'A third.' AS reason, 0.5::DOUBLE AS confidence"
            return "rows", RowRemovals(f'SELECT {said}, 1::BIGINT AS kept_row FROM "primary" WHERE {ROW} % 5 = {pick}')
        case "drop":
            return "drops", ColumnDrop(act, column, "Not wanted.")
        case _:
            return "flags", FlagRule("flag", column, f"{name} IS NOT NULL", Severity.LOW, "There is something.")


def run_chain(folder: Path, table: Table, chain: list[tuple[tuple[str, int], ...]]) -> tuple[Table, list[Delivery]]:
    """The last table, and what each stage left."""
    delivered = []
    for number, acts in enumerate(chain):
        stage = Stage(f"agent-{number}", "Agent", Told, plan)
        scratch = folder / f"{len(list(folder.iterdir()))}-{number}"
        scratch.mkdir()
        context = AgentContext({PRIMARY: table}, Told(acts=acts), scratch, 2**27)
        delivery = delivery_of(context, run_stage(context, stage))
        table = delivery.table or table
        delivered.append(replace_table(delivery))
    return table, delivered


def replace_table(delivery: Delivery) -> Delivery:
    """As a chain hands it on."""
    return delivery.model_copy(update={"table": None})


def same_tables(db: duckdb.DuckDBPyConnection, one: Table, other: Table) -> bool:
    """Cell for cell, by type and by text, and in the order of the files."""
    described = [
        [line[:2] for line in db.execute(f"DESCRIBE FROM '{table.path}'").fetchall()] for table in (one, other)
    ]
    rows = [
        db.execute(f"SELECT COLUMNS(*)::VARCHAR FROM read_parquet('{table.path}')").fetchall() for table in (one, other)
    ]
    return described[0] == described[1] and rows[0] == rows[1]
