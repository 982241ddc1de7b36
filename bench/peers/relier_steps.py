"""relier on Redis: one task of forty steps, its state put away after each. From the task's start to its end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.peers.relier_worker import command
from bench.peers.talk import Orders, Run, serve, steps_of, until, worker


@contextmanager
def prepared(orders: Orders) -> Iterator[Run]:
    from relier.tasks.app import celery_app

    from bench.peers.relier_tasks import walk

    def run(asked: Orders) -> Orders:
        told = walk.push(steps_of(orders, asked), time.time()).get(timeout=60)
        return {"value": told["seconds"]}

    with worker(*command(1)):
        until(lambda: bool(celery_app.control.ping(timeout=0.5)))
        yield run


if __name__ == "__main__":
    serve(prepared)
