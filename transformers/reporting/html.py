"""The report as one page that needs nothing else: no script, no font, no request. Every word of data is escaped."""

import re
from collections.abc import Iterable, Sequence
from html import escape

from transformers.findings import Severity, SummaryCard
from transformers.profiling.table_profile import TableProfile
from transformers.reporting.charts import heat_map, missing_bars
from transformers.reporting.html_agents import agent_panels
from transformers.reporting.html_columns import column_cards
from transformers.reporting.html_style import STYLE
from transformers.reporting.report import Report, profile_in

POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # the browser refuses whatever data might smuggle in
ROWS_SHOWN = 200  # of the row-level issues; the workbook and the JSON hold them all
LINES_SHOWN = 300  # of any other list, the gravest: a page is for reading


def render_html(report: Report) -> str:
    profile = profile_in(report)
    sections = {
        "Summary": _prose(report.report.analysis_summary),
        "Alerts": _alerts(report),
        "Risk": _risk(report),
        "Readiness": _readiness(report),
        "Missing and related": _overview(profile),
        "Agents": agent_panels(report.report.agent_results.values()),
        "Columns": column_cards(profile) if profile else "",
        "Issues": _issues(report),
        "Rows at fault": _rows(report),
        "Recommendations": _recommendations(report),
    }
    shown = {title: html for title, html in sections.items() if html}
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(report.tool_name)}</title><style>{STYLE}</style></head><body><main>"
        f"{_head(report, shown)}{''.join(_section(title, html) for title, html in shown.items())}"
        f"<footer>Agensium · {escape(report.analysis_id)}</footer></main></body></html>\n"
    )


def tag(word: str, kind: str = "") -> str:
    return f'<span class="tag {escape(kind or word)}">{escape(word)}</span>'


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """`rows` hold HTML: what is data in them was escaped where it was taken."""
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="tablewrap"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def gravest(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of the first LINES_SHOWN rows, of which the gravest come first."""
    if not rows:
        return ""
    rest = len(rows) - LINES_SHOWN
    note = f'<p class="quiet">and {rest:,} more, in the workbook and the JSON</p>' if rest > 0 else ""
    return table(titles, rows[:LINES_SHOWN]) + note


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _section(title: str, html: str) -> str:
    return f'<section id="{_anchor(title)}"><h2>{escape(title)}</h2>{html}</section>'


def _head(report: Report, shown: Iterable[str]) -> str:
    when = report.timestamp.strftime("%d %B %Y, %H:%M")
    links = "".join(f'<a href="#{_anchor(title)}">{escape(title)}</a>' for title in shown)
    cards = "".join(_card(card) for card in report.report.executive_summary)
    status = tag(report.status.value, f"status-{report.status.value}")
    return (
        f"<header><h1>{escape(report.tool_name)}</h1><p>{escape(when)} · {status}</p>"
        f'<nav>{links}</nav></header><div class="cards">{cards}</div>'
    )


def _card(card: SummaryCard) -> str:
    return (
        f'<div class="card {escape(card.status)}" title="{escape(card.description)}">'
        f"<span>{escape(card.title)}</span><b>{escape(card.value)}</b></div>"
    )


def _prose(markdown: str) -> str:
    """The few forms the summary is written in: headings, lists, paragraphs, a bold severity."""
    blocks = []
    for block in markdown.strip().split("\n\n"):
        lines = block.split("\n")
        if block.startswith("## "):
            blocks.append(f"<h3>{escape(block[3:])}</h3>")
        elif block.startswith("- "):
            blocks.append("<ul>" + "".join(f"<li>{_inline(line[2:])}</li>" for line in lines) + "</ul>")
        elif re.match(r"1\. ", block):
            blocks.append("<ol>" + "".join(f"<li>{_inline(line.split('. ', 1)[-1])}</li>" for line in lines) + "</ol>")
        else:
            blocks.append(f"<p>{_inline(block)}</p>")
    return f'<div class="panel prose">{"".join(blocks)}</div>'


def _inline(text: str) -> str:
    severities = "|".join(severity.value for severity in Severity)
    tagged = re.sub(rf"^\*\*({severities})\*\*", lambda m: tag(m[1]), escape(text))
    return re.sub(r"`([a-z-]+)`", r"<code>\1</code>", tagged)


def _alerts(report: Report) -> str:
    rows = [
        (tag(a.severity.value), escape(a.category), escape(a.message), escape(a.recommendation))
        for a in report.report.alerts
    ]
    return gravest(("Severity", "About", "What", "Do"), rows)


def _overview(profile: TableProfile | None) -> str:
    if profile is None or not profile.rows:
        return ""
    heat = heat_map(profile.matrix)
    panels = [f'<div class="panel"><h3>Missing cells</h3>{missing_bars(profile.columns)}</div>']
    if heat:
        panels.append(f'<div class="panel"><h3>Correlations</h3>{heat}</div>')
    return f'<div class="two">{"".join(panels)}</div>'


def _risk(report: Report) -> str:
    result = report.report.agent_results.get("score-risk")
    fields = [field for field in (result.data.get("fields", []) if result else []) if field["risk_score"]]
    fields.sort(key=lambda field: -field["risk_score"])
    rows = [
        (
            escape(field["name"]),
            tag(field["risk_level"]),
            f"{field['risk_score']:.0f}",
            escape(", ".join(kind["kind"].replace("_", " ") for kind in field["kinds"])),
            escape(", ".join(field["regulations"])),
        )
        for field in fields
    ]
    return gravest(("Field", "Risk", "Score", "Holds", "Notes"), rows)


def _readiness(report: Report) -> str:
    result = report.report.agent_results.get("readiness-rater")
    parts = result.data.get("components", []) if result else []
    panels = [
        f'<div class="panel"><h3>{escape(part["name"])} · {part["score"]:.1f}</h3>'
        + (
            "<ul>"
            + "".join(f"<li>−{d['points']:.3g} {escape(d['reason'])}</li>" for d in part["deductions"][:20])
            + "</ul>"
            if part["deductions"]
            else '<p class="quiet">No deduction.</p>'
        )
        + "</div>"
        for part in parts
    ]
    return f'<div class="two prose">{"".join(panels)}</div>' if panels else ""


def _issues(report: Report) -> str:
    rows = [
        (tag(i.severity.value), escape(i.field_name), escape(i.issue_type.replace("_", " ")), escape(i.message))
        for i in report.report.issues
    ]
    return gravest(("Severity", "Field", "Type", "What"), rows)


def _rows(report: Report) -> str:
    found = report.report.row_level_issues
    if not found:
        return ""
    rows = [
        (
            f"{r.row_index:,}",
            escape(r.column),
            tag(r.severity.value),
            escape(r.issue_type.replace("_", " ")),
            escape(r.value or ""),
            escape(r.message),
        )
        for r in found[:ROWS_SHOWN]
    ]
    total = sum(report.report.issue_summary.by_type.values())
    note = f"{min(len(found), ROWS_SHOWN):,} shown of {len(found):,} listed; {total:,} issues were counted in all."
    return f'<p class="quiet">{note}</p>' + table(("Row", "Column", "Severity", "Type", "Value", "What"), rows)


def _recommendations(report: Report) -> str:
    rows = [
        (tag(r.priority.value), escape(r.recommendation), escape(r.timeline), f"{r.estimated_effort_hours:g} h")
        for r in report.report.recommendations
    ]
    return gravest(("Priority", "What", "When", "Effort"), rows)
