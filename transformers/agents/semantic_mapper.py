"""semantic-mapper: columns and values onto a standard schema, with confidence (CATALOGUE §2)."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from backend.errors import BadParameters
from transformers.cells.columns import Column, read_columns
from transformers.findings import AgentResult, Severity
from transformers.mastering.findings import Said, some
from transformers.mastering.mapping import ColumnMapping, map_columns
from transformers.mastering.memory import room_left
from transformers.mastering.renames import RENAMED, current_names
from transformers.mastering.value_mapping import ValueMapping, carried_out, standard_values
from transformers.mastering.work_files import CHANGE_LOG, parquet
from transformers.tables import Table
from transformers.tool import Agent, AgentContext, AgentFile, AgentParameters, Delivery

if TYPE_CHECKING:
    import duckdb

AGENT_ID = "semantic-mapper"
CONTRACT_ID = "contract-enforcer"


class SemanticMapperParameters(AgentParameters):
    custom_column_mappings: dict[str, str] = Field(default={}, description="The new name by column.")
    custom_value_mappings: dict[str, dict[str, str]] = Field(
        default={}, description="The new value by old value, by column; case does not matter."
    )
    confidence: float = Field(default=0.7, ge=0, le=1, description="Mappings below it are told, not made.")
    auto_detect: bool = Field(default=True, description="Find the standard field of columns that are not given.")
    apply: bool = Field(default=True, description="Rename the columns and rewrite the values; else only tell.")


def run(context: AgentContext) -> Delivery:
    table, form = context.primary, context.parameters
    assert isinstance(form, SemanticMapperParameters)
    known = current_names(context.earlier, table.columns)
    given = _given(table, {known.get(name, name): new for name, new in form.custom_column_mappings.items()})
    values = {known.get(name, name): rules for name, rules in form.custom_value_mappings.items()}
    _given(table, dict.fromkeys(values, ""), "custom_value_mappings")
    with context.database() as db:
        with room_left(db, context.memory_bytes):
            columns = read_columns(db, table)
        context.report_progress(0.4)
        mappings = map_columns(columns, given) if form.auto_detect else map_columns([], given)
        bound = _is_bound(context)
        sure = [m for m in mappings if m.confidence >= form.confidence and (m.why == "given" or not bound)]
        rewritten = standard_values(db, table, columns, sure if form.auto_detect else [], values, least=form.confidence)
        context.report_progress(0.7)
        names = _new_names(table, sure)
        after, files, changes = _applied(context, db, names, rewritten) if form.apply else (None, (), {})
    context.report_progress(1.0)
    result = _result(columns, mappings, names, rewritten, form=form, changes=changes, bound=bound)
    return Delivery(result=result, table=after, files=files)


def _given(table: Table, given: dict[str, str], parameter: str = "custom_column_mappings") -> dict[str, str]:
    """Raises BadParameters for a column that is not there, or two that would get one name."""
    for name in given:
        if name not in table.columns:
            raise BadParameters(f"{parameter}: the table has no column called {name!r}.", field=parameter)
    named = [new.casefold() for new in given.values() if new]
    if len(set(named)) < len(named):
        raise BadParameters(f"{parameter}: two columns would get the same name.", field=parameter)
    return given


def _is_bound(context: AgentContext) -> bool:
    """Whether a contract has named the columns already: then what we find is told and nothing is renamed."""
    return any(d.agent_id == CONTRACT_ID and d.result.data.get("enforced") for d in context.earlier)


def _new_names(table: Table, mappings: list[ColumnMapping]) -> dict[str, str]:
    """New name by column; one that another column keeps is not given away."""
    wanted = {m.column: m.field for m in mappings if m.field != m.column}
    kept = {name.casefold() for name in table.columns if name not in wanted}
    return {column: new for column, new in wanted.items() if new.casefold() not in kept}


def _applied(
    context: AgentContext, db: "duckdb.DuckDBPyConnection", names: dict[str, str], rewritten: list[ValueMapping]
) -> tuple[Table | None, tuple[AgentFile, ...], dict[str, int]]:
    if not names and not any(mapping.cells for mapping in rewritten):
        return None, (), {}
    log, path = context.scratch / "changes.parquet", context.scratch / "table.parquet"
    after, changes = carried_out(db, context.primary, names, rewritten, path=path, log=log)
    return after, (parquet(log, CHANGE_LOG, AGENT_ID, is_output=True),) if changes else (), changes


def _result(
    columns: tuple[Column, ...],
    mappings: list[ColumnMapping],
    names: dict[str, str],
    rewritten: list[ValueMapping],
    *,
    form: SemanticMapperParameters,
    changes: dict[str, int],
    bound: bool,
) -> AgentResult:
    said = Said(AGENT_ID, AGENT.name)
    sure = [m for m in mappings if m.confidence >= form.confidence]
    doubtful = [m for m in mappings if m.confidence < form.confidence]
    mapped = {m.column for m in sure}
    unmapped = [column.name for column in columns if column.name not in mapped]
    for one in doubtful:
        message = f"May be {one.field!r} ({one.why}), with a confidence of {one.confidence:.2f}: below what was asked."
        said.issue(one.column, "uncertain_mapping", Severity.LOW, message)
    if doubtful:
        listed = some([f"{m.column} → {m.field}" for m in doubtful])
        advice = "Give those that are right as custom_column_mappings."
        said.alert(Severity.LOW, "mapping", f"Possible, but not sure: {listed}.", advice, len(doubtful))
        said.recommend(doubtful[0].column, Severity.LOW, f"{advice} Possible: {listed}.", 0.1 * len(doubtful))
    if unmapped:
        message = f"{len(unmapped)} columns have no field in the standard schema: {some(unmapped)}."
        said.alert(Severity.INFO, "mapping", message, "They stay as they are.", len(unmapped))
    if bound and form.auto_detect:
        said.alert(Severity.INFO, "mapping", "A contract has named the columns; what was found renames none.")
    said.card("Columns mapped", f"{len(sure)} of {len(columns)}", "onto the standard schema")
    said.card("Values rewritten", sum(changes.values()), "cells, each in the change log")
    data: dict[str, Any] = {
        "column_mappings": [
            {"column": m.column, "field": m.field, "confidence": m.confidence, "why": m.why,
             "applied": bool(form.apply and m.column in names)}
            for m in mappings
        ],
        "value_mappings": [mapping.summary for mapping in rewritten],
        RENAMED: names if form.apply else {},
        "unmapped": unmapped,
        "changes": changes,
    }  # fmt: skip
    metrics = {
        "columns": len(columns),
        "columns_mapped": len(sure),
        "columns_renamed": len(names) if form.apply else 0,
        "uncertain_mappings": len(doubtful),
        "cells_changed": sum(changes.values()),
    }
    text = (
        f"{len(sure)} of {len(columns)} columns are fields of the standard schema, {len(doubtful)} more may be."
        f" {metrics['columns_renamed']} were renamed and {metrics['cells_changed']:,} cells rewritten."
    )
    return said.result(metrics, data, text)


AGENT = Agent(
    id=AGENT_ID,
    name="Semantic mapper",
    description="Columns and values onto a standard schema of master data, each with a confidence.",
    parameters=SemanticMapperParameters,
    run=run,
)
