"""P6: what a customer with 10,000 tasks does to one with a few, who gets how much, and what that costs.

    python -m bench.fairness [quick]

The tasks nap, so that every slot is busy and the machine is not; rows and costs are as a submit leaves them.
"""

import sys
import threading
from collections.abc import Iterable
from statistics import mean, median

from backend.clock import monotonic
from bench.alone import main
from bench.measure import Figure, Surroundings
from bench.quantiles import quantile
from bench.waiting_tools import LONG_NAP_SECONDS, NAP_SECONDS

WAIT_BAR = 2.0  # service times
JAIN_BAR = 0.95
COST_BAR = 10.0  # percent of the throughput
BACKLOG = 10_000
CUSTOMERS = 21  # of whom one has tasks ten times as large
SLOTS = 4
PATIENCE = 30.0


def measure(given: Surroundings) -> Iterable[Figure]:
    from bench import house

    with house.worker(given, slots=SLOTS):
        house.await_ended([house.submit(house.customer(), "nap") for _ in range(2 * SLOTS)], PATIENCE)
        yield _quiet_customer(10 if given.quick else 50)
        yield _shares(12.0 if given.quick else 30.0)
        yield _cost_of_fairness(4.0 if given.quick else 6.0)


def _quiet_customer(count: int) -> Figure:
    """Its tasks one after the other, each when the one before has ended, while another's backlog fills every slot."""
    from bench import house, queued_rows

    queued_rows.fill([house.customer()], BACKLOG, "nap")
    _until_busy()
    quiet = house.customer()
    rows = [house.await_ended([house.submit(quiet, "nap")], PATIENCE)[0] for _ in range(count)]
    service = mean(house.seconds_of(row) for row in rows)
    queued_rows.clear()
    waits = [(row.started_at - row.queued_at).total_seconds() for row in rows if row.started_at and row.queued_at]
    return Figure(
        id="P6",
        title="A quiet customer's wait behind 10,000 tasks of another, p95",
        unit="service times",
        ours=quantile(waits, 0.95) / service,
        bar=WAIT_BAR,
        detail={
            "service_seconds": round(service, 3),
            "wait_seconds": [round(wait, 3) for wait in waits],
            "slots": SLOTS,
        },
        note=f"{count} tasks, one after the other, from the submit's row to the claim; {SLOTS} slots, all busy.",
    )


def _shares(seconds: float) -> Figure:
    """Slot-seconds that each of 21 backlogged customers was given, by Jain's index: 1 is all alike, 1/21 one alone."""
    from bench import house, queued_rows

    large, *small = users = [house.customer() for _ in range(CUSTOMERS)]
    queued_rows.fill(small, BACKLOG, "nap")  # first: the large ones would have every slot before the others are there
    queued_rows.fill([large], BACKLOG // 100, "long-nap", cost=LONG_NAP_SECONDS / NAP_SECONDS)
    began = queued_rows.sql_now()
    threading.Event().wait(seconds)
    shares = queued_rows.slot_seconds(users, began)
    queued_rows.clear()
    return Figure(
        id="P6 shares",
        title="Shares of 21 backlogged customers, one with tasks ten times as large: Jain's index",
        unit="",
        ours=sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares)),
        bar=JAIN_BAR,
        less_is_better=False,
        detail={"slot_seconds": [round(share, 2) for share in shares], "of_the_large_tasks": round(shares[0], 2)},
        note=f"Slot-seconds of each within {seconds:g} s; the first customer's tasks take {LONG_NAP_SECONDS:g} s.",
    )


def _cost_of_fairness(seconds: float) -> Figure:
    """The same tasks of one customer, which is first come, first served, and of 21: tasks a second, in turns."""
    alone, shared = [], []
    for _ in range(3):
        alone.append(_throughput(1, seconds))
        shared.append(_throughput(CUSTOMERS, seconds))
    return Figure(
        id="P6 cost",
        title="Throughput that sharing among 21 customers costs",
        unit="%",
        ours=max(0.0, 100 * (1 - median(shared) / median(alone))),
        bar=COST_BAR,
        detail={
            "tasks_a_second_of_one": [round(one, 1) for one in alone],
            "tasks_a_second_of_21": [round(one, 1) for one in shared],
        },
        note="Tasks that do nothing, so that the house itself is what is measured; three runs of each, in turns.",
    )


def _throughput(customers: int, seconds: float) -> float:
    from bench import house, queued_rows

    users = [house.customer() for _ in range(customers)]
    queued_rows.fill(users, BACKLOG, "at-once")
    _until_busy()
    began, before = monotonic(), queued_rows.ended()
    threading.Event().wait(seconds)
    rate = (queued_rows.ended() - before) / (monotonic() - began)
    queued_rows.clear()
    return rate


def _until_busy() -> None:
    """Every slot has a task, and the first of them are over."""
    from bench import queued_rows

    pause, deadline = threading.Event(), monotonic() + PATIENCE
    while queued_rows.ended() < 2 * SLOTS:
        if monotonic() > deadline:
            raise SystemExit("the backlog was not begun")
        pause.wait(0.05)


if __name__ == "__main__":
    main("P6", *sys.argv[1:] or ["whole"])
