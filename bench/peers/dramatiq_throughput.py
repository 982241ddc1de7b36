"""dramatiq on Redis: two processes of eight threads, dramatiq's own number; with one it was a third as fast here.

A message is acknowledged after its task; results are not kept.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bench.peers.counting import done, throughput
from bench.peers.talk import Orders, Run, serve, worker

dramatiq.set_broker(RedisBroker(url=os.environ["PEER_REDIS_URL"]))
WORKER = ("dramatiq", "bench.peers.dramatiq_throughput", "--processes", "2", "--threads", "8")


@dramatiq.actor(actor_name="nothing")
def nothing() -> None:
    done()


def queue_up(count: int) -> None:
    for _ in range(count):
        nothing.send()


@contextmanager
def prepared(_: Orders) -> Iterator[Run]:
    with throughput(queue_up, lambda: [worker(*WORKER)]) as run:
        yield run


if __name__ == "__main__":
    serve(prepared)
