"""P10: what a worker costs that has nothing to do: Redis operations a second, and memory.

    python -m bench.idle [quick]

Memory is read twice: when the worker is ready, and when every slot has done a task, since a worker that never had one
is no worker. A slot is its supervising process; the warm child in which agents compute is shown beside it.
"""

import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psutil
import redis

from bench.alone import main
from bench.measure import Figure, Surroundings

if TYPE_CHECKING:
    from backend.chaos.deployment import Deployment

OPERATIONS_BAR = 2.0  # a second
SLOT_BAR_MB = 80.0
SOLO_BAR_MB = 150.0
SLOTS = 2
SETTLE_SECONDS = 2.0  # what a worker says to its broker when it starts is no idling
PATIENCE = 30.0
MEGABYTE = 1e6


def measure(given: Surroundings) -> Iterable[Figure]:
    seconds = 4.0 if given.quick else 15.0
    with _worker(given, "prefork") as house:
        prefork = _operations(given, seconds)
        fresh = _slots(house)
        _put_to_work(house)
        worked = _slots(house)
        main_process = _memory(psutil.Process(house.worker.pid))
    with _worker(given, "solo") as house:
        solo_operations = _operations(given, seconds)
        solo_fresh = _solo(house)
        _put_to_work(house)
        solo = _solo(house)
    yield Figure(
        id="P10",
        title="Redis operations of an idle worker",
        unit="/s",
        ours=max(sum(prefork.values()), sum(solo_operations.values())),
        bar=OPERATIONS_BAR,
        detail={"prefork": prefork, "solo": solo_operations, "seconds": seconds},
        note="By Redis' own commandstats; what the measure itself asks is left out. Prefork or solo, the more.",
    )
    yield Figure(
        id="P10 slot",
        title="Private memory of a prefork slot that has worked",
        unit="MB",
        ours=max(slot["uss"] for slot in worked),
        bar=SLOT_BAR_MB,
        detail={"before_its_first_task": fresh, "after": worked, "main_process": main_process},
        note="USS of the slot's supervisor. The child in which its agents compute has its own, below.",
    )
    yield Figure(
        id="P10 child",
        title="Private memory of the warm child beside a slot, in which agents compute",
        unit="MB",
        ours=max(slot["warm_child"]["uss"] for slot in worked),
        detail={"after": [slot["warm_child"] for slot in worked], "of_solo": solo["warm_child"]},
        note="USS of the process and its guard, after tasks; no bar is set for it.",
    )
    yield Figure(
        id="P10 solo",
        title="Memory of a solo worker that has worked",
        unit="MB",
        ours=solo["rss"],
        bar=SOLO_BAR_MB,
        detail={"before_its_first_task": solo_fresh, "after": solo},
        note="RSS of the worker's process, conductor and slot in one.",
    )


@contextmanager
def _worker(given: Surroundings, pool: str) -> "Iterator[Deployment]":
    from backend.chaos.deployment import Deployment

    directory = given.scratch / pool
    directory.mkdir()
    own = {"CELERY_WORKER_CONCURRENCY": str(SLOTS)}
    house = Deployment(given.stack, pool, directory, given.stack.database_url, own)
    try:
        house.start_worker()
        yield house
    finally:
        house.close()


def _operations(given: Surroundings, seconds: float) -> Mapping[str, float]:
    """Calls a second, by command."""
    threading.Event().wait(SETTLE_SECONDS)
    with redis.Redis.from_url(given.stack.redis_url) as client:
        before = client.info("commandstats")
        threading.Event().wait(seconds)
        after = client.info("commandstats")
    calls = {name: one["calls"] - before.get(name, {"calls": 0})["calls"] for name, one in after.items()}
    calls["cmdstat_info"] = calls.get("cmdstat_info", 1) - 1  # our own
    return {name.removeprefix("cmdstat_"): round(count / seconds, 3) for name, count in calls.items() if count > 0}


def _put_to_work(house: "Deployment") -> None:
    """Enough tasks for every slot to have had one."""
    from bench import house as rows

    user = rows.customer()
    tasks = [rows.submit(user, "nap") for _ in range(2 * SLOTS)] + [rows.submit(user, "noop") for _ in range(8 * SLOTS)]
    rows.await_ended(tasks, PATIENCE)
    house.worker.wait_until(lambda: len(house.agents_of(house.worker)) >= house.slots_per_worker, PATIENCE)


def _slots(house: "Deployment") -> Sequence[Mapping[str, Any]]:
    return [_memory(slot) | {"warm_child": _warm_children(slot)} for slot in house.slots_of(house.worker)]


def _solo(house: "Deployment") -> Mapping[str, Any]:
    process = psutil.Process(house.worker.pid)
    return _memory(process) | {"warm_child": _warm_children(process)}


def _warm_children(slot: psutil.Process) -> Mapping[str, float]:
    """The process in which agents compute, and its guard."""
    return _summed([_memory(process) for process in slot.children(recursive=True)])


def _summed(memories: Sequence[Mapping[str, float]]) -> Mapping[str, float]:
    return {name: round(sum(one[name] for one in memories), 1) for name in ("uss", "rss")}


def _memory(process: psutil.Process) -> dict[str, Any]:
    """Megabytes."""
    info = process.memory_full_info()
    return {"uss": round(info.uss / MEGABYTE, 1), "rss": round(info.rss / MEGABYTE, 1)}


if __name__ == "__main__":
    main("P10", *sys.argv[1:] or ["whole"])
