"""A judgement on a table, and the agent's result that says it: findings of columns from the one, of rows beside it."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from transformers.findings import AgentResult, Alert, Chart, Issue, Recommendation, Severity, SummaryCard
from transformers.row_findings import RowFindings


class Judgement(Protocol):
    """What drift, test coverage and governance have to say."""

    def metrics(self) -> dict[str, Any]: ...

    def data(self) -> dict[str, Any]: ...

    def alerts(self) -> tuple[Alert, ...]: ...

    def issues(self) -> tuple[Issue, ...]: ...

    def recommendations(self) -> tuple[Recommendation, ...]: ...

    def cards(self) -> tuple[SummaryCard, ...]: ...

    def text(self) -> str: ...


def result_of(
    agent_id: str, agent_name: str, judgement: Judgement, rows: RowFindings, charts: Sequence[Chart] = ()
) -> AgentResult:
    issues = judgement.issues()
    return AgentResult(
        agent_id=agent_id,
        agent_name=agent_name,
        summary_metrics=judgement.metrics(),
        data=judgement.data(),
        alerts=judgement.alerts(),
        issues=issues,
        row_level_issues=rows.kept,
        issue_summary=rows.summary(issues),
        recommendations=judgement.recommendations(),
        executive_summary=judgement.cards(),
        charts=tuple(charts),
        analysis_text=judgement.text(),
    )


def issues_of(agent_id: str, found: Iterable[tuple[str, str, Severity, str]]) -> tuple[Issue, ...]:
    """Of (field, kind, severity, message), in their order."""
    return tuple(
        Issue(
            issue_id=f"{agent_id}-issue-{number}",
            agent_id=agent_id,
            field_name=name,
            issue_type=kind,
            severity=severity,
            message=message,
        )
        for number, (name, kind, severity, message) in enumerate(found, 1)
    )


def alerts_of(agent_id: str, category: str, found: Iterable[tuple[Severity, str, int, str]]) -> tuple[Alert, ...]:
    """Of (severity, message, how many fields, advice), in their order."""
    return tuple(
        Alert(
            alert_id=f"{agent_id}-alert-{number}",
            severity=severity,
            category=category,
            message=message,
            affected_fields_count=fields,
            recommendation=advice,
        )
        for number, (severity, message, fields, advice) in enumerate(found, 1)
    )


def recommendations_of(
    agent_id: str, found: Iterable[tuple[str, Severity, str, str]], *, hours: float, owner: str = "data owner"
) -> tuple[Recommendation, ...]:
    """Of (field, priority, sentence, timeline), in their order; `hours` is the effort of each."""
    return tuple(
        Recommendation(
            recommendation_id=f"{agent_id}-recommendation-{number}",
            agent_id=agent_id,
            field_name=name,
            priority=priority,
            recommendation=sentence,
            timeline=timeline,
            estimated_effort_hours=hours,
            owner=owner,
        )
        for number, (name, priority, sentence, timeline) in enumerate(found, 1)
    )
