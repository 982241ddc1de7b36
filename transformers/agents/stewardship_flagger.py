"""stewardship-flagger: what people have to decide, as tasks in the order of their weight (CATALOGUE §2)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import Field

from transformers.cells.columns import read_columns
from transformers.findings import AgentResult, Severity
from transformers.mastering.business_rules import BusinessRule
from transformers.mastering.clusters import check_columns
from transformers.mastering.findings import Said, some
from transformers.mastering.lone_trust import known_of_lone_rows
from transformers.mastering.memory import leave_room
from transformers.mastering.renames import current_names
from transformers.mastering.steward_checks import Outlier, Seen, checks_of
from transformers.mastering.stewardship import SEVERITY, Kind, Tasks, summary
from transformers.mastering.task_list import write_tasks
from transformers.mastering.work_files import STEWARDSHIP
from transformers.row_findings import RowFindings
from transformers.tables import Table
from transformers.tool import Agent, AgentContext, AgentFile, AgentParameters, Delivery

AGENT_ID = "stewardship-flagger"
MINUTES_A_TASK = 3  # what a person takes to look at a record and decide
WEIGHTS = MappingProxyType({"critical": 4.0, "high": 3.0, "medium": 2.0, "low": 1.0})


class StewardshipFlaggerParameters(AgentParameters):
    required_columns: list[str] = Field(default=[], description="Columns in which every record needs a value.")
    confidence: float = Field(default=0.7, ge=0, le=1, description="Decisions and records below it become tasks.")
    field_validation_rules: dict[str, str | dict[str, Any]] = Field(
        default={}, description="By column: a pattern, or what a contract may say (type, allowed, min, max, pattern …)."
    )
    outlier_thresholds: dict[str, Outlier] = Field(
        default={}, description="By numeric column: a number of standard deviations, or {min, max}."
    )
    duplicate_key_columns: list[str] = Field(default=[], description="Columns that no two records share.")
    business_rules: list[BusinessRule] = Field(default=[], description="Conditions that every record has to meet.")
    severity_weights: dict[Severity, float] = Field(
        default={Severity(name): weight for name, weight in WEIGHTS.items()},
        description="What the order of the tasks goes by.",
    )


def run(context: AgentContext) -> Delivery:
    table, form = context.primary, context.parameters
    assert isinstance(form, StewardshipFlaggerParameters)
    form = _renamed(form, current_names(context.earlier, table.columns))
    check_columns(table, form.required_columns, "required_columns")
    check_columns(table, form.duplicate_key_columns, "duplicate_key_columns")
    with context.database() as db:
        leave_room(db, context.memory_bytes)
        columns = read_columns(db, table)
        context.report_progress(0.3)
        tasks = Tasks(db, table)
        for check in checks_of(db, table, columns, form, known_of_lone_rows(context.earlier)):
            tasks.check(check)
        context.report_progress(0.6)
        Seen(context.earlier, tasks).add_all(form.confidence)
        rows = RowFindings.over(db, table)
        tasks.note(rows)
        path = context.scratch / "stewardship.csv"
        counts, n = tasks.counts(), write_tasks(db, table, path, _weights(form), _record_id(table))
    context.report_progress(1.0)
    file = AgentFile(name="stewardship_tasks.csv", path=path, content_type="text/csv", kind=STEWARDSHIP)
    return Delivery(result=_result(counts, rows, n, form), files=(file,))


def _weights(form: StewardshipFlaggerParameters) -> dict[str, float]:
    return {**WEIGHTS, **{severity.value: weight for severity, weight in form.severity_weights.items()}}


def _record_id(table: Table) -> str | None:
    """The golden records' id: the first column that the builder puts before the customer's."""
    first = table.columns[0] if table.columns else ""
    return first if first.startswith("golden_id") else None


def _renamed(form: StewardshipFlaggerParameters, now: Mapping[str, str]) -> StewardshipFlaggerParameters:
    """The form with the names that columns have by now."""
    rules = [
        rule.model_copy(update={"condition": rule.condition.model_copy(update={"column": now[rule.condition.column]})})
        if rule.condition.column in now
        else rule
        for rule in form.business_rules
    ]
    return form.model_copy(
        update={
            "required_columns": [now.get(name, name) for name in form.required_columns],
            "duplicate_key_columns": [now.get(name, name) for name in form.duplicate_key_columns],
            "field_validation_rules": {now.get(k, k): rule for k, rule in form.field_validation_rules.items()},
            "outlier_thresholds": {now.get(k, k): rule for k, rule in form.outlier_thresholds.items()},
            "business_rules": rules,
        }
    )


def _result(
    counts: list[tuple[str, str, str, int]], rows: RowFindings, n: int, form: StewardshipFlaggerParameters
) -> AgentResult:
    said, told = Said(AGENT_ID, AGENT.name), summary(counts)
    by_kind: dict[str, int] = told["by_kind"]
    for kind in Kind:
        if by_kind[kind]:
            columns = sorted({column for found, _, column, _ in counts if found == kind and column})
            where = f" in {some(columns)}" if columns else ""
            words = kind.value.replace("_", " ").lower()
            said.alert(SEVERITY[kind], "stewardship", f"{by_kind[kind]:,} tasks: {words}{where}.", "", len(columns))
            hours = round(by_kind[kind] * MINUTES_A_TASK / 60, 1)
            said.recommend(columns[0] if columns else "", SEVERITY[kind], f"Work through: {words}{where}.", hours)
    grave = told["by_severity"].get("critical", 0)
    status = "critical" if grave else "warning" if n else "good"
    said.card("Tasks for stewards", n, "in the order of their weight", status=status)
    said.card("Critical tasks", grave, "to be done before the records are used", status="critical" if grave else "good")
    weights = _weights(form)
    burden = sum(weights.get(severity, 0.0) * tasks for _, severity, _, tasks in counts)
    metrics = {
        "tasks": n,
        "critical_tasks": grave,
        "weight": round(burden, 4),
        "estimated_hours": round(n * MINUTES_A_TASK / 60, 1),
    }
    data = {**told, "severity_weights": weights}
    text = (
        f"{n:,} tasks for data stewards, {grave:,} of them critical; about {metrics['estimated_hours']} hours of work."
    )
    return said.result(metrics, data, text, rows)


AGENT = Agent(
    id=AGENT_ID,
    name="Stewardship flagger",
    description="Tasks for people: what is missing, invalid, unresolved or suspected, the most pressing first.",
    parameters=StewardshipFlaggerParameters,
    run=run,
)
