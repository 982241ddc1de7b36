"""How long agents will take for so much data: a range, from what they took before (paces.py), else as declared."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from db.paces import Pace

DECLARED_PACE = 1.0  # seconds for each MiB, of an agent that has no history yet
DECLARED_SPREAD = 4.0  # … and it may be so many times quicker or slower
BEYOND_HISTORY = 2.0  # how much slower than its slow pace an agent may be on more data than it ever had
# Around the agents: the file is fetched and parsed, the report is made and stored.
AROUND_LOW, AROUND_LIKELY, AROUND_HIGH = 0.3, 1.0, 3.0


class Basis(StrEnum):
    HISTORY = "history"
    DECLARED = "declared"


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds: likely, and between which two it will nearly always be."""

    low: float
    likely: float
    high: float
    based_on: Basis

    def less(self, elapsed: float) -> "Span":
        """What is left after `elapsed` seconds; what took longer than expected takes a while longer still."""
        low = max(0.0, self.low - elapsed)
        likely = max(low, self.likely - elapsed, elapsed / 10)
        return Span(low, likely, max(likely, self.high - elapsed, elapsed / 2), self.based_on)

    def after(self, low: float, likely: float, high: float) -> "Span":
        """With a wait before it."""
        return Span(self.low + low, self.likely + likely, self.high + high, self.based_on)


def expected(agents: Iterable[str], mebibytes: float, paces: Mapping[str, Pace]) -> Span:
    """All these agents, one after the other, and what is around them.

    Agents are quick or slow each for itself, so the range of all is narrower than the sum of their ranges.
    """
    spans = [_of_agent(paces.get(agent), mebibytes) for agent in agents]
    likely = sum(span.likely for span in spans)
    below = math.hypot(*(span.likely - span.low for span in spans))
    above = math.hypot(*(span.high - span.likely for span in spans))
    known = all(span.based_on is Basis.HISTORY for span in spans)
    whole = Span(likely - below, likely, likely + above, Basis.HISTORY if known else Basis.DECLARED)
    return whole.after(AROUND_LOW, AROUND_LIKELY, AROUND_HIGH)


def _of_agent(pace: Pace | None, mebibytes: float) -> Span:
    if pace is None:
        likely = DECLARED_PACE * mebibytes
        return Span(likely / DECLARED_SPREAD, likely, likely * DECLARED_SPREAD, Basis.DECLARED)
    usual, slow = pace.usual * mebibytes, max(pace.usual, pace.slow) * mebibytes
    quick = usual * usual / slow if slow else 0.0  # as far below the median as the 95th percentile is above it
    beyond = BEYOND_HISTORY if mebibytes > pace.largest else 1.0
    return Span(quick, usual, slow * beyond, Basis.HISTORY)
