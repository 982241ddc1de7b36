"""A judgement on a table, and the agent's result that says it: findings of columns from the one, of rows beside it."""

from collections.abc import Sequence
from typing import Any, Protocol

from transformers.findings import AgentResult, Alert, Chart, Issue, Recommendation, SummaryCard
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
