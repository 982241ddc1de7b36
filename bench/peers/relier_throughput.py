"""relier on Redis: two prefork slots; its own heartbeat, envelope and registry in Redis around each task."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.peers.counting import throughput
from bench.peers.relier_worker import command
from bench.peers.talk import Orders, Run, serve, worker


def queue_up(count: int) -> None:
    from bench.peers.relier_tasks import nothing

    for number in range(count):
        nothing.push(number)


@contextmanager
def prepared(_: Orders) -> Iterator[Run]:
    with throughput(queue_up, lambda: [worker(*command(2))]) as run:
        yield run


if __name__ == "__main__":
    serve(prepared)
