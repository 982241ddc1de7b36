"""Plain Celery: a chain of ten tasks that compute, acks late, no checkpoints. From the first start to the last end."""

from collections.abc import Iterator
from contextlib import contextmanager

from celery import chain

from bench.peers.celery_app import compute
from bench.peers.celery_workers import one_worker
from bench.peers.talk import Orders, Run, serve, steps_of


@contextmanager
def prepared(orders: Orders) -> Iterator[Run]:
    def run(asked: Orders) -> Orders:
        first = compute.s({"fibonacci": orders["fibonacci"]})
        told = chain(first, *(compute.s() for _ in range(steps_of(orders, asked) - 1))).apply_async().get(timeout=80)
        return {"value": 100 * told["computed"] / (told["ended"] - told["began"])}

    with one_worker(1):
        yield run


if __name__ == "__main__":
    serve(prepared)
