"""The report in words: Markdown with four headings, written by rules. No model is needed to finish a task."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from transformers.findings import AgentResult, Finding, Severity
from transformers.reporting.routing import RoutingDecision

if TYPE_CHECKING:
    from transformers.reporting.report import ReportBody

LISTED = 8  # a summary that lists everything sums up nothing
SECOND, MINUTE = 1000, 60_000
NEXT_DELIVERY = "- Keep this report as the baseline for the next delivery of the data."
NOTHING_NEXT = "- Nothing; what was delivered can be downloaded."


class FailedAgent(Finding):
    agent_id: str
    agent_name: str
    error_code: str
    message: str


def in_words(
    tool_name: str,
    delivered: Sequence[AgentResult],
    body: "ReportBody",
    failed: Sequence[FailedAgent],
    decisions: Sequence[RoutingDecision],
    *,
    on_tables: bool = True,
) -> str:
    sections = {
        "Executive Summary": _overview(tool_name, delivered, body, failed, on_tables=on_tables),
        "Technical Findings": _findings(delivered, body),
        "Recommended Actions": _actions(body),
        "Next Steps": _next_steps(failed, decisions) or (NEXT_DELIVERY if on_tables else NOTHING_NEXT),
    }
    return "\n\n".join(f"## {heading}\n\n{text}" for heading, text in sections.items()) + "\n"


def spoken_time(milliseconds: int) -> str:
    if milliseconds < SECOND:
        return f"{milliseconds} ms"
    if milliseconds < MINUTE:
        return f"{milliseconds / SECOND:.1f} s"
    return f"{milliseconds // MINUTE} min {milliseconds % MINUTE // SECOND} s"


def _overview(
    tool_name: str,
    delivered: Sequence[AgentResult],
    body: "ReportBody",
    failed: Sequence[FailedAgent],
    *,
    on_tables: bool,
) -> str:
    opening = f"{tool_name}: {len(delivered)} of {len(delivered) + len(failed)} agents delivered."
    if on_tables:
        columns = len(body.issue_summary.affected_columns)
        opening += f" They raised {_n(len(body.alerts), 'alert')} and found"
        opening += f" {_n(body.issue_summary.total_issues, 'issue')} in {_n(columns, 'column')}."
    lines = [opening]
    worst = [alert for alert in body.alerts if alert.severity in {Severity.CRITICAL, Severity.HIGH}]
    if worst:
        lines.append("The most serious: " + " ".join(_plain(alert.message) for alert in worst[:3]))
    lines += [_plain(result.analysis_text) for result in delivered if result.analysis_text]
    return "\n\n".join(lines)


def _findings(delivered: Sequence[AgentResult], body: "ReportBody") -> str:
    lines = [f"- **{alert.severity.value}** {_plain(alert.message)}" for alert in body.alerts[:LISTED]]
    if len(body.alerts) > LISTED:
        lines.append(f"- … and {_n(len(body.alerts) - LISTED, 'more alert')}.")
    by_type = ", ".join(f"{kind.replace('_', ' ')} {n:,}" for kind, n in body.issue_summary.by_type.items())
    if by_type:
        lines.append(f"- Issues by type: {by_type}.")
    if body.issue_summary.truncated:
        lines.append("- The list of single rows is cut; the counts are not.")
    return "\n".join(lines) or f"- Nothing stood out in what {_n(len(delivered), 'agent')} looked at."


def _actions(body: "ReportBody") -> str:
    lines = [
        f"{i}. **{advice.priority.value}** {_plain(advice.recommendation)}"
        for i, advice in enumerate(body.recommendations[:LISTED], start=1)
    ]
    return "\n".join(lines) or "Nothing needs to be done."


def _next_steps(failed: Sequence[FailedAgent], decisions: Sequence[RoutingDecision]) -> str:
    lines = [f"- Run `{d.tool_id}` (confidence {d.confidence:.0%}): {_plain(d.reason)}" for d in decisions]
    lines += [
        f"- {agent.agent_name} did not deliver ({agent.error_code}): {_plain(agent.message)} It was not charged."
        for agent in failed
    ]
    return "\n".join(lines)


def _n(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _plain(text: str) -> str:
    """One line: a column's name must not be able to open a heading or a list of its own."""
    return " ".join(text.split())
