"""What an agent says about data: the values a report is made of (CATALOGUE §3).

Plain frozen values that go to JSON; one severity scale everywhere.
"""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

ROW_ISSUES_KEPT = 1000  # a report stays readable and small; what is above it is counted and said


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class Finding(BaseModel):
    model_config = ConfigDict(frozen=True)


class Alert(Finding):
    alert_id: str
    severity: Severity
    category: str
    message: str
    affected_fields_count: int = 0
    recommendation: str = ""


class Issue(Finding):
    issue_id: str
    agent_id: str
    field_name: str
    issue_type: str
    severity: Severity
    message: str


class RowIssue(Finding):
    """One cell or row at fault. `row_index` is the row's number in the customer's own file, header not counted."""

    row_index: int
    column: str
    issue_type: str
    severity: Severity
    message: str
    value: str | None = None


class Recommendation(Finding):
    recommendation_id: str
    agent_id: str
    field_name: str
    priority: Severity
    recommendation: str
    timeline: str = ""
    estimated_effort_hours: float = 0.0
    owner: str = ""


class SummaryCard(Finding):
    summary_id: str
    title: str
    value: str
    status: str
    description: str


class Bar(Finding):
    """`before` is drawn behind the value, where something was changed."""

    label: str
    value: float
    before: float | None = None


class Chart(Finding):
    """What an agent wants to be seen at a glance: bars on one scale from zero."""

    title: str
    bars: tuple[Bar, ...]
    unit: str = ""


class IssueSummary(Finding):
    """Counted over everything that was found, also what the cap on row-level issues left out."""

    total_issues: int = 0
    by_type: dict[str, int] = Field(default_factory=dict)
    by_severity: dict[str, int] = Field(default_factory=dict)
    affected_rows: int = 0
    affected_columns: tuple[str, ...] = ()
    truncated: bool = False


class AgentResult(Finding):
    """What one agent delivers. `data` is the agent's own; the rest every report shows alike."""

    agent_id: str
    agent_name: str
    status: str = "success"
    execution_time_ms: int = 0
    summary_metrics: dict[str, Any] = Field(default_factory=dict)
    data: dict[str, Any] = Field(default_factory=dict)
    alerts: tuple[Alert, ...] = ()
    issues: tuple[Issue, ...] = ()
    row_level_issues: tuple[RowIssue, ...] = ()
    issue_summary: IssueSummary = IssueSummary()
    recommendations: tuple[Recommendation, ...] = ()
    executive_summary: tuple[SummaryCard, ...] = ()
    charts: tuple[Chart, ...] = ()
    analysis_text: str = ""
    defaults: dict[str, Any] = Field(default_factory=dict)
    overrides: dict[str, Any] = Field(default_factory=dict)
    parameters: dict[str, Any] = Field(default_factory=dict)


def summarise(issues: Iterable[Issue], row_issues: Iterable[RowIssue]) -> IssueSummary:
    """Count first, cap later: the totals of an agent that holds all its findings in memory."""
    issues, row_issues = list(issues), list(row_issues)
    every = [(i.issue_type, i.severity) for i in issues] + [(r.issue_type, r.severity) for r in row_issues]
    columns = {i.field_name for i in issues if i.field_name} | {r.column for r in row_issues if r.column}
    return IssueSummary(
        total_issues=len(every),
        by_type=dict(Counter(kind for kind, _ in every)),
        by_severity=dict(Counter(severity.value for _, severity in every)),
        affected_rows=len({r.row_index for r in row_issues}),
        affected_columns=tuple(sorted(columns)),
        truncated=len(row_issues) > ROW_ISSUES_KEPT,
    )
