"""The report as a workbook: Summary, Columns, Agents, Alerts, Issues, Row issues, Recommendations.

Customer text is only ever written as text: a cell that begins with `=` shows as what it is and computes nothing.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from transformers.profiling.table_profile import ColumnProfile
from transformers.reporting.report import Report, profile_in

LONGEST_CELL = 32_767  # characters, Excel's own limit; beyond it XlsxWriter writes nothing at all
WIDTHS = (8, 60)
HEADER_STYLE = {"bold": True, "bg_color": "#E8EEF1", "bottom": 1}

Cell = str | float | int | None


def render_xlsx(report: Report, path: Path) -> None:
    """Write the workbook. Its creation date is the report's, so that the same report gives the same bytes."""
    import xlsxwriter

    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "in_memory": True,  # a report is small; temporary files cost more than all of its rows
    }
    with xlsxwriter.Workbook(str(path), options) as workbook:
        workbook.set_properties({"title": report.tool_name, "created": report.timestamp.replace(tzinfo=None)})
        header = workbook.add_format(HEADER_STYLE)
        for name, titles, rows in _sheets(report):
            _write(workbook.add_worksheet(name), header, titles, list(rows))


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


def _write(sheet: Any, header: Any, titles: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    for column, title in enumerate(titles):
        sheet.write_string(0, column, title, header)
        longest = max((len(str(row[column] or "")) for row in rows), default=0)
        sheet.set_column(column, column, min(max(len(title) + 2, longest + 1, WIDTHS[0]), WIDTHS[1]))
    for line, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            _write_cell(sheet, line, column, cell)
    sheet.freeze_panes(1, 0)
    if rows:
        sheet.autofilter(0, 0, len(rows), len(titles) - 1)


def _write_cell(sheet: Any, line: int, column: int, cell: Cell) -> None:
    if isinstance(cell, str):
        sheet.write_string(line, column, cell[:LONGEST_CELL])
    elif cell is not None:
        sheet.write_number(line, column, cell)
