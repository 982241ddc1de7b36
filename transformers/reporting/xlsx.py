"""The report as a workbook: Summary, Columns, Agents, Alerts, Issues, Row issues, Recommendations.

Customer text is only ever written as text: a cell that begins with `=` shows as what it is and computes nothing.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from transformers.profiling.table_profile import ColumnProfile
from transformers.reporting.report import Report, profile_in
from transformers.reporting.workbook import Cell, Sheet, write_workbook


def render_xlsx(report: Report, path: Path) -> None:
    """Write the workbook. Its creation date is the report's, so that the same report gives the same bytes."""
    sheets = [Sheet(name, titles, tuple(rows)) for name, titles, rows in _sheets(report)]
    write_workbook(path, sheets, report.tool_name, report.timestamp)


def _sheets(report: Report) -> Iterable[tuple[str, Sequence[str], Iterable[Sequence[Cell]]]]:
    body, profile = report.report, profile_in(report)
    yield "Summary", ("Item", "Value", "Note"), _summary(report)
    yield "Columns", COLUMN_TITLES, [_column(column) for column in (profile.columns if profile else ())]
    yield "Agents", ("Agent", "Figure", "Value"), _figures(report)
    yield (
        "Alerts",
        ("Severity", "Category", "Message", "Fields affected", "Recommendation"),
        [(a.severity.value, a.category, a.message, a.affected_fields_count, a.recommendation) for a in body.alerts],
    )
    yield (
        "Issues",
        ("Severity", "Field", "Type", "Message", "Agent"),
        [(i.severity.value, i.field_name, i.issue_type, i.message, i.agent_id) for i in body.issues],
    )
    yield (
        "Row issues",
        ("Row", "Column", "Severity", "Type", "Value", "Message"),
        [(r.row_index, r.column, r.severity.value, r.issue_type, r.value, r.message) for r in body.row_level_issues],
    )
    yield (
        "Recommendations",
        ("Priority", "Field", "Recommendation", "Timeline", "Hours", "Owner", "Agent"),
        [
            (
                r.priority.value,
                r.field_name,
                r.recommendation,
                r.timeline,
                r.estimated_effort_hours,
                r.owner,
                r.agent_id,
            )
            for r in body.recommendations
        ],
    )


def _summary(report: Report) -> list[tuple[Cell, ...]]:
    body = report.report
    lines: list[tuple[Cell, ...]] = [
        ("Tool", report.tool_name, report.tool),
        ("Status", report.status.value, ""),
        ("Analysis", report.analysis_id, ""),
        ("Time", report.timestamp.isoformat(), ""),
    ]
    lines += [(card.title, card.value, card.description) for card in body.executive_summary]
    lines += [(f"Issues: {kind}", n, "") for kind, n in body.issue_summary.by_type.items()]
    if body.issue_summary.truncated:
        lines.append(("Row issues", f"the first {len(body.row_level_issues)}", "The counts above are of all of them."))
    lines += [(f"Failed: {agent.agent_name}", agent.error_code, agent.message) for agent in body.failed_agents]
    lines += [(f"Next: {d.tool_id}", f"{d.confidence:.0%}", d.reason) for d in body.routing_decisions]
    return lines


def _figures(report: Report) -> list[tuple[Cell, ...]]:
    """Each agent's single figures; what is longer is in the JSON."""
    return [
        (result.agent_name, name.replace("_", " "), str(value) if isinstance(value, bool) else value)
        for result in report.report.agent_results.values()
        for name, value in result.summary_metrics.items()
        if isinstance(value, str | int | float)
    ]


COLUMN_TITLES = (
    "Column", "Type", "Meaning", "Stored as", "Present", "Missing %", "Disguised missing", "Broken cells", "Distinct",
    "Distinct %", "Entropy", "Minimum", "Maximum", "Mean", "Median", "Std", "Variance", "Q1", "Q3", "Skewness",
    "Kurtosis", "Outliers", "Shortest", "Longest", "Most frequent", "Score", "Grade",
)  # fmt: skip


def _column(c: ColumnProfile) -> tuple[Cell, ...]:
    n, t, top = c.numbers, c.times, c.top_values
    low, high = (n.minimum, n.maximum) if n else (t.earliest, t.latest) if t else (None, None)
    figures = (n.mean, n.median, n.std, n.variance, n.q1, n.q3, n.skewness, n.kurtosis) if n else (None,) * 8
    lengths = (c.lengths.minimum, c.lengths.maximum) if c.lengths else (None, None)
    return (
        c.name, c.logical_type, c.semantic_type, c.physical_type, c.count, c.null_percent, c.disguised_nulls,
        c.invalid, c.distinct, c.distinct_percent, c.entropy, low, high, *figures,
        c.outliers.count if c.outliers else None, *lengths, top[0].value if top else None,
        c.quality.score, c.quality.grade,
    )  # fmt: skip
