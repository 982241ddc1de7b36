"""docs/BENCHMARKS.md, docs/benchmarks.json and the charts of one run, written together.

What this run did not measure keeps its figures of an earlier run, with that run's date, machine and load.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.clock import now
from backend.product import ROOT
from bench import page
from bench.chart import chart
from bench.families import MEASURES
from bench.growth import growth, works
from bench.machine import described
from bench.overview import overview

DOCS = ROOT / "docs"
CHARTS = "benchmarks"  # a folder beside the document
Run = Mapping[str, Any]


def write(runs: Sequence[Run], folder: Path, *, quick: bool, seconds: float) -> list[Path]:
    """Write all of it; the paths of document and figures."""
    record, document = folder / "benchmarks.json", folder / "BENCHMARKS.md"
    day = {"date": now().date().isoformat(), "machine": described(), "quick": quick, "run_seconds": round(seconds)}
    every = _with_earlier([{**_named(run), **day} for run in runs], record)
    folder.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(list(_entries(every)), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _draw(every, folder / CHARTS)
    document.write_text("\n".join(page.document(every, CHARTS)) + "\n", encoding="utf-8")
    return [document, record]


def _draw(runs: Sequence[Run], folder: Path) -> None:
    """A chart a figure that has somebody beside it, one a work on tables, one of all bars; those of before are gone."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    for run in runs:
        for work, courses in works(run.get("figures", ())).items():
            (folder / page.growth_name(run, work)).write_text(growth(work, courses), encoding="utf-8")
    every = list(page.figures(runs))
    for figure in every:
        if page.has_a_chart(figure):
            (folder / page.file_name(figure)).write_text(chart(figure), encoding="utf-8")
    if held_to := [figure for figure in every if figure["bar"] is not None]:
        (folder / page.OVERVIEW).write_text(overview(held_to), encoding="utf-8")


def _named(run: Run) -> Run:
    """Its first figure bears the measure's own name, the others each one of their own."""
    if "figures" not in run:
        return run
    names: list[str] = []
    for figure in run["figures"]:
        own = figure["id"] if names else run["id"]
        names.append(own if own not in names else f"{own} {figure['title']}")
    return {**run, "figures": [{**figure, "id": name} for figure, name in zip(run["figures"], names, strict=True)]}


def _with_earlier(runs: Sequence[Run], record: Path) -> list[Run]:
    """In the order of the measures; a figure that this run did not take stays as it was."""
    mine = {run["id"]: run for run in runs}
    taken = set(mine)
    old = json.loads(record.read_text(encoding="utf-8")) if record.exists() else []
    for entry in old:
        if entry["measure"] not in taken:
            run = mine.setdefault(entry["measure"], {**entry["run"], "figures": []})
            if "failed" not in run:
                run["figures"].append({name: value for name, value in entry.items() if name not in {"measure", "run"}})
    return [mine[measure.id] for measure in MEASURES if measure.id in mine]


def _entries(runs: Sequence[Run]) -> Iterator[dict[str, Any]]:
    """A flat list for machines: each figure, the measure it is of, and under what circumstances it was taken.

    A measure that failed has one entry, without a figure.
    """
    for run in runs:
        circumstances = {name: value for name, value in run.items() if name != "figures"}
        failed = {"id": run["id"], "title": run["title"], "ours": None, "peers": {}, "bar": None, "unit": ""}
        for figure in [failed] if "failed" in run else run["figures"]:
            yield {**figure, "measure": run["id"], "run": circumstances}
