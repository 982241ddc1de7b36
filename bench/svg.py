"""What the charts share: a card of their own, so that they are read on a light page and on a dark one, and its ink.

Where the reader prefers dark, the card is dark too; where a page says nothing of it, it stays light, and legible.
"""

from collections.abc import Iterable
from html import escape

WIDTH = 860
PAD = 20
_LIGHT = {
    "card": "fill:#ffffff;stroke:#d0d7de", "title": "fill:#1f2328;font-weight:600;font-size:15px",
    "text": "fill:#32383f", "quiet": "fill:#656d76;font-size:12px", "grid": "stroke:#e3e8ed",
    "ours": "fill:#0969da;stroke:#0969da", "peer": "fill:#8c959f;stroke:#8c959f",
    "published": "fill:#ffffff;stroke:#9a6700", "bar": "stroke:#cf222e", "limit": "fill:#cf222e;font-size:12px",
    "held": "fill:#1a7f37;stroke:#1a7f37", "missed": "fill:#cf222e;stroke:#cf222e",
    "strong": "fill:#1f2328;font-weight:600",
}  # fmt: skip
_DARK = {
    "card": "fill:#0d1117;stroke:#30363d", "title": "fill:#f0f6fc", "text": "fill:#d1d7e0", "quiet": "fill:#9198a1",
    "grid": "stroke:#262c34", "ours": "fill:#4493f8;stroke:#4493f8", "peer": "fill:#7d8590;stroke:#7d8590",
    "published": "fill:#0d1117;stroke:#d29922", "bar": "stroke:#f85149", "limit": "fill:#f85149",
    "held": "fill:#3fb950;stroke:#3fb950", "missed": "fill:#f85149;stroke:#f85149", "strong": "fill:#f0f6fc",
}  # fmt: skip


def card(height: float, title: str, subtitle: str, inside: Iterable[str]) -> str:
    """The whole file."""
    style = f"{_rules(_LIGHT)}@media (prefers-color-scheme:dark){{{_rules(_DARK)}}}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'height="{height:.0f}" role="img" font-family="system-ui,-apple-system,Segoe UI,Helvetica,Arial,sans-serif" '
        f'font-size="13">\n<title>{escape(f"{title}: {subtitle}")}</title>\n<style>{style}</style>\n'
        f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1:.0f}" rx="8"/>\n'
        f"{text(PAD, 30, title, 'title')}{text(PAD, 50, subtitle, 'quiet')}{''.join(inside)}</svg>\n"
    )


def text(x: float, y: float, said: str, kind: str = "text", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(said)}</text>\n'


def line(x1: float, y1: float, x2: float, y2: float, kind: str, *, width: float = 1.0, dashes: str = "") -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line class="{kind}" {ends} stroke-width="{width}"{dashed}/>\n'


def rect(x: float, y: float, width: float, height: float, kind: str) -> str:
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{height:.1f}" rx="2.5"/>\n'
    )


def dot(x: float, y: float, kind: str) -> str:
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="5" stroke-width="1.5"/>\n'


def _rules(colours: dict[str, str]) -> str:
    """Letters have an edge of the card's colour: a line behind them does not strike them out."""
    card = colours["card"].split(";")[0].removeprefix("fill:")
    letters = f"text{{paint-order:stroke;stroke:{card};stroke-width:4px;stroke-linejoin:round}}"
    return letters + "".join(f".{name}{{{rule}}}" for name, rule in colours.items())
