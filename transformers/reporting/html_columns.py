"""A card for every column: what it is, its figures, its shape."""

from collections.abc import Iterator
from html import escape

from transformers.profiling.table_profile import ColumnProfile, TableProfile
from transformers.reporting.charts import histogram, top_values

SHOWN_OPEN = 60  # columns; more of them are a reference to look things up in, not a page to read
BRIEF_ABOVE = 300  # columns: then a card keeps its figures and chart and drops its lists, so that the page stays small


def column_cards(profile: TableProfile) -> str:
    brief = len(profile.columns) > BRIEF_ABOVE
    cards = "".join(_card(column, brief=brief) for column in profile.columns)
    grid = f'<div class="columns">{cards}</div>'
    if len(profile.columns) <= SHOWN_OPEN:
        return grid
    return f"<details><summary>{len(profile.columns):,} columns</summary>{grid}</details>"


def _card(c: ColumnProfile, *, brief: bool) -> str:
    meaning = f" · {c.semantic_type.replace('_', ' ')}" if c.semantic_type else ""
    figures = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in _figures(c))
    return (
        f'<article class="column"><h3><span>{escape(c.name)}</span>'
        f'<span class="tag">{escape(c.quality.grade)}</span></h3>'
        f'<span class="quiet">{escape(c.logical_type)}{escape(meaning)}</span>'
        f"<dl>{figures}</dl>{_chart(c, brief=brief)}{'' if brief else _notes(c)}</article>"
    )


def _figures(c: ColumnProfile) -> Iterator[tuple[str, str]]:
    yield "Present", f"{c.count:,}"
    yield "Missing", f"{c.null_percent:.3g} %"
    yield "Distinct", f"{c.distinct:,}"
    if c.numbers:
        yield "Mean", f"{c.numbers.mean:.6g}"
        yield "Median", f"{c.numbers.median:.6g}"
        yield "Std", "–" if c.numbers.std is None else f"{c.numbers.std:.6g}"
    if c.times:
        yield "Earliest", c.times.earliest.replace("T00:00:00", "")
        yield "Latest", c.times.latest.replace("T00:00:00", "")
    if c.lengths and not c.numbers and not c.times:
        yield "Length", f"{c.lengths.minimum}–{c.lengths.maximum}"
        yield "Entropy", f"{c.entropy:.2f} bit"
    if c.outliers and c.outliers.count:
        yield "Outliers", f"{c.outliers.count:,}"
    if c.invalid:
        yield "Broken", f"{c.invalid:,}"


def _chart(c: ColumnProfile, *, brief: bool) -> str:
    if not c.histogram:
        return top_values(c.top_values, rows=3 if brief else 5)
    low, high = (c.times.earliest[:10], c.times.latest[:10]) if c.times else (_bound(c, 0), _bound(c, -1))
    return f'{histogram(c.histogram)}<div class="axis"><span>{escape(low)}</span><span>{escape(high)}</span></div>'


def _bound(c: ColumnProfile, end: int) -> str:
    if c.numbers is None:
        return ""
    return f"{c.numbers.minimum if end == 0 else c.numbers.maximum:.6g}"


def _notes(c: ColumnProfile) -> str:
    shapes = " ".join(f"<code>{escape(p.value)}</code>" for p in c.patterns[:3])
    words = ", ".join(f"“{w.value}” {w.count:,}" for w in c.disguised_values[:3])
    notes = [f"<p>Shapes {shapes}</p>"] if shapes else []
    notes += [f"<p>Stands for nothing: {escape(words)}</p>"] if words else []
    return "".join(notes)
