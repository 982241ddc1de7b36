"""What a fault is, and how one is rehearsed: tasks in flight, the fault, everything ended, every invariant held."""

from collections.abc import Callable
from dataclasses import dataclass

import psutil

from backend.chaos.deployment import GaveUp
from backend.chaos.invariants import Tally
from backend.chaos.stage import Stage
from backend.client import RequestRefused
from backend.clock import monotonic
from backend.processes import ProcessFailed


class Skipped(Exception):
    """This machine cannot have this fault; the message says why."""


@dataclass(frozen=True)
class Fault:
    """`what` is done to it, in words. `inject` does it while tasks are in flight, mends it, and says what was seen."""

    name: str
    what: str
    inject: Callable[[Stage], str]


@dataclass(frozen=True)
class Outcome:
    """How a rehearsal went. It held when nothing is in `tally.breaches`."""

    fault: Fault
    seen: str
    seconds: float
    tally: Tally
    skipped: bool = False

    @property
    def held(self) -> bool:
        return not self.tally.breaches


EXPECTED = (GaveUp, ProcessFailed, RequestRefused, psutil.Error, OSError)


def rehearse(stage: Stage, fault: Fault) -> Outcome:
    """One fault, bounded by the deadlines of all it waits for."""
    began = monotonic()
    seen, tally = "", Tally()
    try:
        stage.rest()
        began = monotonic()
        stage.order()
        stage.busy()
        seen = fault.inject(stage)
        stage.ended()
        tally = stage.judge([stage.customer])
    except Skipped as reason:
        return Outcome(fault, f"skipped: {reason}", monotonic() - began, tally, skipped=True)
    except EXPECTED as error:
        tally.breaches.append(f"{fault.name}: {type(error).__name__}: {error}")
    return Outcome(fault, seen, monotonic() - began, tally)
