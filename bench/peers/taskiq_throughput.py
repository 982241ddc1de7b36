"""taskiq on a Redis stream: two processes with taskiq's own hundred coroutines each; no results kept.

Acknowledged after the task. One task at a time in each process was half as fast here: what waits for Redis is not the
work but the acknowledgement.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager

from taskiq_redis import RedisStreamBroker

from bench.peers.counting import done, throughput
from bench.peers.talk import Orders, Run, serve, worker

broker = RedisStreamBroker(os.environ["PEER_REDIS_URL"])
WORKER = (
    "taskiq", "worker", "bench.peers.taskiq_throughput:broker", "--workers", "2",
    "--ack-type", "when_executed", "--log-level", "WARNING",
)  # fmt: skip


@broker.task(task_name="nothing")
async def nothing() -> None:
    done()


def queue_up(count: int) -> None:
    asyncio.run(_queue_up(count))


async def _queue_up(count: int) -> None:
    await broker.startup()
    for _ in range(count):
        await nothing.kiq()
    await broker.shutdown()


@contextmanager
def prepared(_: Orders) -> Iterator[Run]:
    with throughput(queue_up, lambda: [worker(*WORKER)]) as run:
        yield run


if __name__ == "__main__":
    serve(prepared)
