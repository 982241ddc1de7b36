"""P4: how soon an idle worker has a task, from the submit's commit to the claim. `python -m bench.pickup [quick]`.

Submits come one after the other, each when the worker is idle again, after a pause of chance length. Both ends are
read on this machine's one clock: here when the commit has returned, by PostgreSQL when the claim is written.
"""

import sys
import threading
from collections.abc import Iterable
from random import Random

from sqlalchemy import select

from bench.alone import main
from bench.measure import Figure, Surroundings
from bench.quantiles import in_milliseconds, quantile

MEDIAN_BAR_MS = 15.0
WORST_BAR_MS = 60.0  # of a hundred, all but one
RIVER = {"p50": {"River": 51.0}, "p99": {"River": 105.0}}  # ms, as published
PAUSES = (0.05, 0.35)  # seconds: across several of a conductor's and a broker's own rhythms
PATIENCE = 20.0


def measure(given: Surroundings) -> Iterable[Figure]:
    claimed, began, queued = _latencies(given, 40 if given.quick else 300)
    detail = {
        "commit_to_claimed": in_milliseconds(claimed),
        "commit_to_first_agent": in_milliseconds(began),
        "written_to_claimed": in_milliseconds(queued),  # with the submit's own commit in it
    }
    note = "From the submit's commit to the claim, the worker idle; its first agent begins as the detail says."
    for name, share, bar in (("p50", 0.5, MEDIAN_BAR_MS), ("p99", 0.99, WORST_BAR_MS)):
        yield Figure(
            id="P4",
            title=f"Pickup by an idle worker, {name}",
            unit="ms",
            ours=1000 * quantile(claimed, share),
            bar=bar,
            published=RIVER[name],
            detail=detail | {"first_agent_ms": round(1000 * quantile(began, share), 2)},
            note=note,
        )


def _latencies(given: Surroundings, count: int) -> tuple[list[float], list[float], list[float]]:
    """Seconds from the commit to the claim and to the agent's beginning, and from the row's writing to the claim."""
    from backend.clock import now
    from bench import house
    from db.database import transaction
    from db.models import TaskStep

    pause, chance = threading.Event(), Random(11)
    claimed: list[float] = []
    began: list[float] = []
    queued: list[float] = []
    with house.worker(given):
        user = house.customer()
        for number in range(count + 5):  # the first are each slot's own beginning
            pause.wait(chance.uniform(*PAUSES))
            task_id = house.submit(user, "clock")
            committed = now()
            task = house.await_ended([task_id], PATIENCE)[0]
            if number < 5:
                continue
            with transaction() as session:
                said = session.scalars(select(TaskStep.inline).where(TaskStep.task_id == task_id)).one()
            assert task.started_at is not None
            assert task.queued_at is not None
            assert said is not None
            microseconds = said["result"]["summary_metrics"]["microseconds"]
            claimed.append((task.started_at - committed).total_seconds())
            began.append(microseconds / 1e6 - committed.timestamp())
            queued.append((task.started_at - task.queued_at).total_seconds())
    return claimed, began, queued


if __name__ == "__main__":
    main("P4", *sys.argv[1:] or ["whole"])
