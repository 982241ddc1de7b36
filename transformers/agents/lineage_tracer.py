"""lineage-tracer: for each golden field the source rows and the rule that chose it, checked against the data.

Without golden records it tells for every column what became of the source's cells on their way.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers.findings import AgentResult, RowIssue, Severity
from transformers.mastering.findings import Said, some
from transformers.mastering.memory import leave_room
from transformers.mastering.plain_trace import trace_table
from transformers.mastering.tracing import ColumnTrace, Tracer
from transformers.mastering.work_files import CROSS_REFERENCE, LINEAGE, latest, parquet
from transformers.row_findings import RowFindings
from transformers.tables import Table
from transformers.tool import Agent, AgentContext, AgentFile, AgentParameters, Delivery

if TYPE_CHECKING:
    import duckdb

AGENT_ID = "lineage-tracer"
UNEXPLAINED = "unexplained_cell"


class LineageTracerParameters(AgentParameters):
    """It has none: every cell is traced."""


def run(context: AgentContext) -> Delivery:
    table, original = context.primary, context.original or context.primary
    lineage, references = latest(context.earlier, LINEAGE), latest(context.earlier, CROSS_REFERENCE)
    with context.database() as db:
        leave_room(db, context.memory_bytes)
        rows = RowFindings.over(db, table)
        if lineage is None or references is None:
            traces = trace_table(db, table, original, context.earlier)
            files: tuple[AgentFile, ...] = ()
            rules: dict[str, int] = {}
        else:
            traces, rules, path = _traced(context, db, original, lineage, references)
            files = (parquet(path, LINEAGE, AGENT_ID, is_output=True),)
        _note(db, table, rows)
    context.report_progress(1.0)
    return Delivery(result=_result(traces, rules, rows, golden=lineage is not None), files=files)


def _traced(
    context: AgentContext, db: "duckdb.DuckDBPyConnection", original: Table, lineage: Path, references: Path
) -> tuple[list[ColumnTrace], dict[str, int], Path]:
    tracer = Tracer(db, context.primary, original, context.earlier, lineage=lineage, references=references)
    path = context.scratch / "lineage.parquet"
    traces = tracer.write(path, lambda share: context.report_progress(0.9 * share))
    return traces, dict(sorted(tracer.rules.items())), path


def _note(db: "duckdb.DuckDBPyConnection", table: Table, rows: RowFindings) -> None:
    """Cells that are not what their lineage says, at the row of the table that begins their record."""
    from transformers.mastering.plain_trace import unexplained_cells

    for column, places, first in unexplained_cells(db, table, rows.room(UNEXPLAINED)):
        rows.count(UNEXPLAINED, Severity.HIGH, column, places)
        rows.keep(
            RowIssue(
                row_index=row,
                column=column,
                issue_type=UNEXPLAINED,
                severity=Severity.HIGH,
                message="The cell is not what its source row says, and no change was logged.",
            )
            for row in first
        )


def _result(traces: list[ColumnTrace], rules: dict[str, int], rows: RowFindings, *, golden: bool) -> AgentResult:
    said = Said(AGENT_ID, AGENT.name)
    cells, wrong = sum(t.cells for t in traces), sum(t.unexplained for t in traces)
    changed = sum(t.changed for t in traces)
    added = [t.column for t in traces if t.source is None]
    if wrong:
        names = [t.column for t in traces if t.unexplained]
        message = f"{wrong:,} cells are not what their source row says: {some(names)}."
        said.alert(Severity.HIGH, "lineage", message, "Do not use these cells before it is known why.", len(names))
        said.recommend(names[0], Severity.HIGH, f"Find out what changed {some(names)} without a log.", 1.0)
    if added:
        said.alert(Severity.INFO, "lineage", f"Columns that no source has: {some(added)}.", "", len(added))
    traced = round(1 - wrong / cells, 4) if cells else 1.0
    kind = "golden cells" if golden else "cells"
    said.card("Cells traced", f"{100 * traced:.2f} %", f"of {cells:,} {kind}, to their source row",
              status="warning" if wrong else "good")  # fmt: skip
    said.card("Changed on the way", changed, "cells, each by a logged change")
    data: dict[str, Any] = {
        "columns": {
            t.column: {"source_column": t.source, "cells": t.cells, "unchanged": t.unchanged, "changed": t.changed,
                       "unexplained": t.unexplained}
            for t in traces
        },
        "rules": rules,
        "golden_records": golden,
    }  # fmt: skip
    metrics = {"cells": cells, "cells_changed": changed, "unexplained_cells": wrong, "traced_share": traced}
    text = (
        f"{cells:,} {kind} were compared with their source: {changed:,} were changed on the way,"
        f" {wrong:,} have no explanation."
    )
    return said.result(metrics, data, text, rows)


AGENT = Agent(
    id=AGENT_ID,
    name="Lineage tracer",
    description="For every golden field its source rows and the rule that chose it, checked against the data.",
    parameters=LineageTracerParameters,
    run=run,
)
