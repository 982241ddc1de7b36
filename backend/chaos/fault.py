"""What a fault is, and how one is rehearsed: tasks in flight, the fault, everything ended, every invariant held."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import psutil
import redis

from backend.chaos.deployment import GaveUp
from backend.chaos.invariants import Tally
from backend.chaos.stage import Stage
from backend.clock import monotonic
from backend.errors import AgensiumError
from backend.processes import ProcessFailed
from db.database import DATABASE_ERRORS


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


EXPECTED = (
    GaveUp, ProcessFailed, AgensiumError, psutil.Error, OSError, subprocess.SubprocessError,
    httpx.TransportError, redis.RedisError, *DATABASE_ERRORS,
)  # fmt: skip


@contextmanager
def blamed(breaches: list[str], on: str) -> Iterator[None]:
    """What goes wrong in the block is one more breach; what comes after the block is still done."""
    try:
        yield
    except EXPECTED as error:
        breaches.append(f"{on}: {type(error).__name__}: {error}")


def rehearse(stage: Stage, fault: Fault) -> Outcome:
    """One fault, bounded by the deadlines of all it waits for. Also after a failure its tasks are looked at."""
    began = monotonic()
    seen, tally = "", Tally()
    with blamed(tally.breaches, fault.name):
        stage.rest()
    if tally.breaches:
        return Outcome(fault, seen, monotonic() - began, tally)
    began = monotonic()
    try:
        with blamed(tally.breaches, fault.name):
            stage.order()
            stage.busy()
            seen = fault.inject(stage)
    except Skipped as reason:
        return Outcome(fault, f"skipped: {reason}", monotonic() - began, tally, skipped=True)
    if tally.breaches:
        with blamed(tally.breaches, fault.name):
            stage.rest_workers()
    with blamed(tally.breaches, fault.name):
        stage.ended()
    with blamed(tally.breaches, fault.name):
        tally.add(stage.judge([stage.customer]))
    return Outcome(fault, seen, monotonic() - began, tally)
