"""An agent's findings as they gather, numbered and ranked at the end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from transformers.findings import AgentResult as Result
from transformers.findings import (
    Alert,
    Issue,
    IssueSummary,
    Recommendation,
    RowIssue,
    Severity,
    SummaryCard,
    summarise,
)
from transformers.row_findings import RANK, RowFindings

OWNER = "Data steward"


@dataclass
class Said:
    """What one agent has to say. Lists are in the order in which it was found."""

    agent_id: str
    agent_name: str
    alerts: list[Alert] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    recommendations: list[Recommendation] = field(default_factory=list)
    cards: list[SummaryCard] = field(default_factory=list)

    def alert(self, severity: Severity, category: str, message: str, advice: str = "", fields: int = 0) -> None:
        self.alerts.append(
            Alert(
                alert_id="",
                severity=severity,
                category=category,
                message=message,
                affected_fields_count=fields,
                recommendation=advice,
            )
        )

    def issue(self, column: str, kind: str, severity: Severity, message: str) -> None:
        number = len(self.issues) + 1
        self.issues.append(
            Issue(
                issue_id=f"{self.agent_id}-issue-{number}",
                agent_id=self.agent_id,
                field_name=column,
                issue_type=kind,
                severity=severity,
                message=message,
            )
        )

    def recommend(self, column: str, priority: Severity, advice: str, hours: float, timeline: str = "") -> None:
        self.recommendations.append(
            Recommendation(
                recommendation_id=f"{self.agent_id}-recommendation-{len(self.recommendations) + 1}",
                agent_id=self.agent_id,
                field_name=column,
                priority=priority,
                recommendation=advice,
                timeline=timeline or "before the records are used",
                estimated_effort_hours=hours,
                owner=OWNER,
            )
        )

    def card(self, title: str, value: object, description: str, *, status: str = "good") -> None:
        self.cards.append(
            SummaryCard(
                summary_id=f"{self.agent_id}-{len(self.cards) + 1}",
                title=title,
                value=f"{value:,}" if isinstance(value, int) else str(value),
                status=status,
                description=description,
            )
        )

    def result(
        self, metrics: Mapping[str, Any], data: Mapping[str, Any], text: str, rows: RowFindings | None = None
    ) -> Result:
        ranked = sorted(self.alerts, key=lambda alert: RANK[alert.severity])
        kept: tuple[RowIssue, ...] = rows.kept if rows else ()
        summary: IssueSummary = rows.summary(self.issues) if rows else summarise(self.issues, ())
        return Result(
            agent_id=self.agent_id,
            agent_name=self.agent_name,
            summary_metrics=dict(metrics),
            data=dict(data),
            alerts=tuple(
                alert.model_copy(update={"alert_id": f"{self.agent_id}-alert-{n}"}) for n, alert in enumerate(ranked, 1)
            ),
            issues=tuple(sorted(self.issues, key=lambda issue: RANK[issue.severity])),
            row_level_issues=kept,
            issue_summary=summary,
            recommendations=tuple(self.recommendations),
            executive_summary=tuple(self.cards),
            analysis_text=text,
        )


def some(names: list[str] | tuple[str, ...], most: int = 5) -> str:
    """The first names, and how many more there are."""
    listed = ", ".join(names[:most])
    return listed if len(names) <= most else f"{listed} and {len(names) - most} more"
