"""PgQueuer on PostgreSQL by asyncpg: two processes with its own batches of ten. A row a task, logged when it ends."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from bench.peers.counting import done, throughput
from bench.peers.talk import Orders, Run, serve, worker

WORKER = ("bench.peers.pgqueuer_throughput", "work")


async def work() -> None:
    found = PgQueuer(AsyncpgDriver(await asyncpg.connect(os.environ["PEER_DATABASE_URL"])))

    @found.entrypoint("nothing")
    async def nothing(_: Job) -> None:
        done()

    await found.run()


def queue_up(count: int) -> None:
    asyncio.run(_queue_up(count))


async def _queue_up(count: int) -> None:
    connection = await asyncpg.connect(os.environ["PEER_DATABASE_URL"])
    await Queries(AsyncpgDriver(connection)).enqueue(["nothing"] * count, [None] * count, [0] * count)
    await connection.close()


async def _install() -> None:
    connection = await asyncpg.connect(os.environ["PEER_DATABASE_URL"])
    await Queries(AsyncpgDriver(connection)).install()
    await connection.close()


@contextmanager
def prepared(_: Orders) -> Iterator[Run]:
    asyncio.run(_install())
    with throughput(queue_up, lambda: [worker(*WORKER), worker(*WORKER)]) as run:
        yield run


if __name__ == "__main__":
    if sys.argv[1:] == ["work"]:
        asyncio.run(work())
    serve(prepared)
