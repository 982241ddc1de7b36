"""P4: how soon an idle worker has a task, from the submit's commit to the claim. `python -m bench.pickup [quick]`.

Submits come one after the other, each when the worker is idle again, after a pause of chance length. Both ends are
read on this machine's one clock: here when the commit has returned, by PostgreSQL when the claim is written.
"""

import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from backend.clock import monotonic
from bench.alone import main
from bench.measure import Figure, Surroundings
from bench.quantiles import in_milliseconds, quantile

if TYPE_CHECKING:
    from db.models import Task

MEDIAN_BAR_MS = 15.0
WORST_BAR_MS = 60.0  # of a hundred, all but one
RIVER = {"p50": {"River": 51.0}, "p99": {"River": 105.0}}  # ms, as published
PAUSES = (0.05, 0.35)  # seconds: across several of a conductor's and a broker's own rhythms
PATIENCE = 20.0
LOOK_SECONDS = 0.05  # seldom: whoever looks takes from the machine what is being measured
WARM = 5  # tasks: each slot's own beginning


def measure(given: Surroundings) -> Iterable[Figure]:
    found = _pickups(given, 15 if given.quick else 150)
    claimed = [one.claimed for one in found]
    began = [one.began for one in found]
    detail = {
        "commit_to_claimed": in_milliseconds(claimed),
        "commit_to_first_agent": in_milliseconds(began),
        "written_to_admitted": in_milliseconds(one.admitted for one in found),  # with the submit's own commit in it
        "admitted_to_rung": in_milliseconds(one.rung for one in found),
        "rung_to_claimed": in_milliseconds(one.taken for one in found),
    }
    note = "From the submit's commit to the claim, the worker idle."
    for name, share, bar in (("p50", 0.5, MEDIAN_BAR_MS), ("p99", 0.99, WORST_BAR_MS)):
        yield Figure(
            id="P4" if name == "p50" else f"P4 {name}",
            title=f"Pickup by an idle worker, {name}",
            unit="ms",
            ours=1000 * quantile(claimed, share),
            bar=bar,
            published=RIVER[name],
            detail=detail | {"first_agent_ms": round(1000 * quantile(began, share), 2)},
            note=note,
        )
    yield Figure(
        id="P4 first agent",
        title="From the commit to the first agent's beginning, p50",
        unit="ms",
        ours=1000 * quantile(began, 0.5),
        detail=detail["commit_to_first_agent"],
        note="Said by the agent itself. The claim, its inputs and its holds lie between; no bar is set for it.",
    )


@dataclass(frozen=True)
class Pickup:
    """Seconds: from the commit to the claim and to the agent's beginning; then the stations between, row to row."""

    claimed: float
    began: float
    admitted: float
    rung: float
    taken: float


def _pickups(given: Surroundings, count: int) -> list[Pickup]:
    from bench import house

    pause, chance = threading.Event(), Random(11)
    with house.worker(given):
        user = house.customer()
        for _ in range(WARM):
            _pickup(user)
        found = []
        for _ in range(count):
            pause.wait(chance.uniform(*PAUSES))
            found.append(_pickup(user))
    return found


def _pickup(user: int) -> Pickup:
    from backend.clock import now
    from bench import house

    task_id = house.submit(user, "clock")
    committed = now()
    task = _claimed(task_id)
    house.await_ended([task_id], PATIENCE)
    assert task.queued_at is not None
    assert task.admitted_at is not None
    assert task.rung_at is not None
    assert task.started_at is not None
    return Pickup(
        claimed=(task.started_at - committed).total_seconds(),
        began=_began(task_id) - committed.timestamp(),
        admitted=(task.admitted_at - task.queued_at).total_seconds(),
        rung=(task.rung_at - task.admitted_at).total_seconds(),
        taken=(task.started_at - task.rung_at).total_seconds(),
    )


def _claimed(task_id: UUID) -> "Task":
    """The row as it is while a worker has it."""
    from db.database import transaction
    from db.models import Task

    pause, deadline = threading.Event(), monotonic() + PATIENCE
    while True:
        pause.wait(LOOK_SECONDS)
        with transaction() as session:
            task = session.get_one(Task, task_id)
        if task.started_at is not None:
            return task
        if monotonic() > deadline:
            raise SystemExit(f"nobody claimed the task in {PATIENCE:g} s")


def _began(task_id: UUID) -> float:
    """When the agent said that it had begun."""
    from db.database import transaction
    from db.models import TaskStep

    with transaction() as session:
        said = session.scalars(select(TaskStep.inline).where(TaskStep.task_id == task_id)).one()
    assert said is not None
    return float(said["result"]["summary_metrics"]["microseconds"]) / 1e6


if __name__ == "__main__":
    main("P4", *sys.argv[1:] or ["whole"])
