"""arq on Redis: two processes with arq's own ten tasks at once each (with one at a time it looks twice a second).

A task that is under way when its worker dies is run again; its result is kept in Redis.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from arq import create_pool
from arq.connections import RedisSettings

from bench.peers.counting import done, throughput
from bench.peers.talk import Orders, Run, serve, worker

SETTINGS = RedisSettings.from_dsn(os.environ["PEER_REDIS_URL"])
WORKER = ("arq", "bench.peers.arq_throughput.WorkerSettings")


async def nothing(_: dict[Any, Any]) -> None:
    done()


class WorkerSettings:
    functions = (nothing,)
    redis_settings = SETTINGS


def queue_up(count: int) -> None:
    asyncio.run(_queue_up(count))


async def _queue_up(count: int) -> None:
    pool = await create_pool(SETTINGS)
    for _ in range(count):
        await pool.enqueue_job("nothing")
    await pool.aclose()


@contextmanager
def prepared(_: Orders) -> Iterator[Run]:
    with throughput(queue_up, lambda: [worker(*WORKER), worker(*WORKER)]) as run:
        yield run


if __name__ == "__main__":
    serve(prepared)
