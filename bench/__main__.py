"""`python -m bench [--quick | --long] [--only P1 P4]`: everything that is measured, in one run on one machine.

Each measure is a process of its own, with a time-out; one that fails says so where its figure would stand. Written:
docs/BENCHMARKS.md, docs/benchmarks.json and a chart a figure; a run of some measures leaves the others' figures.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from backend.clock import monotonic
from backend.product import ROOT
from bench.families import MEASURES
from bench.measure import Measure
from bench.report import DOCS, write

# Seconds for one measure; the longest ends within half of it on an idle machine of two cores.
PATIENCE = {"quick": 120.0, "whole": 420.0, "long": 7200.0}


def main() -> int:
    chosen = _arguments()
    known = {measure.id for measure in MEASURES}
    if unknown := sorted(set(chosen.only) - known):
        sys.exit(f"there is no measure called {', '.join(unknown)}; there are {', '.join(m.id for m in MEASURES)}")
    began = monotonic()
    size = "quick" if chosen.quick else "long" if chosen.long else "whole"
    runs = [_run(measure, size) for measure in _wanted(chosen.only, quick=chosen.quick)]
    for path in write(runs, Path(chosen.out), quick=chosen.quick, seconds=monotonic() - began):
        print(f"wrote {path}")
    return 1 if any("failed" in run for run in runs) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the short form of the short measures, two minutes")
    parser.add_argument("--long", action="store_true", help="the largest tables too, an hour")
    parser.add_argument("--only", nargs="+", default=[], metavar="P1", help="these measures alone")
    parser.add_argument("--out", default=str(DOCS), help="another folder than docs/")
    return parser.parse_args()


def _wanted(only: Sequence[str], *, quick: bool) -> list[Measure]:
    if only:
        return [measure for measure in MEASURES if measure.id in only]
    return [measure for measure in MEASURES if measure.quick or not quick]


def _run(measure: Measure, size: str) -> dict[str, Any]:
    """What came of one measure: its figures or why there are none, and how busy the machine was."""
    print(f"{measure.id} {measure.title} …", end=" ", flush=True)
    load, began = psutil.getloadavg()[0], monotonic()
    found = _alone(measure.id, size, PATIENCE[size])
    seconds = monotonic() - began
    print(found.get("failed") or f"{seconds:.0f} s", flush=True)
    loads = [round(load, 1), round(psutil.getloadavg()[0], 1)]
    return {"id": measure.id, "title": measure.title, "seconds": round(seconds, 1), "load_average": loads, **found}


def _alone(measure_id: str, size: str, patience: float) -> dict[str, Any]:
    """In a process of its own: its peak and its settings are its own."""
    command = [sys.executable, "-m", "bench.alone", measure_id, size]
    with tempfile.TemporaryFile("w+") as said, subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=said, text=True, cwd=ROOT, start_new_session=True
    ) as process:  # fmt: skip
        try:
            out, _ = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            _end(process)
            return {"failed": f"not done after {patience:g} s"}
        if process.returncode == 0:
            return {"figures": json.loads(out)}
        said.seek(0)
        return {"failed": f"failed: {(said.read().strip().splitlines() or ['without a word'])[-1][:300]}"}


def _end(process: "subprocess.Popen[str]") -> None:
    """It and all that it started, which have sessions of their own."""
    for one in (*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)):
        with suppress(psutil.NoSuchProcess):
            one.kill()


if __name__ == "__main__":
    sys.exit(main())
