"""DBOS on PostgreSQL: a queue of workflows that do nothing, two processes; a row each, committed at start and end.

Its queue is looked at by polling, here ten times a second (its default is once).
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions

from bench.peers.counting import done, throughput
from bench.peers.talk import Orders, Run, serve, worker

URL = os.environ["PEER_DATABASE_URL"]


@DBOS.workflow(name="nothing")
def nothing() -> None:
    done()


def launch() -> None:
    config: DBOSConfig = {"name": "work", "system_database_url": URL, "run_admin_server": False,
                          "application_version": "1"}  # fmt: skip
    DBOS(config=config)
    DBOS.launch()
    DBOS.register_queue("tasks", polling_interval_sec=0.1)


def queue_up(count: int) -> None:
    client = DBOSClient(system_database_url=URL)
    options: EnqueueOptions = {"workflow_name": "nothing", "queue_name": "tasks", "app_version": "1"}
    for _ in range(count):
        client.enqueue(options)
    client.destroy()


@contextmanager
def prepared(_: Orders) -> Iterator[Run]:
    launch()
    DBOS.destroy()
    command = ("bench.peers.dbos_throughput", "work")
    with throughput(queue_up, lambda: [worker(*command), worker(*command)]) as run:
        yield run


if __name__ == "__main__":
    if sys.argv[1:] == ["work"]:
        launch()
        threading.Event().wait()
    serve(prepared)
