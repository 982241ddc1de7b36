"""The course of a soak: up, warm, at rest, under load for as long as was asked, at rest again, proven, ended.

Whatever happens, everything that was started is stopped, and its folder is removed.
"""

import os
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from backend.chaos.deployment import GaveUp, until
from backend.clock import monotonic
from backend.devstack import embedded_stack
from bench.machine import described
from bench.soak import judging
from bench.soak.census import Census, Found, take_in_orphans
from bench.soak.deployment import Soaked, soaked
from bench.soak.figures import Recorded
from bench.soak.judging import Verdict
from bench.soak.outside import Counts, Outside
from bench.soak.proofs import proven
from bench.soak.receiver import receiving
from bench.soak.visits import Served, Visits
from db.schema import migrate

READINGS = 300  # of a run
QUICKEST = 1.0  # seconds between two of them
DISTURBANCES = 50  # of a run; each a few seconds of somebody's time, and a task needs to come through
SELDOM = 10.0  # seconds between two of them, at least
WARM_SHARE, LONGEST_WARM = 0.25, 600.0
ENDING_SHARE, LONGEST_ENDING = 0.15, 60.0  # of the run, for what follows the load
CUSTOMERS = 3  # at once
REST_SECONDS = 8.0  # until idle connections are closed: the API keeps a client's for five
PATIENCE = 300.0
SHORTEST = 600.0
SERIES = Path(".agensium") / "soak.csv"


@dataclass
class Soak:
    """What came of a run."""

    seconds: float
    machine: str = ""
    recorded: Recorded = field(default_factory=Recorded)
    served: Served = field(default_factory=Served)
    verdicts: list[Verdict] = field(default_factory=list)
    disturbed: list[str] = field(default_factory=list)
    rows: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def missed(self) -> list[Verdict]:
        return [one for one in self.verdicts if not one.held]


class Course:
    """One run of so many seconds, from the first process to the last; each reading is also a line of `series`."""

    def __init__(self, seconds: float, say: Callable[[str], None], series: Path = SERIES) -> None:
        self.found = Soak(seconds, described())
        self._say = say
        self._began = monotonic()
        self._census = Census()
        self._pause = threading.Event()
        self._series = series
        series.parent.mkdir(parents=True, exist_ok=True)
        series.write_text("second,process,pid,bytes,files,threads\n", encoding="utf-8")

    def run(self) -> Soak:
        os.environ["AGENSIUM_NO_ENV_FILE"] = "1"
        take_in_orphans()
        with ExitStack() as cleanup:
            folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="agensium-soak-")))
            (folder / "temporary").mkdir()
            stack = cleanup.enter_context(embedded_stack(folder / "stack", fast=True))
            self._census.started |= {one.process.pid for one in (stack.postgres, stack.storage, stack.redis) if one}
            migrate(stack.database_url)
            outside = Outside(stack, folder / "scratch", folder / "temporary")
            cleanup.callback(outside.close)
            hook = cleanup.enter_context(receiving())
            with soaked(stack, folder, self._census, outside) as house:
                self._say(f"{self._at:4.0f} s: an API, Flower and three workers are up")
                try:
                    self._live(house, outside, hook)
                except GaveUp:
                    self._say(house.house.api.log_tail())
                    raise
                self.found.verdicts += proven(house.house.environment)
                self.found.rows = outside.rows()
                ends = house.end()
                self.found.verdicts.append(Verdict("processes that would not end", len(ends), 0, "", "; ".join(ends)))
                self._rest(REST_SECONDS / 4)
                self.found.verdicts += judging.in_the_end(outside.look(self._at), self._census.look(self._at))
        return self.found

    @property
    def _at(self) -> float:
        return monotonic() - self._began

    def _live(self, house: Soaked, outside: Outside, hook: str) -> None:
        """The load and the two rests around what is judged."""
        visits = Visits(house.house.api_url, hook, CUSTOMERS)
        self.found.served = visits.served
        last = self.found.seconds - min(LONGEST_ENDING, ENDING_SHARE * self.found.seconds)
        with visits.going_on() as visitors:
            self._load(house, outside, visits, min(LONGEST_WARM, WARM_SHARE * self.found.seconds))
            before = self._at_rest(house, outside, visits, visitors)
            began = self._at
            self._load(house, outside, visits, last)
            self.found.recorded.judged = began, self._at
            after = self._at_rest(house, outside, visits, visitors)
        if self.found.seconds < SHORTEST:
            self._say(
                f"Less than {SHORTEST:.0f} s are too short to tell what grows: pools and caches are still filling."
            )
            return
        self.found.verdicts += judging.verdicts(self.found.recorded) + judging.at_rest(before, after)

    def _load(self, house: Soaked, outside: Outside, visits: Visits, end: float) -> None:
        """Read and disturb until then."""
        every = max(QUICKEST, self.found.seconds / READINGS)
        between = max(SELDOM, self.found.seconds / DISTURBANCES)
        self._say(f"{self._at:4.0f} s: {CUSTOMERS} customers at once until {end:.0f} s")
        visits.let_in()
        due = self._at + between
        while self._at < end:
            house.mend()
            if self._at >= due:
                self.found.disturbed.append(house.disturb())
                due = self._at + between
            self._read(outside)
            house.scrape()
            self._rest(every)
        visits.hold_up()

    def _read(self, outside: Outside) -> None:
        at = self._at
        found = self._census.look(at)
        self.found.recorded.looks.append((at, found))
        self.found.recorded.counts.append(outside.look(at))
        with self._series.open("a", encoding="utf-8") as lines:
            for one, seen in found.readings.items():
                lines.write(f"{at:.0f},{one.kind},{one.pid},{seen.memory:.0f},{seen.files},{seen.threads}\n")

    def _at_rest(
        self, house: Soaked, outside: Outside, visits: Visits, visitors: list[Future[None]]
    ) -> tuple[Counts, Found]:
        def still() -> bool:
            for visitor in visitors:
                if visitor.done():
                    visitor.result()  # who has ended has failed, and says of what
            house.mend()
            return visits.at_rest

        until(still, "every customer has been served", PATIENCE, 0.2)
        for worker in house.house.workers:
            house.house.await_worker(worker)
        self._rest(REST_SECONDS)
        found = self._census.look(self._at)
        self._say(f"{self._at:4.0f} s: at rest; {len(visits.served.wrong)} things went wrong so far")
        return outside.look(self._at), found

    def _rest(self, seconds: float) -> None:
        self._pause.wait(seconds)
