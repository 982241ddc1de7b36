"""score-risk: personal and secret data, by value and by column name, and what it means (CATALOGUE §2)."""

from typing import Any

from pydantic import Field

from transformers.cells.columns import TEMPORAL, LogicalType, read_columns
from transformers.findings import AgentResult, RowIssue, Severity
from transformers.profiling.table_profile import Sampled
from transformers.risk.judgements import Leak, Levels, RiskReport, field_risk, judged
from transformers.risk.sample import RULE, draw_sample, sampled_cells
from transformers.risk.table_context import in_context
from transformers.row_findings import RowFindings
from transformers.tables import Table
from transformers.tool import Agent, AgentContext, AgentParameters

AGENT_ID = "score-risk"


class ScoreRiskParameters(AgentParameters):
    pii_sample_size: int = Field(
        default=10_000, ge=1, le=100_000, description="Rows whose values are read; all, where the table has fewer."
    )
    high_risk_threshold: float = Field(default=70, ge=0, le=100, description="Score from which a field's risk is high.")
    medium_risk_threshold: float = Field(
        default=40, ge=0, le=100, description="Score from which a field's risk is medium."
    )
    pii_detection_enabled: bool = Field(default=True, description="Look for personal and secret data by value.")
    sensitive_field_detection_enabled: bool = Field(default=True, description="Look for it by column name.")
    governance_check_enabled: bool = Field(default=True, description="Add notes on GDPR, CCPA and HIPAA.")


def run(context: AgentContext) -> AgentResult:
    table, parameters = context.primary, context.parameters
    assert isinstance(parameters, ScoreRiskParameters)
    with context.database() as db:
        columns = read_columns(db, table)
        context.report_progress(0.3)
        rows = RowFindings.over(db, table)
        n = draw_sample(db, table, parameters.pii_sample_size)
        fields = []
        for place, column in enumerate(columns, start=1):
            risk, leaks = field_risk(
                column.name,
                sampled_cells(db, column),
                temporal=column.logical in TEMPORAL,
                measured=column.logical is LogicalType.DECIMAL,
                by_value=parameters.pii_detection_enabled,
                by_name=parameters.sensitive_field_detection_enabled,
            )
            fields.append(risk)
            _note(rows, leaks)
            context.report_progress(0.3 + 0.7 * place / len(columns))
    fields = in_context(fields)
    levels = Levels(parameters.high_risk_threshold, parameters.medium_risk_threshold)
    report = judged(AGENT_ID, fields, levels, notes=parameters.governance_check_enabled)
    return _result(table, report, rows, n)


def _note(rows: RowFindings, leaks: list[Leak]) -> None:
    import numpy as np

    for severity in Severity:
        some = [leak for leak in leaks if leak.severity is severity]
        for kind in sorted({leak.kind for leak in some}):
            same = [leak for leak in some if leak.kind == kind]
            places = np.array([leak.row for leak in same], dtype=np.int64)
            rows.count(f"unexpected_{kind}", severity, same[0].column, places)
            rows.keep(
                RowIssue(
                    row_index=leak.row,
                    column=leak.column,
                    issue_type=f"unexpected_{kind}",
                    severity=severity,
                    message=f"Holds {kind.value.replace('_', ' ')} where the column's other cells do not.",
                    value=leak.masked,
                )
                for leak in same
            )


def _result(table: Table, report: RiskReport, rows: RowFindings, n: int) -> AgentResult:
    data: dict[str, Any] = report.data
    sampled = Sampled(figure="personal data by value", rule=RULE, n=n, of=table.rows)
    data["sampled"] = [sampled.model_dump(mode="json")] if n < table.rows else []
    return AgentResult(
        agent_id=AGENT_ID,
        agent_name=AGENT.name,
        summary_metrics=report.metrics,
        data=data,
        alerts=report.alerts,
        issues=report.issues,
        row_level_issues=rows.kept,
        issue_summary=rows.summary(report.issues),
        recommendations=report.recommendations,
        executive_summary=report.cards,
        analysis_text=report.text,
    )


AGENT = Agent(
    id=AGENT_ID,
    name="Risk scorer",
    description="Personal and secret data by value and by column name, with GDPR, CCPA and HIPAA notes.",
    parameters=ScoreRiskParameters,
    run=run,
)
