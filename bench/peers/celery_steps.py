"""Plain Celery: a chain of tasks, each of which sends the next. No checkpoints: a lost chain begins where it was lost.

From the start of the first task to the end of the last; one slot.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from celery import chain

from bench.peers.celery_app import app, light
from bench.peers.talk import Orders, Run, serve, until, worker


@contextmanager
def prepared(orders: Orders) -> Iterator[Run]:
    with worker("celery", "-A", "bench.peers.celery_app", "worker", "-c", "1", "--without-gossip", "--without-mingle"):
        until(lambda: bool(app.control.ping(timeout=0.5)))

        def run(_: Orders) -> Orders:
            steps = [light.s({}), *(light.s() for _ in range(orders["steps"] - 1))]
            told = chain(*steps).apply_async().get(timeout=60)
            assert told["step"] == orders["steps"]
            return {"value": told["ended"] - told["began"]}

        yield run


if __name__ == "__main__":
    serve(prepared)
