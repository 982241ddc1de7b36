"""P5: whole durable tasks a second on two slots, beside their own floor; no-ops beside nine others are bench.router's.

All tasks are queued before the workers start; counted from the first that ends to the last.
"""

import json
import pickle
import subprocess
import sys
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import router
from bench.measure import Figure, Surroundings

SLOTS = 2
BAR_A_SECOND = 100.0
BAR_TIMES_FLOOR = 1.5
PATIENCE = 150.0
SECONDS = 20
SAMPLE = 40  # tasks from which the number for the measured time is reckoned


def measure(given: Surroundings) -> Iterable[Figure]:
    from bench import house

    with house.slow_store(given) as store:
        user = house.customer()
        inputs = house.tiny_table(user)
        yield from _whole(given, store, user, inputs)
    yield from router.measure(given, user)


def _whole(given: Surroundings, store: Mapping[str, str], user: int, inputs: Mapping[str, object]) -> Iterable[Figure]:
    from bench import house

    sample = house.a_second(_run(given, store, [house.submit(user, "five", inputs) for _ in range(SAMPLE)]))
    count, ours = SAMPLE, sample
    if not given.quick:
        count = max(SAMPLE, round(sample * SECONDS))
        ours = house.a_second(_run(given, store, [house.submit(user, "five", inputs) for _ in range(count)]))
    calls, floor = _floor(given, user, inputs, 20 if given.quick else 150)
    detail = {"tasks": count, "seconds": round(count / ours, 1), "asked_for_one_task": calls}
    yield Figure(
        id="P5",
        title="Whole durable tasks: file in, five agents, report out",
        unit="tasks/s",
        ours=ours,
        bar=BAR_A_SECOND,
        less_is_better=False,
        detail={**detail, "floor_a_second": round(floor, 1)},
        note="Two slots on this machine's cores, with the database, the broker and the store on the same ones.",
    )
    yield Figure(
        id="P5 floor",
        title="The time of a whole task, as a multiple of its database and storage calls alone",
        unit="×",
        ours=floor / ours,
        bar=BAR_TIMES_FLOOR,
        detail=detail,
        note="The same statements and calls, issued bare in a loop for each slot.",
    )


def _run(given: Surroundings, store: Mapping[str, str], tasks: Sequence[uuid.UUID]) -> list[Any]:
    from bench import house

    with house.worker(given, SLOTS, store):
        return house.await_ended(tasks, PATIENCE)


def _floor(given: Surroundings, user: int, inputs: Mapping[str, object], count: int) -> tuple[dict[str, int], float]:
    """What a task asks for, and how many tasks a second so many loops as there are slots get through, bare."""
    from bench import house, one_slot
    from bench.asked import Call, counted, written_down

    calls: list[Call] = []
    with one_slot.one_slot(given) as slot:
        one_slot.run(slot, one_slot.admitted(user, "five", inputs), user)  # what is loaded once is loaded
        first = one_slot.admitted(user, "five", inputs)
        with written_down(calls):
            one_slot.run(slot, first, user)
    (given.scratch / "calls.pickle").write_bytes(pickle.dumps(calls))
    of_each = [[one_slot.admitted(user, "five", inputs) for _ in range(count)] for _ in range(SLOTS)]
    loops = [_begin_loop(given.scratch, number, first, tasks) for number, tasks in enumerate(of_each)]
    seconds = [float(loop.communicate()[0]) for loop in loops]
    house.await_ended([task for tasks in of_each for task in tasks], PATIENCE)  # the same was done, not only asked
    return counted(calls), sum(count / one for one in seconds)


def _begin_loop(scratch: Path, number: int, first: uuid.UUID, tasks: Sequence[uuid.UUID]) -> "subprocess.Popen[str]":
    folder = scratch / f"loop{number}"
    folder.mkdir()
    orders = folder / "orders.json"
    orders.write_text(json.dumps({"first": str(first), "tasks": [str(task) for task in tasks]}))
    command = [sys.executable, "-m", "bench.bare", str(scratch / "calls.pickle"), str(orders)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
