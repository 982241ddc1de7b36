"""What each agent has to say for itself: its words, its figures, its charts."""

from collections.abc import Iterable, Iterator
from html import escape

from transformers.findings import AgentResult
from transformers.reporting.charts import bar_chart

FIGURES_SHOWN = 18  # single numbers; what is longer is in the JSON


def agent_panels(results: Iterable[AgentResult]) -> str:
    panels = "".join(_panel(result) for result in results)
    return f'<div class="two">{panels}</div>' if panels else ""


def _panel(result: AgentResult) -> str:
    figures = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in _figures(result))
    charts = "".join(bar_chart(chart) for chart in result.charts)
    said = f"<p>{escape(result.analysis_text)}</p>" if result.analysis_text else ""
    return (
        f'<article class="panel column prose"><h3>{escape(result.agent_name)}</h3>{said}'
        f"{f'<dl>{figures}</dl>' if figures else ''}{charts}</article>"
    )


def _figures(result: AgentResult) -> Iterator[tuple[str, str]]:
    single = [(name, value) for name, value in result.summary_metrics.items() if isinstance(value, str | int | float)]
    for name, value in single[:FIGURES_SHOWN]:
        yield name.replace("_", " ").capitalize(), _spoken(value)


def _spoken(value: str | float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return value if isinstance(value, str) else f"{value:,.4g}"
