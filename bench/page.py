"""docs/BENCHMARKS.md as lines: ratios beside others, then the bars, then how to repeat it, then measure by measure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench import circumstances
from bench.growth import works
from bench.wording import NO_BREAK, bar, held, number, ratio

OVERVIEW = "every-bar.svg"
Run = Mapping[str, Any]


def document(runs: Sequence[Run], charts: str) -> Iterator[str]:
    """`charts` is the folder beside the page."""
    yield from ("# Benchmarks", "", _opening(runs), "")
    yield from _ratios(runs)
    yield from _bars(runs, charts)
    yield from _published(runs)
    yield from circumstances.told(runs)
    yield from circumstances.others()
    yield from ("## Measure by measure", "")
    for run in runs:
        yield from _measure(run, charts)


def figures(runs: Sequence[Run]) -> Iterator[Run]:
    return (figure for run in runs for figure in run.get("figures", ()))


def has_a_chart(figure: Run) -> bool:
    return bool(figure["peers"] or figure["published"])


def file_name(figure: Run) -> str:
    return _as_file(figure["id"])


def growth_name(run: Run, work: str) -> str:
    return _as_file(f"{run['id']} {work} by rows")


def _as_file(name: str) -> str:
    letters = (letter if letter.isalnum() else "-" for letter in name.lower())
    return f"{'-'.join(filter(None, ''.join(letters).split('-')))}.svg"


def _opening(runs: Sequence[Run]) -> str:
    judged = [figure for figure in figures(runs) if figure["bar"] is not None]
    missed = [figure["id"] for figure in judged if not held(figure)]
    failed = [run["id"] for run in runs if "failed" in run]
    said = "Agensium and others at the same work, on the same machine, in the same run, written by `make bench`. "
    said += f"**{len(judged) - len(missed)} of {len(judged)} bars are held.**"
    said += f" Missed: {', '.join(missed)}." if missed else ""
    return said + (f" Not measured: {', '.join(failed)}." if failed else "")


def _bars(runs: Sequence[Run], charts: str) -> Iterator[str]:
    yield from ("## Bars", "", f"![Every bar]({charts}/{OVERVIEW})", "")
    yield from ("| | measure | ours | bar | | load |", "|---|---|--:|--:|---|--:|")
    for run in runs:
        if "failed" in run:
            yield f"| {run['id']} | {run['title']} | | | **not measured**: {_cell(run['failed'])} | {_load(run)} |"
        for figure in run.get("figures", ()):
            if figure["bar"] is not None:
                yield f"| {figure['id']} | {_cell(figure['title'])} | {_beside_its_bar(figure)} | {_load(run)} |"
    yield ""


def _beside_its_bar(figure: Run) -> str:
    ours, judged = number(figure["ours"], figure["unit"]), "held" if held(figure) else "**missed**"
    return f"{ours} | {bar(figure)} | {judged}"


def _ratios(runs: Sequence[Run]) -> Iterator[str]:
    beside = [figure for figure in figures(runs) if figure["peers"] or figure.get("missing")]
    if not beside:
        return
    yield from ("## Beside others, in the same run", "")
    yield "Ratios travel from machine to machine better than seconds do. Who does less work beside us is said below."
    yield from ("", "| measure | beside | ratio | ours | theirs |", "|---|---|---|--:|--:|")
    for figure in beside:
        title = f"{figure['id']} {_cell(figure['title'])}"  # told once, over all who are beside it
        for row in _beside(figure):
            yield f"| {title} | {row} |"
            title = ""
    yield ""


def _beside(figure: Run) -> Iterator[str]:
    ours = number(figure["ours"], figure["unit"])
    best_first = sorted(figure["peers"].items(), key=lambda one: one[1], reverse=not figure["less_is_better"])
    for name, value in best_first:
        yield f"{name} | {ratio(figure, value)} | {ours} | {number(value, figure['unit'])}"
    for name, reason in figure.get("missing", {}).items():
        yield f"{name} | *missing: {_cell(reason)}* | {ours} | "


def _published(runs: Sequence[Run]) -> Iterator[str]:
    told = [figure for figure in figures(runs) if figure["published"]]
    if not told:
        return
    yield from ("## What others publish of themselves", "")
    yield "On machines of theirs, at another time: nothing but an order of magnitude, and no ratio follows from it."
    yield from ("", "| measure | ours, here | theirs, there |", "|---|--:|---|")
    for figure in told:
        theirs = ", ".join(f"{name} {number(value, figure['unit'])}" for name, value in figure["published"].items())
        yield f"| {figure['id']} {_cell(figure['title'])} | {number(figure['ours'], figure['unit'])} | {theirs} |"
    yield ""


def _measure(run: Run, charts: str) -> Iterator[str]:
    yield from (f"### {run['id']} {run['title']}", "")
    yield f"{run['date']}, {run['seconds']:.0f} s{', the short form' if run['quick'] else ''}; load {_load(run)}."
    yield ""
    if "failed" in run:
        yield from (f"**Not measured**: {run['failed']}.", "")
    for work in works(run.get("figures", ())):
        yield from (f"![{work}: seconds by rows]({charts}/{growth_name(run, work)})", "")
    for figure in run.get("figures", ()):
        yield from _figure(figure, charts)


def _figure(figure: Run, charts: str) -> Iterator[str]:
    ours = number(figure["ours"], figure["unit"])
    yield f"**{figure['id']}** {figure['title']}: **{ours}**{_judged(figure)}. {figure['note']}".rstrip()
    yield ""
    if has_a_chart(figure):
        yield from (f"![{figure['title']}]({charts}/{file_name(figure)})", "")
    if figure["detail"]:
        detail = json.dumps(figure["detail"], indent=1, ensure_ascii=False)
        yield from ("<details><summary>Details</summary>", "", "```json", detail, "```", "", "</details>", "")


def _judged(figure: Run) -> str:
    if figure["bar"] is None:
        return ""
    return f" (bar {bar(figure)}: {'held' if held(figure) else '**missed**'})"


def _load(run: Run) -> str:
    return f"{NO_BREAK}→{NO_BREAK}".join(f"{value:g}" for value in run["load_average"])


def _cell(said: str) -> str:
    """As a table takes it."""
    return said.replace("|", "\\|").replace("\n", " ")
