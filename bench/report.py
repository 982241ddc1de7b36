"""docs/BENCHMARKS.md, docs/benchmarks.json and a chart a figure: ratios first, then seconds, then how to repeat it.

What this run did not measure keeps its figures of an earlier run, with that run's date and machine.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.clock import now
from backend.product import ROOT
from bench.chart import chart
from bench.families import MEASURES
from bench.machine import described

DOCS = ROOT / "docs"
ALIKE = 0.05  # within what two runs differ by
CHARTS = "benchmarks"  # a folder beside the document
HOW_TO_REPEAT = (
    "",
    "```sh",
    "make bench                      # everything, twenty minutes at most",
    "make bench-quick                # two minutes",
    "make bench-long                 # tables of ten million rows too",
    "python -m bench --only P1 P5    # some",
    "```",
    "",
)
Run = Mapping[str, Any]


def write(runs: Sequence[Run], folder: Path, *, quick: bool, seconds: float) -> list[Path]:
    """Write the three; the paths of document and figures."""
    figures, document = folder / "benchmarks.json", folder / "BENCHMARKS.md"
    (folder / CHARTS).mkdir(parents=True, exist_ok=True)
    day = {"date": now().date().isoformat(), "machine": described(), "quick": quick}
    every = _with_earlier([{**run, **day} for run in runs], figures)
    figures.write_text(json.dumps(list(_entries(every)), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for figure in _figures(every):
        if figure["peers"] or figure["published"]:
            (folder / CHARTS / f"{_file_name(figure)}.svg").write_text(chart(figure), encoding="utf-8")
    document.write_text("\n".join(_document(every, seconds)) + "\n", encoding="utf-8")
    return [document, figures]


def _with_earlier(runs: Sequence[Run], figures: Path) -> list[Run]:
    """In the order of the measures; a figure that this run did not take stays as it was."""
    mine = {run["id"]: run for run in runs}
    old = json.loads(figures.read_text(encoding="utf-8")) if figures.exists() else []
    for entry in old:
        if entry["measure"] not in {run["id"] for run in runs}:
            run = mine.setdefault(entry["measure"], {**entry["run"], "figures": []})
            run["figures"].append({name: value for name, value in entry.items() if name not in {"measure", "run"}})
    return [mine[measure.id] for measure in MEASURES if measure.id in mine]


def _entries(runs: Sequence[Run]) -> Iterator[dict[str, Any]]:
    """A flat list for machines: each figure, the measure it is of, and under what circumstances it was taken."""
    for run in runs:
        circumstances = {name: value for name, value in run.items() if name != "figures"}
        for figure in run.get("figures", ()):
            yield {**figure, "measure": run["id"], "run": circumstances}


def _document(runs: Sequence[Run], seconds: float) -> Iterator[str]:
    yield "# Benchmarks"
    yield ""
    yield "Agensium and others at the same work, on the same machine, in the same run. Ratios first: they travel from"
    yield "machine to machine better than seconds do."
    yield ""
    yield from _ratios(runs)
    yield from _bars(runs)
    yield from _repeated(runs, seconds)
    for run in runs:
        yield from _measure(run)


def _ratios(runs: Sequence[Run]) -> Iterator[str]:
    beside = [(figure, name) for figure in _figures(runs) for name in figure["peers"]]
    if not beside:
        return
    yield from ("## Beside others", "", "| measure | beside | ours | theirs | |", "|---|---|--:|--:|---|")
    for figure, name in beside:
        ours, value, unit = figure["ours"], figure["peers"][name], figure["unit"]
        compared = f"{_number(ours, unit)} | {_number(value, unit)} | {_ratio(figure, value)}"
        yield f"| {figure['title']} | {name} | {compared} |"
    yield ""


def _figures(runs: Sequence[Run]) -> Iterator[Run]:
    return (figure for run in runs for figure in run.get("figures", ()))


def _ratio(figure: Run, theirs: float) -> str:
    """How many times as good or as bad, in words that need no sign. Of shares, what is lost is compared."""
    ours, less = figure["ours"], figure["less_is_better"]
    if figure["unit"] == "%" and not less:
        ours, theirs, less = 100 - ours, 100 - theirs, True
    if theirs <= 0 or ours <= 0:
        return ""
    times = theirs / ours if less else ours / theirs
    if abs(times - 1) < ALIKE:
        return "alike"
    return f"**{_times(times)} × better**" if times > 1 else f"{_times(1 / times)} × worse"


def _times(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _bars(runs: Sequence[Run]) -> Iterator[str]:
    yield from ("## Bars", "", "| | measure | ours | bar | |", "|---|---|--:|--:|---|")
    for run in runs:
        if "failed" in run:
            yield f"| {run['id']} | {run['title']} | {run['failed']} | | **not measured** |"
        for figure in run.get("figures", ()):
            if figure["bar"] is not None:
                yield f"| {figure['id']} | {figure['title']} | {_beside_its_bar(figure)} |"
    yield ""


def _beside_its_bar(figure: Run) -> str:
    held = figure["ours"] <= figure["bar"] if figure["less_is_better"] else figure["ours"] >= figure["bar"]
    sign = "≤" if figure["less_is_better"] else "≥"
    ours, bar = _number(figure["ours"], figure["unit"]), _number(figure["bar"], figure["unit"])
    return f"{ours} | {sign} {bar} | {'held' if held else '**missed**'}"


def _repeated(runs: Sequence[Run], seconds: float) -> Iterator[str]:
    yield from ("## The machine, and how to repeat it", "")
    for machine in dict.fromkeys(f"{run['date']}: {run['machine']}" for run in runs):
        yield f"- {machine}"
    yield from HOW_TO_REPEAT
    yield f"The run that wrote this took {seconds:.0f} s. PostgreSQL waits for its disk (fsync), Redis keeps an"
    yield "append-only file synced every second, S3 lies in memory. Peers come from PyPI, each in an environment of"
    yield "its own (`bench/peers/requirements`), use the same servers, and are set to lose nothing, as far as they can;"
    yield "what each of them keeps is said at the head of its script in `bench/peers`."
    yield ""


def _measure(run: Run) -> Iterator[str]:
    load = " → ".join(f"{value:g}" for value in run["load_average"])
    yield from (f"## {run['id']} {run['title']}", "")
    yield f"{run['date']}, {run['seconds']:g} s{', the short form' if run['quick'] else ''}; load average {load}."
    yield ""
    if "failed" in run:
        yield from (f"**Not measured**: {run['failed']}.", "")
    for figure in run.get("figures", ()):
        yield from _figure(figure)


def _figure(figure: Run) -> Iterator[str]:
    yield from (f"### {figure['title']}", "")
    yield f"{_number(figure['ours'], figure['unit'])}" + (f". {figure['note']}" if figure["note"] else "")
    yield ""
    if figure["peers"] or figure["published"]:
        yield from (f"![{figure['title']}]({CHARTS}/{_file_name(figure)}.svg)", "")
    if figure["published"]:
        said = ", ".join(f"{name} {_number(value, figure['unit'])}" for name, value in figure["published"].items())
        yield from (f"What others publish, on machines of theirs: {said}.", "")
    if figure["detail"]:
        detail = json.dumps(figure["detail"], indent=1, ensure_ascii=False)
        yield from ("<details><summary>Details</summary>", "", "```json", detail, "```", "", "</details>", "")


def _number(value: float, unit: str) -> str:
    """Three digits that say something."""
    return f"{value:,.0f} {unit}" if abs(value) >= 1000 else f"{value:.3g} {unit}"


def _file_name(figure: Run) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in f"{figure['id']} {figure['title']}".lower())
