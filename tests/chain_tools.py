"""A chained tool for tests: each agent adds a column that says what it saw, and may die on the way."""

from pathlib import Path

from tests.probe_tools import ACTS, ProbeParameters
from transformers.findings import AgentResult
from transformers.tables import SOURCE_ROW, quoted
from transformers.tool import (
    MEBIBYTE,
    PRIMARY,
    TABULAR,
    Agent,
    AgentContext,
    AgentFile,
    Delivery,
    InputRole,
    Step,
    Tool,
)


def add(context: AgentContext) -> Delivery:
    return _link("add", context)


def mark(context: AgentContext) -> Delivery:
    return _link("mark", context)


def tell(context: AgentContext) -> Delivery:
    """Leaves the table as it is, and says what came before it."""
    ACTS[context.parameters.act](context, context.parameters)
    return Delivery(result=_result("tell", context))


def _link(agent_id: str, context: AgentContext) -> Delivery:
    ACTS[context.parameters.act](context, context.parameters)
    table, path = context.primary, context.scratch / "table.parquet"
    seen = "+".join(delivery.agent_id for delivery in context.earlier)
    with context.database() as db:
        db.execute(
            f"COPY (SELECT * EXCLUDE {quoted(SOURCE_ROW)}, '{seen}' AS {quoted(agent_id)}, {quoted(SOURCE_ROW)}"
            f" FROM {quoted(PRIMARY)} ORDER BY {quoted(SOURCE_ROW)}) TO '{path}' (FORMAT parquet)"
        )
    note = context.scratch / f"{agent_id}.txt"
    note.write_text(f"{agent_id} after {seen}")
    return Delivery(
        result=_result(agent_id, context),
        table=table.model_copy(update={"path": path, "columns": (*table.columns, agent_id)}),
        files=(_file(note, "note", is_output=True), _file(note, "inner", is_output=False)),
    )


def _file(path: Path, kind: str, *, is_output: bool) -> AgentFile:
    name = path.name if is_output else f"inner-{path.name}"
    return AgentFile(name=name, path=path, content_type="text/plain", kind=kind, is_output=is_output)


def _result(agent_id: str, context: AgentContext) -> AgentResult:
    assert context.original is not None
    assert context.source is not None
    metrics = {
        "columns": list(context.primary.columns),
        "original": list(context.original.columns),
        "source": context.source.read_text(),
        "earlier": [[d.agent_id, sorted(f.path.read_text() for f in d.files)] for d in context.earlier],
        "forms": list(context.forms),
        "documents": {role: path.read_text() for role, path in context.documents.items()},
    }
    return AgentResult(agent_id=agent_id, agent_name=agent_id.title(), summary_metrics=metrics)


CHAIN = Tool(
    id="chain",
    name="Chain",
    description="Three agents in a chain.",
    roles=(
        InputRole(PRIMARY, TABULAR, max_bytes=MEBIBYTE, required=True),
        InputRole("schema", ("json",), max_bytes=MEBIBYTE, is_table=False),
    ),
    steps=tuple(
        Step(
            Agent(id=agent_id, name=agent_id.title(), description="A link.", parameters=ProbeParameters, run=run), price
        )
        for agent_id, run, price in (("add", add, 10), ("mark", mark, 20), ("tell", tell, 30))
    ),
    chained=True,
)
