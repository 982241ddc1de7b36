"""DBOS: ten steps that compute, in one workflow on PostgreSQL, each step's result committed before the next."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from dbos import DBOS, DBOSConfig

from bench.peers.talk import Orders, Run, fibonacci, serve, steps_of


@DBOS.step()
def compute(number: int) -> float:
    began = time.monotonic()
    fibonacci(number)
    return time.monotonic() - began


@DBOS.workflow()
def walk(steps: int, number: int) -> float:
    total = 0.0
    for _ in range(steps):
        total += compute(number)
    return total


@contextmanager
def prepared(orders: Orders) -> Iterator[Run]:
    config: DBOSConfig = {"name": "share", "system_database_url": orders["database_url"], "run_admin_server": False}
    DBOS(config=config)
    DBOS.launch()

    def run(asked: Orders) -> Orders:
        began = time.monotonic()
        computed = walk(steps_of(orders, asked), orders["fibonacci"])
        return {"value": 100 * computed / (time.monotonic() - began)}

    yield run
    DBOS.destroy()


if __name__ == "__main__":
    serve(prepared)
