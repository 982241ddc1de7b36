"""procrastinate on PostgreSQL: two processes of ten tasks at a time; a row a task, committed at start and end.

Its own number is one at a time, which was two thirds as fast here.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from procrastinate import App, PsycopgConnector, SyncPsycopgConnector

from bench.peers.counting import done, throughput
from bench.peers.talk import Orders, Run, serve, worker

URL = os.environ["PEER_DATABASE_URL"]
app = App(connector=PsycopgConnector(conninfo=URL))
WORKER = ("procrastinate", "--app=bench.peers.procrastinate_throughput.app", "worker", "--concurrency=10")


@app.task(name="nothing")
def nothing() -> None:
    done()


def queue_up(count: int) -> None:
    with _opened():
        nothing.batch_defer(*({} for _ in range(count)))


@contextmanager
def _opened() -> Iterator[App]:
    with app.replace_connector(SyncPsycopgConnector(conninfo=URL)) as replaced, replaced.open():
        yield replaced


@contextmanager
def prepared(_: Orders) -> Iterator[Run]:
    with _opened() as opened:
        opened.schema_manager.apply_schema()
    with throughput(queue_up, lambda: [worker(*WORKER), worker(*WORKER)]) as run:
        yield run


if __name__ == "__main__":
    serve(prepared)
