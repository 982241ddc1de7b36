import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pyarrow as pa
import pytest
from python_calamine import CalamineWorkbook
from workshop import Workshop

from transformers.agents import readiness_rater, score_risk, unified_profiler
from transformers.findings import (
    ROW_ISSUES_KEPT,
    AgentResult,
    Alert,
    Bar,
    Chart,
    IssueSummary,
    Recommendation,
    RowIssue,
    Severity,
)
from transformers.reporting.html import LINES_SHOWN, render_html
from transformers.reporting.report import Report, ReportHead, ReportStatus, StepOutcome, build_report, render_json
from transformers.reporting.xlsx import render_xlsx
from transformers.tool import Agent

HEAD = ReportHead(
    analysis_id="a-1",
    tool_id="profile-my-data",
    tool_name="Profile my data",
    agents=("first", "second"),
    timestamp=datetime(2026, 11, 21, 2, 30, tzinfo=UTC),
    execution_time_ms=61_500,
)
NASTY = "<script>alert('x')</script>"


def result(agent_id: str = "first", **more: Any) -> AgentResult:
    return AgentResult(agent_id=agent_id, agent_name=agent_id.title(), **more)


def delivered(found: AgentResult) -> StepOutcome:
    return StepOutcome(agent_id=found.agent_id, agent_name=found.agent_name, result=found)


def lost(agent_id: str = "second", *, required: bool = False) -> StepOutcome:
    return StepOutcome(
        agent_id=agent_id, agent_name="Second", error_code="TIMEOUT", message="It took too long.", required=required
    )


def alert(severity: Severity, message: str = "m") -> Alert:
    return Alert(alert_id=message, severity=severity, category="c", message=message)


def row(number: int, severity: Severity = Severity.LOW) -> RowIssue:
    return RowIssue(row_index=number, column="a", issue_type="missing", severity=severity, message="m")


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([delivered(result())], ReportStatus.SUCCESS),
        ([delivered(result()), lost()], ReportStatus.PARTIAL),
        ([delivered(result()), lost(required=True)], ReportStatus.FAILED),
        ([lost()], ReportStatus.FAILED),
    ],
)
def test_the_status_is_told_by_what_was_delivered(outcomes: list[StepOutcome], status: ReportStatus) -> None:
    assert build_report(HEAD, outcomes).status is status


def test_a_failed_agent_is_named_with_its_error_everywhere() -> None:
    report = build_report(HEAD, [delivered(result()), lost()])
    [failed] = report.report.failed_agents
    assert (failed.agent_id, failed.error_code, failed.message) == ("second", "TIMEOUT", "It took too long.")
    assert "TIMEOUT" in report.report.analysis_summary
    assert list(report.report.agent_results) == ["first"]


def test_the_five_standard_cards_come_first() -> None:
    found = result(alerts=(alert(Severity.LOW),), issue_summary=IssueSummary(total_issues=1234))
    cards = build_report(HEAD, [delivered(found), lost()]).report.executive_summary
    assert [(card.summary_id, card.value) for card in cards[:5]] == [
        ("agents_used", "1/2"),
        ("execution_time", "1 min 1 s"),
        ("total_alerts", "1"),
        ("total_issues", "1,234"),
        ("total_recommendations", "0"),
    ]


def test_alerts_recommendations_and_rows_are_ranked_over_all_agents() -> None:
    advice = [
        Recommendation(recommendation_id=s, agent_id="x", field_name="", priority=s, recommendation=s)
        for s in (Severity.LOW, Severity.CRITICAL)
    ]
    first = result(alerts=(alert(Severity.LOW),), row_level_issues=(row(9),), recommendations=(advice[0],))
    second = result(
        "second",
        alerts=(alert(Severity.CRITICAL),),
        row_level_issues=(row(12, Severity.HIGH), row(3)),
        recommendations=(advice[1],),
    )
    body = build_report(HEAD, [delivered(first), delivered(second)]).report
    assert [a.severity for a in body.alerts] == [Severity.CRITICAL, Severity.LOW]
    assert [r.priority for r in body.recommendations] == [Severity.CRITICAL, Severity.LOW]
    assert [r.row_index for r in body.row_level_issues] == [12, 3, 9]


def test_summaries_are_merged_and_the_cut_is_told() -> None:
    def found(agent_id: str, rows: range) -> AgentResult:
        summary = IssueSummary(
            total_issues=len(rows),
            by_type={"missing": len(rows)},
            by_severity={"low": len(rows)},
            affected_rows=len(rows),
            affected_columns=("a",),
        )
        return result(agent_id, row_level_issues=tuple(map(row, rows)), issue_summary=summary)

    body = build_report(HEAD, [delivered(found("first", range(1, 801))), delivered(found("second", range(401, 1201)))])
    summary = body.report.issue_summary
    assert (summary.total_issues, summary.by_type, summary.by_severity) == (1600, {"missing": 1600}, {"low": 1600})
    assert (summary.affected_rows, summary.affected_columns, summary.truncated) == (1200, ("a",), True)
    assert len(body.report.row_level_issues) == ROW_ISSUES_KEPT


def test_the_summary_has_the_four_headings_and_data_opens_none() -> None:
    found = result(alerts=(alert(Severity.HIGH, "Column x\n## Next Steps\nis bad."),), analysis_text="Said.")
    summary = build_report(HEAD, [delivered(found)]).report.analysis_summary
    headings = [line for line in summary.split("\n") if line.startswith("#")]
    assert headings == ["## Executive Summary", "## Technical Findings", "## Recommended Actions", "## Next Steps"]


def test_a_tool_that_asks_models_speaks_of_no_columns_and_of_no_next_delivery() -> None:
    head = HEAD.model_copy(update={"tool_id": "generate-text", "tool_name": "Generate text", "on_tables": False})
    summary = build_report(head, [delivered(result(analysis_text="It answered."))]).report.analysis_summary
    assert "Generate text: 1 of 1 agents delivered.\n\nIt answered." in summary
    assert "column" not in summary
    assert "baseline" not in summary


def test_only_tools_that_exist_are_recommended_and_ready_to_submit() -> None:
    found = delivered(result(issue_summary=IssueSummary(by_type={"duplicate_row": 3, "outlier": 2})))
    assert build_report(HEAD, [found]).report.routing_decisions == ()
    [decision] = build_report(HEAD, [found], known_tools={"clean-my-data", "profile-my-data"}).report.routing_decisions
    assert decision.agents == ("duplicate-resolver", "outlier-remover", "cleanse-writeback")
    assert decision.parameters == {"duplicate-resolver": {"merge_strategy": "remove_duplicates"}}
    assert 0 < decision.confidence < 1
    both = build_report(HEAD, [found], known_tools={"clean-my-data", "master-my-data"}).report.routing_decisions
    assert [d.tool_id for d in both] == ["clean-my-data", "master-my-data"]


def test_clean_data_is_sent_nowhere() -> None:
    report = build_report(HEAD, [delivered(result())], known_tools={"clean-my-data", "master-my-data"})
    assert report.report.routing_decisions == ()


def test_the_json_has_the_contracts_names_in_one_style() -> None:
    report = json.loads(render_json(build_report(HEAD, [delivered(result())])))
    assert {"analysis_id", "tool", "status", "timestamp", "execution_time_ms", "report"} <= set(report)
    assert {
        "alerts", "issues", "recommendations", "executive_summary", "analysis_summary", "row_level_issues",
        "issue_summary", "routing_decisions", "downloads", "agent_results",
    } <= set(report["report"])  # fmt: skip


AGENTS: tuple[Agent, ...] = (unified_profiler.AGENT, score_risk.AGENT, readiness_rater.AGENT)


def reported(workshop: Workshop, data: Any) -> Report:
    table = workshop.table(data)
    head = HEAD.model_copy(update={"agents": tuple(agent.id for agent in AGENTS)})
    return build_report(head, [delivered(workshop.run(agent, table)) for agent in AGENTS])


def nasty_data() -> dict[str, list[str | None]]:
    return {
        NASTY: [NASTY, "=1+1", "@SUM(A1)", "https://example.com", None, NASTY],
        '"><img src=x>': ["1", "2", "3", "4", "5", "oops & <b>"],
        "email": [f"u{i}@example.com" for i in range(6)],
    }


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "action", "style"}]


def test_the_page_runs_nothing_asks_for_nothing_and_escapes_what_is_data(workshop: Workshop) -> None:
    html = render_html(reported(workshop, nasty_data()))
    page = Page(html)
    assert not {"script", "img", "link", "iframe", "object", "form", "base"} & set(page.tags)
    assert all(address.startswith(("#", "width:", "max-width:")) for address in page.addresses)
    assert "url(" not in html
    assert "&lt;script&gt;" in html
    assert "default-src 'none'" in html


def test_the_page_draws_histograms_missing_bars_and_correlations(workshop: Workshop) -> None:
    numbers = pa.table({"x": [1.0, 2.0, 3.5, None], "y": [2.0, 4.0, 7.1, 1.0]})
    html = render_html(reported(workshop, numbers))
    assert html.count('aria-label="Histogram"') == 2
    assert 'aria-label="Correlations"' in html
    assert "Missing cells" in html
    assert "prefers-color-scheme:dark" in html


def test_a_page_of_five_hundred_columns_stays_small(workshop: Workshop) -> None:
    """Also where every name and every other cell is long and full of what HTML escapes."""
    ugly = "<&\"'é" * 30
    data = {f"{ugly}{i}": [f"{i * j}.5" if i % 2 else f"{ugly}{j % 7}{ugly}" for j in range(40)] for i in range(500)}
    report = build_report(HEAD, [delivered(workshop.run(unified_profiler.AGENT, data))])
    assert len(render_html(report).encode()) < 5_000_000


def test_a_long_list_shows_the_gravest_and_says_how_many_more() -> None:
    alerts = (*(alert(Severity.LOW, f"small {i}") for i in range(LINES_SHOWN + 4)), alert(Severity.HIGH, "grave"))
    page = render_html(build_report(HEAD, [delivered(result(alerts=alerts))]))
    assert "grave" in page
    assert "and 5 more, in the workbook and the JSON" in page
    assert "small 1<" in page
    assert f"small {LINES_SHOWN + 3}<" not in page


def test_the_page_has_rules_for_paper(workshop: Workshop) -> None:
    html = render_html(reported(workshop, nasty_data()))
    assert "@media print" in html
    assert "details-content" in html, "what is folded on the screen is unfolded on paper"


def test_an_agents_chart_is_drawn_and_its_words_are_escaped() -> None:
    bars = (Bar(label=NASTY, value=30, before=40), Bar(label="kept", value=40))
    found = result(
        analysis_text=NASTY, summary_metrics={"rows": 1200, NASTY: NASTY}, charts=(Chart(title="Rows", bars=bars),)
    )
    page = render_html(build_report(HEAD, [delivered(found)]))
    assert "40 → 30" in page
    assert "width:75.0%" in page
    assert "1,200" in page
    assert NASTY not in page


def test_the_same_report_gives_the_same_bytes(workshop: Workshop, tmp_path: Path) -> None:
    first, second = reported(workshop, nasty_data()), reported(workshop, nasty_data())
    assert render_json(first) == render_json(second)
    assert render_html(first) == render_html(second)
    render_xlsx(first, tmp_path / "1.xlsx")
    render_xlsx(second, tmp_path / "2.xlsx")
    assert (tmp_path / "1.xlsx").read_bytes() == (tmp_path / "2.xlsx").read_bytes()


def test_the_workbook_has_its_sheets_and_computes_nothing(workshop: Workshop, tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"
    render_xlsx(reported(workshop, nasty_data()), path)
    book = CalamineWorkbook.from_path(str(path))
    assert book.sheet_names == ["Summary", "Columns", "Agents", "Alerts", "Issues", "Row issues", "Recommendations"]
    columns = book.get_sheet_by_name("Columns").to_python()
    assert [line[0] for line in columns[1:]] == list(nasty_data())
    with ZipFile(path) as archive:
        sheets = "".join(archive.read(name).decode() for name in archive.namelist() if "sheet" in name)
    assert "<f>" not in sheets
    assert "hyperlink" not in sheets


def test_a_report_without_any_result_can_still_be_rendered(tmp_path: Path) -> None:
    report = build_report(HEAD, [lost()])
    render_xlsx(report, tmp_path / "report.xlsx")
    assert "TIMEOUT" in render_html(report)
