"""P9: tables of 10⁴, 10⁵ and 10⁶ rows, profiled, cleaned and mastered, beside those whose own work it is.

    python -m bench.data [quick | whole | long]

Everybody is a process of its own that starts, reads the CSV, does its work and writes its result: all of that counts.
Two runs at the same size stand beside each other only where both ended in 60 s and 8 GB.
"""

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from backend.clock import monotonic
from bench.alone import main
from bench.apart import Limits, Ran
from bench.courses import Entrant, run_all
from bench.linkage import clusters_of, linkage
from bench.measure import Figure, Surroundings
from bench.peers.environments import PeerMissing
from bench.table_figures import Found, beside, growth, headline, name_of
from bench.table_work import TOOLS, WORKS, Ours, TableWork, Theirs, run_on
from bench.tables import customers

SIZES = (10_000, 100_000, 1_000_000)
LARGEST = 10_000_000  # ours alone, in the long run
BUDGET = {"quick": 25.0, "whole": 330.0, "long": 5400.0}  # seconds for everybody together
LIMITS = {"quick": Limits(30.0), "whole": Limits(), "long": Limits(1800.0)}
QUICK = {"Profile": "ydata-profiling, minimal", "Clean": "pandas, by hand"}


def measure(given: Surroundings) -> Iterable[Figure]:
    size = "quick" if given.quick else "long" if given.long else "whole"
    sizes = SIZES[:1] if given.quick else (*SIZES, LARGEST) if given.long else SIZES
    for rows in sizes:
        customers(rows)
    meeting = Meeting(given, LIMITS[size])
    meeting.run(sizes, BUDGET[size])
    grown = (figure for work in (*WORKS, *TOOLS) for figure in growth(work, meeting.found))
    figures = [*headline(WORKS, meeting.found), *beside(WORKS, meeting.found), *grown]
    if not figures:
        raise SystemExit(
            "nobody ended; " + "; ".join(f"{who} {how.stopped}" for who, how in meeting.found.courses.items())
        )
    return figures


@dataclass(frozen=True)
class Meeting:
    """Who comes, and what is found."""

    given: Surroundings
    limits: Limits
    found: Found = field(default_factory=Found)

    def run(self, sizes: Sequence[int], budget: float) -> None:
        """What stands beside others comes first; whole tools get what time is left."""
        deadline = monotonic() + budget
        for works in (WORKS, TOOLS):
            courses = run_all(list(self._entrants(works)), sizes, self.limits, deadline - monotonic())
            self.found.courses.update(courses)

    def _entrants(self, works: Sequence[TableWork]) -> Iterator[Entrant]:
        for work in works:
            if self.given.quick and work.title not in QUICK:
                continue
            yield self._entrant(work, "ours", work.ours)
            for peer, who in work.theirs.items():
                if not self.given.quick or QUICK[work.title] == peer:
                    yield self._entrant(work, peer, who)

    def _entrant(self, work: TableWork, peer: str, who: Ours | Theirs) -> Entrant:
        def run(rows: int) -> Ran:
            try:
                return self._run(work, peer, who, rows)
            except PeerMissing as error:
                return Ran(0.0, 0.0, 0.0, str(error))

        if isinstance(who, Theirs):
            return Entrant(name_of(work, peer), run, SIZES[-1] if self.given.long else who.until)
        return Entrant(name_of(work, peer), run, LARGEST if self.given.long else work.until, work.sure)

    def _run(self, work: TableWork, peer: str, who: Ours | Theirs, rows: int) -> Ran:
        name = name_of(work, peer)
        folder = self.given.scratch / "".join(letter if letter.isalnum() else "-" for letter in f"{name} {rows}")
        try:
            ran = run_on(who, rows, folder, self.limits)
            if work.links and not ran.failure:
                self.found.linked[name, rows] = linkage(customers(rows), clusters_of(folder)).told
            return ran
        finally:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main("P9", *sys.argv[1:] or ["whole"])
