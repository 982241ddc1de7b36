"""`python -m bench [--quick | --long] [--only P1 P4]`: everything that is measured, in one run on one machine.

Each measure is a process of its own, with a time-out; one that fails says so where its figure would stand, and the
others go on. Written: docs/BENCHMARKS.md, docs/benchmarks.json and charts; a run of some measures leaves the others'
figures. The exit code is 1 when a measure failed, 2 when one is asked for that does not exist; a bar that is missed is
a figure, no failure. Ctrl+C ends everything and writes nothing.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from backend.clock import monotonic
from backend.processes import ending_on_signals
from bench import running, wording
from bench.budget import Budget, Size
from bench.families import MEASURES
from bench.measure import Measure
from bench.peers import environments
from bench.report import DOCS, write


def main() -> int:
    chosen = _arguments()
    size = Size.QUICK if chosen.quick else Size.LONG if chosen.long else Size.WHOLE
    measures = _wanted(chosen.only, size)
    with ending_on_signals():
        environments.make(dict.fromkeys(peer for measure in measures for peer in measure.peers))
        began, budget = monotonic(), Budget(size, measures)
        runs = [_run(measure, size, budget) for measure in measures]
        seconds = monotonic() - began
    for path in write(runs, Path(chosen.out), quick=size is Size.QUICK, seconds=seconds):
        print(f"wrote {path}")
    print(f"{len(runs)} measures in {seconds:.0f} s")
    return 1 if any("failed" in run for run in runs) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="the short form of the short measures, two minutes")
    sizes.add_argument("--long", action="store_true", help="the largest tables too, an hour")
    known = [measure.id for measure in MEASURES]
    parser.add_argument("--only", nargs="+", default=[], choices=known, metavar="P1", help="these measures alone")
    parser.add_argument("--out", default=str(DOCS), help="another folder than docs/")
    return parser.parse_args()


def _wanted(only: Sequence[str], size: Size) -> list[Measure]:
    if only:
        return [measure for measure in MEASURES if measure.id in only]
    return [measure for measure in MEASURES if size is not Size.QUICK or measure.quick_seconds is not None]


def _run(measure: Measure, size: Size, budget: Budget) -> running.Run:
    print(f"{measure.id} {measure.title} …", end=" ", flush=True)
    found = running.run(measure, size, budget.of_the_next())
    print(running.summary(found), flush=True)
    for figure in found.get("figures", ()):
        print(f"    {figure['id']}: {wording.judged(figure)}", flush=True)
    return found


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nEnded; nothing was written.")
        sys.exit(130)  # as a shell says it of Ctrl+C
