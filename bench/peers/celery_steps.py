"""Plain Celery: a chain of tasks, each of which sends the next. No checkpoints: a lost chain begins where it was lost.

From the start of the first task to the end of the last; one slot.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from celery import chain

from bench.peers.celery_app import light
from bench.peers.celery_workers import one_worker
from bench.peers.talk import Orders, Run, serve, steps_of


@contextmanager
def prepared(orders: Orders) -> Iterator[Run]:
    def run(asked: Orders) -> Orders:
        steps = [light.s({}), *(light.s() for _ in range(steps_of(orders, asked) - 1))]
        told = chain(*steps).apply_async().get(timeout=60)
        assert told["step"] == steps_of(orders, asked)
        return {"value": told["ended"] - told["began"]}

    with one_worker(1):
        yield run


if __name__ == "__main__":
    serve(prepared)
