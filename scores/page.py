"""docs/SCORES.md: the same figures, for people."""

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import psutil

from scores.measure import Measured, Score

HEAD = """# Scores

What the agents reach on public data with ground truth, zero labels unless said. Written by `make scores`; one family
anew: `make scores ONLY="errors drift"`. `docs/scores.json` holds the same for machines.

`ours` beside `anchor` (the best known other, on its own terms) and `bar` (what we want). Seconds and peak memory are
those of the whole measure: a process of its own, its libraries, data and scoring included. {machine}
"""
TABLE = """| data set | metric | ours | anchor | bar | | seed | seconds | peak MB |
|---|---|---:|---:|---:|---|---:|---:|---:|"""
VERDICTS = {True: "holds", False: "**short**", None: ""}


def machine() -> str:
    today, load = datetime.now(UTC).date(), psutil.getloadavg()[0]
    return f"Measured on {today}, {os.cpu_count()} cores, Python {platform.python_version()}, load {load:.1f}."


def page(found: Mapping[str, Sequence[Measured]], machine: str) -> str:
    parts = [HEAD.format(machine=machine)]
    for family, measured in found.items():
        if measured:
            parts.append("\n".join((f"## {family.replace('_', ' ').capitalize()}\n", TABLE, *map(_line, measured))))
            parts.extend(_notes([one.score for one in measured]))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _line(one: Measured) -> str:
    score = one.score
    cells = (
        score.dataset,
        ("≤ " if score.less_is_better else "") + score.metric,
        _figure(score.ours),
        " ".join(filter(None, (_figure(score.anchor), f"({score.anchor_name})" if score.anchor_name else ""))),
        _figure(score.bar),
        VERDICTS[score.holds],
        "" if score.seed is None else str(score.seed),
        f"{one.seconds:.1f}",
        f"{one.peak_mb:.0f}",
    )
    return "| " + " | ".join(cells) + " |"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _notes(scores: Sequence[Score]) -> Iterator[str]:
    for score in scores:
        if score.note:
            yield f"*{score.dataset}, {score.metric}*: {score.note}"
