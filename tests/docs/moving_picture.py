"""Lines of a shell with their times, drawn as one SVG that plays by itself, anew at its end.

No script: SMIL. Each line is hidden until its time, and what does not fit moves up; a viewer that plays nothing shows
the end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

LONGEST_WAIT = 1.2  # seconds: a longer one is cut
FIRST, LAST = 0.6, 6.0  # seconds before the first line, and in which the end stands
ROWS, COLUMNS = 30, 104
WIDTH, HEIGHT = 8.43, 19  # of a sign and of a line, in pixels, at 14 px
MARGIN, BAR = 18, 36
COLOURS = {
    "paper": "#10151f",
    "bar": "#1c2433",
    "text": "#cbd5e1",
    "typed": "#f8fafc",
    "prompt": "#34d399",
    "remark": "#7f8ea3",
}


@dataclass(frozen=True)
class Line:
    """What was seen after so many seconds; `typed` by a person, or told by a program."""

    at: float
    words: str
    typed: bool = False


def moving_picture(title: str, lines: Sequence[Line]) -> str:
    """The SVG's text."""
    times = list(_paced(lines))
    whole = times[-1] + LAST
    width, height = COLUMNS * WIDTH + 2 * MARGIN, ROWS * HEIGHT + BAR + 2 * MARGIN
    body = "\n".join(_drawn(place, line, at) for place, (line, at) in enumerate(zip(lines, times, strict=True)))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" font-size="14"
     font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace">
<title>{escape(title)}</title>
<rect width="100%" height="100%" rx="10" fill="{COLOURS["paper"]}"/>
<rect width="100%" height="{BAR}" rx="10" fill="{COLOURS["bar"]}"><animate id="clock" attributeName="opacity" from="1"
 to="1" begin="0s;clock.end" dur="{whole:.2f}s"/></rect>
<text x="{MARGIN}" y="23" fill="{COLOURS["remark"]}" font-size="13">{escape(title)}</text>
<svg x="0" y="{BAR + MARGIN / 2}" width="{width:.0f}" height="{ROWS * HEIGHT + MARGIN}">
<g transform="translate(0 {-_above(len(lines)) * HEIGHT})">{_moves(times, whole)}
{body}
</g></svg></svg>
"""


def _paced(lines: Sequence[Line]) -> Iterator[float]:
    """When each is shown: as it was, but no wait is longer than a reader's patience."""
    now, before = FIRST, lines[0].at
    for line in lines:
        now += min(LONGEST_WAIT, line.at - before)
        before = line.at
        yield now


def _above(count: int) -> int:
    """Lines that have moved out at the top when so many are there."""
    return max(0, count - ROWS)


def _moves(times: Sequence[float], whole: float) -> str:
    keys = [0.0, *(at / whole for at in times)]
    values = [f"0 {-_above(count) * HEIGHT}" for count in range(len(keys))]
    return (
        '<animateTransform attributeName="transform" type="translate" calcMode="discrete" begin="clock.begin" '
        f'dur="{whole:.2f}s" keyTimes="{";".join(f"{key:.4f}" for key in keys)}" values="{";".join(values)}"/>'
    )


def _drawn(place: int, line: Line, at: float) -> str:
    y = (place + 1) * HEIGHT
    hidden = f'<set attributeName="visibility" to="hidden" begin="clock.begin" end="clock.begin+{at:.2f}s"/>'
    return f'<text x="{MARGIN}" y="{y}" xml:space="preserve">{_coloured(line)}{hidden}</text>'


def _coloured(line: Line) -> str:
    words = escape(line.words[: COLUMNS - 2 * line.typed])
    if not line.typed:
        return f'<tspan fill="{COLOURS["text"]}">{words}</tspan>'
    if line.words.startswith("#"):
        return f'<tspan fill="{COLOURS["remark"]}">{words}</tspan>'
    prompt = "  " if line.words.startswith("  ") else "$ "
    return f'<tspan fill="{COLOURS["prompt"]}">{prompt}</tspan><tspan fill="{COLOURS["typed"]}">{words.strip()}</tspan>'
