"""relier on Redis: one task of forty steps, its state put away after each. From the task's start to its end."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.peers.talk import Orders, Run, serve, steps_of, until, worker

os.environ["RELIER_REDIS_URL"] = os.environ["PEER_REDIS_URL"]
os.environ.setdefault("RELIER_SECRET_KEY", "not-a-secret-only-for-a-measure!")
WORKER = (
    "celery", "-A", "relier.tasks.app", "worker", "-c", "1", "-Q", "high_priority,default,low_priority,re-queue",
    "--include=bench.peers.relier_tasks", "--without-gossip", "--without-mingle", "--loglevel=WARNING",
)  # fmt: skip


@contextmanager
def prepared(orders: Orders) -> Iterator[Run]:
    from relier.tasks.app import celery_app

    from bench.peers.relier_tasks import walk

    def run(asked: Orders) -> Orders:
        told = walk.push(steps_of(orders, asked), time.time()).get(timeout=60)
        return {"value": told["seconds"]}

    with worker(*WORKER):
        until(lambda: bool(celery_app.control.ping(timeout=0.5)))
        yield run


if __name__ == "__main__":
    serve(prepared)
