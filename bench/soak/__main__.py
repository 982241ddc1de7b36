"""`python -m bench.soak`: mixed load and kills on an embedded stack for twenty minutes; what grows, and what is left.

SOAK says how many seconds the load lasts, start and end included; `--write` puts the figures into docs/RELIABILITY.md.
The exit code is 1 when a bar was missed or a task did not come as it was ordered. Loopback only; it stops by itself and
leaves nothing behind.
"""

import argparse
import os
import subprocess
import sys

from rich.console import Console

from backend.chaos.deployment import GaveUp
from backend.chaos.run import Overdue, deadline
from backend.processes import ProcessFailed
from bench.soak.course import Course
from bench.soak.report import tell, write

SECONDS = 1200.0
LEAST_SECONDS = 15.0
WIDTH = 170
OVERTIME = 600.0  # seconds; a run that takes longer hangs
STUCK = (GaveUp, ProcessFailed, Overdue, subprocess.TimeoutExpired)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("SOAK") or SECONDS))
    parser.add_argument("--write", action="store_true", help="write the figures into docs/RELIABILITY.md")
    chosen = parser.parse_args()
    console = Console(width=WIDTH)
    course = Course(max(LEAST_SECONDS, chosen.seconds), lambda words: console.print(words, highlight=False))
    ended = False
    try:
        with deadline(course.found.seconds + OVERTIME):
            course.run()
        ended = True
    except STUCK as error:
        console.print(f"It did not come to its end: {error}", markup=False, highlight=False, soft_wrap=True)
    tell(console, course.found)
    if chosen.write and ended:
        write(course.found)
    return 1 if course.found.missed or course.found.served.wrong or not ended else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nEnded; all that was started is stopped.")
        sys.exit(130)  # as a shell says it of Ctrl+C
