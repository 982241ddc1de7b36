"""P5: whole durable tasks a second on two cores, beside their own floor; no-ops beside nine others are bench.router's.

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

SLOTS = (2, 4)  # on two cores: a slot that waits for a disk leaves its core to another
BAR_A_SECOND = 100.0
BAR_TIMES_FLOOR = 1.5
PATIENCE = 150.0
SECONDS = 20
SAMPLE = 60  # tasks with each number of slots; from them the number for the measured time is reckoned
OF_THE_FLOOR = 600  # tasks, in all its loops


def measure(given: Surroundings) -> Iterable[Figure]:
    from bench import house

    with house.slow_store(given) as store:
        user = house.customer()
        yield from _whole(given, store, user, house.tiny_table(user))
    yield from router.measure(given, user)


def _whole(given: Surroundings, store: Mapping[str, str], user: int, inputs: Mapping[str, object]) -> Iterable[Figure]:
    def rate(slots: int, count: int) -> float:
        return _rate(given, store, slots, [house.submit(user, "five", inputs) for _ in range(count)])

    from bench import house

    samples = {slots: rate(slots, SAMPLE) for slots in (SLOTS[:1] if given.quick else SLOTS)}
    slots = max(samples, key=lambda one: samples[one])
    count = SAMPLE if given.quick else max(SAMPLE, round(samples[slots] * SECONDS))
    ours = samples[slots] if given.quick else rate(slots, count)
    calls, floor = _floor(given, user, inputs, slots, (40 if given.quick else OF_THE_FLOOR) // slots)
    yield from _figures(ours, floor, {
        "tasks": count, "seconds": round(count / ours, 1), "slots": slots, "samples_by_slots": samples,
        "floor_a_second": round(floor, 1), "asked_for_one_task": calls,
    })  # fmt: skip


def _figures(ours: float, floor: float, detail: Mapping[str, Any]) -> Iterable[Figure]:
    yield Figure(
        id="P5",
        title="Whole durable tasks: file in, five agents, report out",
        unit="tasks/s",
        ours=ours,
        bar=BAR_A_SECOND,
        less_is_better=False,
        detail=detail,
        note=f"{detail['slots']} slots on this machine's cores, with the database, the broker and the store on the "
        "same ones; the store answers after a millisecond.",
    )
    yield Figure(
        id="P5 floor",
        title="The time of a whole task, as a multiple of its database and storage calls alone",
        unit="×",
        ours=floor / ours,
        bar=BAR_TIMES_FLOOR,
        detail={"floor_a_second": detail["floor_a_second"], "asked_for_one_task": detail["asked_for_one_task"]},
        note="The same statements and calls with the same effect, issued bare in a loop for each slot.",
    )


def _rate(given: Surroundings, store: Mapping[str, str], slots: int, tasks: Sequence[uuid.UUID]) -> float:
    from bench import house

    with house.worker(given, slots, store):
        return house.a_second(house.await_ended(tasks, PATIENCE))


def _floor(
    given: Surroundings, user: int, inputs: Mapping[str, object], slots: int, count: int
) -> tuple[dict[str, int], float]:
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
    of_each = [[one_slot.admitted(user, "five", inputs) for _ in range(count)] for _ in range(slots)]
    loops = [_begin_loop(given.scratch, number, first, tasks) for number, tasks in enumerate(of_each)]
    seconds = _raced(loops)
    house.await_ended([task for tasks in of_each for task in tasks], PATIENCE)  # the same was done, not only asked
    return counted(calls), sum(count / one for one in seconds)


def _begin_loop(scratch: Path, number: int, first: uuid.UUID, tasks: Sequence[uuid.UUID]) -> "subprocess.Popen[str]":
    folder = scratch / f"loop{number}"
    folder.mkdir()
    orders = folder / "orders.json"
    orders.write_text(json.dumps({"first": str(first), "tasks": [str(task) for task in tasks]}))
    command = [sys.executable, "-m", "bench.bare", str(scratch / "calls.pickle"), str(orders)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _raced(loops: "Sequence[subprocess.Popen[str]]") -> list[float]:
    """All of them begin when the last is ready; the seconds of each."""
    for loop in loops:
        assert loop.stdout is not None
        assert loop.stdout.readline() == "ready\n", "a loop of the floor did not start"
    for loop in loops:
        assert loop.stdin is not None
        loop.stdin.write("go\n")
        loop.stdin.flush()
    return [float(loop.communicate()[0]) for loop in loops]
