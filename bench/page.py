"""docs/BENCHMARKS.md as lines: ratios beside others, then the bars, then how to repeat it, then measure by measure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.families import TABLES
from bench.growth import works
from bench.peers import environments
from bench.peers.about import OTHERS
from bench.slow_store import MILLISECONDS
from bench.wording import NO_BREAK, bar, held, number, ratio

OVERVIEW = "every-bar.svg"
Run = Mapping[str, Any]
HOW_TO_REPEAT = """
```sh
make bench                      # everything, twenty minutes at most; writes this page
make bench ONLY="P1 P5"         # some; the others' figures stay, with the date of their run
make bench-quick                # the short form of the short measures, two minutes; writes .agensium/bench
make bench-long                 # tables of ten million rows too
```

It needs what `make demo` needs, and an index of Python packages for the others. Those are installed once, before the
clock starts, each into an environment of its own (`.venv-bench`) from pinned versions (`bench/peers/requirements`); one
that cannot be installed is named as missing. Each measure is a process with a stack of its own: PostgreSQL that waits
for its disk (`fsync`), Redis with an append-only file synced every second, S3 in memory. The others use the same
servers, with databases of their own, through their public interfaces, in turn with us, warm. Nothing is left behind.
""".strip()
ABOUT_THE_STORE = (
    f"P1, P2 and P5 keep their files in a stub of S3 (`bench/slow_store.py`) that answers each call from memory after "
    f"{MILLISECONDS:g} ms, since the embedded store would be what is measured; the other measures use that one."
)


def document(runs: Sequence[Run], charts: str) -> Iterator[str]:
    """`charts` is the folder beside the page."""
    yield from ("# Benchmarks", "", _opening(runs), "")
    yield from _ratios(runs)
    yield from _bars(runs, charts)
    yield from _published(runs)
    yield from _repeated(runs)
    yield from _others()
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


def _repeated(runs: Sequence[Run]) -> Iterator[str]:
    yield from ("## The machine, and how to repeat it", "")
    told: dict[str, list[Run]] = {}
    for run in runs:
        servers = f", {run['servers']}" if "servers" in run else ""
        told.setdefault(f"{run['date']}: {run['machine']}{servers}", []).append(run)
    for machine, of_it in told.items():
        took = f"{sum(run['seconds'] for run in of_it):.0f} s{', the short form' if of_it[0]['quick'] else ''}"
        yield f"- {machine}. {', '.join(run['id'] for run in of_it)}: {took}."
    yield from ("", "Load is the average of one minute, before → after a measure, whose own work is in the second.", "")
    yield from (HOW_TO_REPEAT, "", ABOUT_THE_STORE, "")


def _others() -> Iterator[str]:
    yield from ("## The others: versions, and what they keep", "")
    yield "Each is set to lose nothing, as far as it can be, and each of its settings stands in its script in"
    yield "`bench/peers`. What is in Redis survives the death of any process; of the machine, all but the last second."
    yield from ("", "| | version | what it keeps | in P5 | what it leaves out |", "|---|---|---|---|---|")
    for one in OTHERS:
        version = environments.version(one.environment)
        yield f"| {one.environment} | {version} | {one.keeps} | {one.runs} | {one.leaves_out} |"
    tables = ", ".join(f"{name} {environments.version(name)}" for name in TABLES)
    yield from ("", f"Beside P9: {tables}. What each does there is said with its figures.", "")


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
