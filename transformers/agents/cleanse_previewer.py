"""cleanse-previewer: what each rule of the chosen chain would do, in rows and cells, without doing it.

Every stage is run by the code that will run it for real, on what the stage before would leave; so a preview and the run
after it say the same. Of a large table a part is previewed, and the result says which.
"""

from dataclasses import replace
from typing import Any

from pydantic import Field

from transformers.cleaning.detected import Detected, detected
from transformers.cleaning.foreseen import Foreseen, files_in
from transformers.cleaning.part import Part, part_of
from transformers.cleaning.preview import Previewed, chain_of, previewed, will_run
from transformers.cleaning.results import impact
from transformers.findings import AgentResult, Alert, Recommendation, Severity, SummaryCard
from transformers.tool import PRIMARY, Agent, AgentContext, AgentParameters, Delivery

AGENT_ID = "cleanse-previewer"
EXAMINED = 0.2  # of its time, about, goes to looking for errors
ALERTS = 20  # the rules that touch most


class CleansePreviewerParameters(AgentParameters):
    preview_rules: tuple[str, ...] = Field(
        default=(), description="Rules or agents to show, by name; empty shows all. The whole chain is run either way."
    )
    high_impact_threshold: float = Field(
        default=10, ge=0, le=100, description="Percent of the rows from which a rule's impact is high."
    )
    medium_impact_threshold: float = Field(
        default=5, ge=0, le=100, description="Percent of the rows from which a rule's impact is medium."
    )

    def impact(self, rows: int, whole: int) -> str:
        return impact(rows, whole, self.high_impact_threshold / 100, self.medium_impact_threshold / 100)

    def shows(self, agent_id: str, rule: str) -> bool:
        return not self.preview_rules or agent_id in self.preview_rules or rule in self.preview_rules


def run(context: AgentContext) -> Delivery:
    parameters = context.parameters
    assert isinstance(parameters, CleansePreviewerParameters)
    with context.database() as db:
        part = part_of(db, context.primary, context.scratch)
    if part is None:
        return _of_whole(context, parameters)
    try:
        own = replace(context, tables={**context.tables, PRIMARY: part.table})
        result = _previewed(own, parameters, Foreseen())
    finally:
        part.table.path.unlink()
    return Delivery(result=_of_part(result, part))


def _of_whole(context: AgentContext, parameters: CleansePreviewerParameters) -> Delivery:
    """The agents after it will ask the same of the same rows; without any of them nobody asks."""
    if not will_run(context.forms):
        return Delivery(result=_previewed(context, parameters, Foreseen()))
    folder = context.scratch / "foreseen"
    folder.mkdir()
    result = _previewed(context, parameters, Foreseen(leaves=folder))
    return Delivery(result=result, files=files_in(folder))


def _previewed(context: AgentContext, parameters: CleansePreviewerParameters, foreseen: Foreseen) -> AgentResult:
    errors, told = detected(context), context.report_progress
    told(EXAMINED)
    chain = replace(context, report_progress=lambda done: told(EXAMINED + (1 - EXAMINED) * done))
    stages = list(previewed(chain, chain_of(context.forms), foreseen))
    rules = [rule for stage in stages for rule in _rules(stage, parameters)]
    return _with_errors(_result(context.primary.rows, stages, rules, parameters), errors)


def _of_part(result: AgentResult, part: Part) -> AgentResult:
    """Its figures are those of the rows that were previewed, and it says so."""
    return result.model_copy(
        update={
            "summary_metrics": {**result.summary_metrics, "rows_in_the_table": part.whole},
            "data": {**result.data, "part": part.told},
            "analysis_text": f"{part.sentence} {result.analysis_text}",
        }
    )


def _with_errors(result: AgentResult, errors: Detected | None) -> AgentResult:
    """What is probably wrong in the table as it is, beside what the chain would do."""
    if errors is None:
        return result.model_copy(update={"data": {**result.data, "errors": None}})
    found = sum(errors.counts.values())
    return result.model_copy(
        update={
            "summary_metrics": {**result.summary_metrics, "errors_detected": found},
            "data": {**result.data, "errors": errors.counts},
            "row_level_issues": errors.rows.kept,
            "issue_summary": errors.rows.summary(()),
            "analysis_text": f"{result.analysis_text} {found:,} cells of the table are probably wrong.",
        }
    )


def _rules(stage: Previewed, parameters: CleansePreviewerParameters) -> list[dict[str, Any]]:
    whole = stage.applied.rows_before
    return [
        {"agent_id": stage.stage.agent_id, **rule, "impact": _impact(rule, whole, parameters)}
        for rule in stage.rules
        if parameters.shows(stage.stage.agent_id, rule["rule"])
    ]


def _impact(rule: dict[str, Any], whole: int, parameters: CleansePreviewerParameters) -> str:
    return "none" if rule["action"] == "flagged" else parameters.impact(rule["rows"], whole)


def _result(
    rows: int, stages: list[Previewed], rules: list[dict[str, Any]], parameters: CleansePreviewerParameters
) -> AgentResult:
    metrics = _metrics(rows, stages)
    named = {rule["rule"] for rule in rules} | {stage.stage.agent_id for stage in stages}
    return AgentResult(
        agent_id=AGENT_ID,
        agent_name=AGENT.name,
        summary_metrics=metrics,
        data={
            "rules": rules,
            "stages": [_stage(stage, parameters) for stage in stages],
            "without_effect": [name for name in parameters.preview_rules if name not in named],
        },
        alerts=_alerts(rules, rows),
        recommendations=_recommendations(rules),
        executive_summary=(_card(metrics, rows, parameters),),
        analysis_text=_text(metrics, stages),
    )


def _metrics(rows: int, stages: list[Previewed]) -> dict[str, Any]:
    def total(name: str) -> int:
        return sum(stage.metrics[name] for stage in stages)

    return {
        "rows_before": rows,
        "rows_after": stages[-1].applied.table.rows if stages else rows,
        **{name: total(name) for name in ("rows_set_aside", "cells_changed", "columns_dropped", "cells_flagged")},
        "stages": len(stages),
    }


def _stage(stage: Previewed, parameters: CleansePreviewerParameters) -> dict[str, Any]:
    shown = [example for example in stage.applied.examples if parameters.shows(stage.stage.agent_id, example["rule"])]
    return {"agent_id": stage.stage.agent_id, "name": stage.stage.name, **stage.metrics, "examples": shown}


def _alerts(rules: list[dict[str, Any]], rows: int) -> tuple[Alert, ...]:
    large = [rule for rule in rules if rule["impact"] in ("high", "medium")]
    large.sort(key=lambda rule: (rule["impact"] != "high", -rule["rows"], rule["agent_id"], rule["rule"]))
    return tuple(
        Alert(
            alert_id=f"{AGENT_ID}-alert-{number}",
            severity=Severity(rule["impact"]),
            category="impact",
            message=_sentence(rule, rows),
            affected_fields_count=len(rule["columns"]),
            recommendation=f"Look at its examples, and at the parameters of {rule['agent_id']}, before you run it.",
        )
        for number, rule in enumerate(large[:ALERTS], start=1)
    )


def _sentence(rule: dict[str, Any], rows: int) -> str:
    done = {
        "changed": f"change {rule['cells']:,} cells in {rule['rows']:,} rows",
        "set_aside": f"set {rule['rows']:,} rows aside",
        "dropped": f"drop {', '.join(rule['columns'])}",
    }[rule["action"]]
    return f"{rule['agent_id']}, {rule['rule']}: would {done} of {rows:,}."


def _recommendations(rules: list[dict[str, Any]]) -> tuple[Recommendation, ...]:
    losing = sorted({r["agent_id"] for r in rules if r["impact"] == "high" and r["action"] != "changed"})
    return tuple(
        Recommendation(
            recommendation_id=f"{AGENT_ID}-recommendation-{number}",
            agent_id=AGENT_ID,
            field_name="",
            priority=Severity.HIGH,
            recommendation=f"{agent_id} would take away a tenth of the rows or a column: check its parameters first.",
            timeline="before the run",
            estimated_effort_hours=0.5,
            owner="data owner",
        )
        for number, agent_id in enumerate(losing, start=1)
    )


def _card(metrics: dict[str, Any], rows: int, parameters: CleansePreviewerParameters) -> SummaryCard:
    status = {"high": "bad", "medium": "warning", "low": "good"}[parameters.impact(metrics["rows_set_aside"], rows)]
    return SummaryCard(
        summary_id=AGENT_ID,
        title=AGENT.name,
        value=f"{metrics['cells_changed']:,} cells, {metrics['rows_set_aside']:,} rows",
        status=status,
        description="Cells that would be changed, rows that would be set aside.",
    )


def _text(metrics: dict[str, Any], stages: list[Previewed]) -> str:
    return (
        f"{len(stages)} stages would change {metrics['cells_changed']:,} cells, set {metrics['rows_set_aside']:,} of"
        f" {metrics['rows_before']:,} rows aside, and leave {metrics['rows_after']:,}."
    )


AGENT = Agent(
    id=AGENT_ID,
    name="Cleanse previewer",
    description="What each rule of the chosen chain would do, in rows and cells, without doing it.",
    parameters=CleansePreviewerParameters,
    run=run,
)
