"""The task's report: what every agent found, merged, ranked and summed up (CATALOGUE §3).

Pure: the same outcomes give the same report. What belongs to the run (ids, times) is handed in.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum

from transformers.findings import (
    ROW_ISSUES_KEPT,
    AgentResult,
    Alert,
    Finding,
    Issue,
    IssueSummary,
    Recommendation,
    RowIssue,
    Severity,
    SummaryCard,
)
from transformers.profiling.table_profile import TableProfile
from transformers.reporting.intake import intake_result
from transformers.reporting.routing import RoutingDecision, next_tools
from transformers.reporting.summary import FailedAgent, in_words, spoken_time
from transformers.stored_files import StoredFile
from transformers.tables import Table

RANK = {severity: rank for rank, severity in enumerate(Severity)}


class ReportStatus(StrEnum):
    SUCCESS = "success"
    PARTIAL = "partial"
    FAILED = "failed"


class ReportHead(Finding):
    """What the run knows of itself. `agents` are the chosen ones, in running order."""

    analysis_id: str
    tool_id: str
    tool_name: str
    agents: tuple[str, ...]
    timestamp: datetime
    execution_time_ms: int
    on_tables: bool = True  # what it found is about columns and rows


class StepOutcome(Finding):
    """One agent's turn: its result, or why there is none."""

    agent_id: str
    agent_name: str
    result: AgentResult | None = None
    error_code: str | None = None
    message: str | None = None
    required: bool = False
    outputs: tuple[StoredFile, ...] = ()
    table: StoredFile | None = None  # what it left for the next step


class Download(Finding):
    name: str
    kind: str  # report_json, report_xlsx, report_html, data, manifest …
    media_type: str
    size_bytes: int | None = None
    sha256: str | None = None


def download_of(output: StoredFile) -> Download:
    """A step's output: its key is nobody's business but ours."""
    return Download(
        name=output.name,
        kind=output.kind,
        media_type=output.content_type,
        size_bytes=output.size,
        sha256=output.sha256,
    )


class ReportBody(Finding):
    alerts: tuple[Alert, ...]
    issues: tuple[Issue, ...]
    recommendations: tuple[Recommendation, ...]
    executive_summary: tuple[SummaryCard, ...]
    analysis_summary: str
    row_level_issues: tuple[RowIssue, ...]
    issue_summary: IssueSummary
    routing_decisions: tuple[RoutingDecision, ...]
    downloads: tuple[Download, ...]
    failed_agents: tuple[FailedAgent, ...]
    agent_results: dict[str, AgentResult]


class Report(Finding):
    analysis_id: str
    tool: str
    tool_name: str
    status: ReportStatus
    timestamp: datetime
    execution_time_ms: int
    report: ReportBody


def build_report(
    head: ReportHead,
    results: Sequence[StepOutcome],
    *,
    known_tools: Collection[str] = (),
    downloads: Sequence[Download] = (),
    tables: Sequence[Table] = (),
) -> Report:
    """`known_tools` are the ids the catalogue offers: nothing else is recommended as a next step. `tables` bring what
    intake repaired and set aside.
    """
    delivered = [outcome.result for outcome in results if outcome.result is not None]
    failed = tuple(_failure(outcome) for outcome in results if outcome.result is None)
    body = _body(head, delivered, failed, intake_result(tables))
    decisions = next_tools(head.tool_id, delivered, known_tools)
    summary = in_words(head.tool_name, delivered, body, failed, decisions, on_tables=head.on_tables)
    body = body.model_copy(
        update={"analysis_summary": summary, "routing_decisions": decisions, "downloads": tuple(downloads)}
    )
    return Report(
        analysis_id=head.analysis_id,
        tool=head.tool_id,
        tool_name=head.tool_name,
        status=_status(results),
        timestamp=head.timestamp,
        execution_time_ms=head.execution_time_ms,
        report=body,
    )


def render_json(report: Report) -> str:
    return report.model_dump_json(indent=2)


def profile_in(report: Report) -> TableProfile | None:
    """The unified profiler's profile, where it is in the report."""
    result = report.report.agent_results.get("unified-profiler")
    return TableProfile.model_validate(result.data) if result else None


def _status(results: Sequence[StepOutcome]) -> ReportStatus:
    missing = [outcome for outcome in results if outcome.result is None]
    if not missing:
        return ReportStatus.SUCCESS
    if len(missing) == len(results) or any(outcome.required for outcome in missing):
        return ReportStatus.FAILED
    return ReportStatus.PARTIAL


def _failure(outcome: StepOutcome) -> FailedAgent:
    return FailedAgent(
        agent_id=outcome.agent_id,
        agent_name=outcome.agent_name,
        error_code=outcome.error_code or "INTERNAL_ERROR",
        message=outcome.message or "The agent did not deliver.",
    )


def _body(
    head: ReportHead, delivered: Sequence[AgentResult], failed: tuple[FailedAgent, ...], intake: AgentResult | None
) -> ReportBody:
    heard = [*delivered, intake] if intake else delivered
    alerts = sorted((alert for result in heard for alert in result.alerts), key=lambda a: RANK[a.severity])
    issues = sorted((issue for result in heard for issue in result.issues), key=lambda i: RANK[i.severity])
    advice = sorted((r for result in heard for r in result.recommendations), key=lambda r: RANK[r.priority])
    rows = sorted((row for result in heard for row in result.row_level_issues), key=_severity_then_row)
    summary = _merged([result.issue_summary for result in heard], rows)
    cards = (
        *_standard_cards(
            head,
            delivered=len(delivered),
            failed=len(failed),
            alerts=len(alerts),
            issues=summary.total_issues,
            recommendations=len(advice),
        ),
        *(card for result in delivered for card in result.executive_summary),
    )
    return ReportBody(
        alerts=tuple(alerts),
        issues=tuple(issues),
        recommendations=tuple(advice),
        executive_summary=cards,
        analysis_summary="",
        row_level_issues=tuple(rows[:ROW_ISSUES_KEPT]),
        issue_summary=summary,
        routing_decisions=(),
        downloads=(),
        failed_agents=failed,
        agent_results={result.agent_id: result for result in delivered},
    )


def _severity_then_row(issue: RowIssue) -> tuple[int, int, str, str]:
    return RANK[issue.severity], issue.row_index, issue.column, issue.issue_type


def _merged(summaries: Sequence[IssueSummary], kept: Sequence[RowIssue]) -> IssueSummary:
    """Sums of sums. A row named by two agents is one row: exact where nothing was cut, else the least it can be."""
    types: Counter[str] = Counter()
    severities: Counter[str] = Counter()
    for summary in summaries:
        types.update(summary.by_type)
        severities.update(summary.by_severity)
    named = len({issue.row_index for issue in kept})
    return IssueSummary(
        total_issues=sum(summary.total_issues for summary in summaries),
        by_type=dict(sorted(types.items())),
        by_severity={severity.value: severities[severity.value] for severity in Severity if severities[severity.value]},
        affected_rows=max([named, *(summary.affected_rows for summary in summaries)]),
        affected_columns=tuple(sorted({name for summary in summaries for name in summary.affected_columns})),
        truncated=any(summary.truncated for summary in summaries) or len(kept) > ROW_ISSUES_KEPT,
    )


def _standard_cards(
    head: ReportHead, *, delivered: int, failed: int, alerts: int, issues: int, recommendations: int
) -> tuple[SummaryCard, ...]:
    chosen = max(len(head.agents), delivered + failed)
    return (
        _card("agents_used", "Agents used", f"{delivered}/{chosen}", "good" if not failed else "warning",
              "Agents that delivered, of those chosen."),
        _card("execution_time", "Execution time", spoken_time(head.execution_time_ms), "info",
              "Running time of the task."),
        _card("total_alerts", "Total alerts", f"{alerts:,}", "warning" if alerts else "good",
              "What needs attention, over all agents."),
        _card("total_issues", "Total issues", f"{issues:,}", "warning" if issues else "good",
              "Single faults found in columns and rows."),
        _card("total_recommendations", "Total recommendations", f"{recommendations:,}", "info",
              "Things to do next."),
    )  # fmt: skip


def _card(summary_id: str, title: str, value: str, status: str, description: str) -> SummaryCard:
    return SummaryCard(summary_id=summary_id, title=title, value=value, status=status, description=description)
