"""Plain Celery on Redis: acks late, two prefork slots, one message at a time each. Nothing but the message is kept."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.peers.celery_app import WORKER, nothing
from bench.peers.counting import throughput
from bench.peers.talk import Orders, Run, serve, worker


def queue_up(count: int) -> None:
    for _ in range(count):
        nothing.delay()


@contextmanager
def prepared(_: Orders) -> Iterator[Run]:
    with throughput(queue_up, lambda: [worker(*WORKER, "-c", "2")]) as run:
        yield run


if __name__ == "__main__":
    serve(prepared)
