"""Charts as inline SVG: strings without a script, a font or an address of their own. Colours come from the page."""

from collections.abc import Sequence
from html import escape

from transformers.findings import Bar, Chart
from transformers.profiling.table_profile import Bin, ColumnProfile, CorrelationMatrix, ValueCount

WIDTH, HEIGHT = 240, 64  # of a histogram, in its own units
CELL = 22  # a square of the heat map
LABEL = 130  # room for a column's name
LABEL_CHARACTERS = 18


def histogram(bins: Sequence[Bin]) -> str:
    if not bins:
        return ""
    tallest = max(1, *(b.count for b in bins))
    step = WIDTH / len(bins)
    bars = "".join(
        f'<rect x="{i * step:.1f}" y="{HEIGHT - _height(b, tallest):.1f}" width="{max(step - 1.5, 1):.1f}"'
        f' height="{_height(b, tallest):.1f}" rx="1"><title>{b.low:.6g} … {b.high:.6g}: {b.count:,}</title></rect>'
        for i, b in enumerate(bins)
        if b.count
    )
    shape = f'preserveAspectRatio="none" viewBox="0 0 {WIDTH} {HEIGHT}"'
    return f'<svg class="chart bars" {shape} role="img" aria-label="Histogram">{bars}</svg>'


def _height(b: Bin, tallest: int) -> float:
    return max(HEIGHT * b.count / tallest, 1.5)  # a rare value is still seen


def top_values(values: Sequence[ValueCount], rows: int = 5) -> str:
    """Bars of text in HTML: long values wrap and can be copied."""
    most = max((v.percent for v in values), default=0) or 1
    lines = "".join(
        f'<li><span class="label" title="{escape(v.value)}">{escape(v.value)}</span>'
        f'<span class="track"><span style="width:{100 * v.percent / most:.1f}%"></span></span>'
        f'<span class="n">{v.percent:.3g} %</span></li>'
        for v in values[:rows]
    )
    return f'<ol class="values">{lines}</ol>' if lines else ""


def bar_chart(chart: Chart) -> str:
    """Bars of text in HTML; what was before lies light behind what is."""
    most = max((max(bar.value, bar.before or 0) for bar in chart.bars), default=0) or 1
    lines = "".join(_bar(bar, most, chart.unit) for bar in chart.bars)
    return f'<h4>{escape(chart.title)}</h4><ol class="values">{lines}</ol>' if lines else ""


def _bar(bar: Bar, most: float, unit: str) -> str:
    rest = max((bar.before or 0) - bar.value, 0)
    told = f"{bar.value:,.4g}{unit}" if bar.before is None else f"{bar.before:,.4g} → {bar.value:,.4g}{unit}"
    return (
        f'<li title="{escape(bar.label)}: {escape(told)}"><span class="label">{escape(bar.label)}</span>'
        f'<span class="track"><span style="width:{100 * bar.value / most:.1f}%"></span>'
        f'<span class="light" style="width:{100 * rest / most:.1f}%"></span></span>'
        f'<span class="n">{escape(told)}</span></li>'
    )


def missing_bars(columns: Sequence[ColumnProfile], most: int = 40) -> str:
    """The columns with most missing cells: dark what is empty, light what only says so (N/A, -)."""
    gaps = sorted((c for c in columns if c.null_percent > 0), key=lambda c: (-c.null_percent, c.position))
    lines = "".join(
        f'<li><span class="label" title="{escape(c.name)}">{escape(c.name)}</span><span class="track">'
        f'<span style="width:{_share(c, c.nulls):.2f}%"></span>'
        f'<span class="light" style="width:{_share(c, c.disguised_nulls):.2f}%"></span></span>'
        f'<span class="n">{c.null_percent:.3g} %</span></li>'
        for c in gaps[:most]
    )
    rest = f'<p class="quiet">and {len(gaps) - most} more columns</p>' if len(gaps) > most else ""
    return f'<ol class="values wide">{lines}</ol>{rest}' if lines else '<p class="quiet">No cell is missing.</p>'


def _share(column: ColumnProfile, cells: int) -> float:
    whole = column.count + column.nulls + column.disguised_nulls
    return 100 * cells / whole if whole else 0.0


def heat_map(matrix: CorrelationMatrix) -> str:
    """Pearson's r: hue for the sign, strength for the size."""
    names = matrix.columns
    if not names:
        return ""
    size = LABEL + CELL * len(names)
    squares = "".join(
        _square(i, j, names, r) for i, row in enumerate(matrix.coefficients) for j, r in enumerate(row) if j <= i
    )
    labels = "".join(
        f'<text x="{LABEL - 6}" y="{i * CELL + 15}" text-anchor="end">{escape(_short(name))}</text>'
        f'<text x="{LABEL + i * CELL + 8}" y="{len(names) * CELL + 8}" text-anchor="end"'
        f' transform="rotate(-50 {LABEL + i * CELL + 8} {len(names) * CELL + 8})">{escape(_short(name))}</text>'
        for i, name in enumerate(names)
    )
    height = CELL * len(names) + 100
    return (
        f'<svg class="chart heat" viewBox="0 0 {size} {height}" style="max-width:{size}px" role="img"'
        f' aria-label="Correlations">{squares}{labels}</svg>'
    )


def _square(i: int, j: int, names: Sequence[str], r: float | None) -> str:
    title = f"<title>{escape(names[i])} · {escape(names[j])}: {'–' if r is None else f'{r:.2f}'}</title>"
    sign = "none" if r is None else "plus" if r >= 0 else "minus"
    strength = 1 if r is None else max(abs(r), 0.04)
    return (
        f'<rect class="{sign}" x="{LABEL + j * CELL}" y="{i * CELL}" width="{CELL - 2}" height="{CELL - 2}" rx="3"'
        f' fill-opacity="{strength:.2f}">{title}</rect>'
    )


def _short(name: str) -> str:
    return name if len(name) <= LABEL_CHARACTERS else name[: LABEL_CHARACTERS - 1] + "…"
