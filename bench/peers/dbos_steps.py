"""DBOS: forty steps of one workflow, on PostgreSQL.

Durable: the workflow's row at its start and at its end, and each step's result in a commit of its own before the next
step begins. `value` is that alone; `with an event a step` sets an event after each, as our steps tell theirs.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from dbos import DBOS, DBOSConfig

from bench.peers.talk import Orders, Run, serve, steps_of


@DBOS.step()
def light(number: int) -> dict[str, int]:
    return {"step": number}


@DBOS.workflow()
def walk(steps: int) -> int:
    return sum(light(number)["step"] for number in range(steps))


@DBOS.workflow()
def walk_and_tell(steps: int) -> int:
    total = 0
    for number in range(steps):
        total += light(number)["step"]
        DBOS.set_event("progress", number)
    return total


@contextmanager
def prepared(orders: Orders) -> Iterator[Run]:
    config: DBOSConfig = {"name": "steps", "system_database_url": orders["database_url"], "run_admin_server": False}
    DBOS(config=config)
    DBOS.launch()

    def run(asked: Orders) -> Orders:
        began = time.monotonic()
        walk(steps_of(orders, asked))
        middle = time.monotonic()
        walk_and_tell(steps_of(orders, asked))
        return {"value": middle - began, "with an event a step": time.monotonic() - middle}

    yield run
    DBOS.destroy()


if __name__ == "__main__":
    serve(prepared)
