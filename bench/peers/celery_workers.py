"""A Celery worker for a script: so many slots, ready at the start of the block, ended with it."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.peers.celery_app import app
from bench.peers.talk import until, worker


@contextmanager
def one_worker(slots: int) -> Iterator[None]:
    command = ("celery", "-A", "bench.peers.celery_app", "worker", "-c", str(slots))
    with worker(*command, "--without-gossip", "--without-mingle", "--loglevel=WARNING"):
        until(lambda: bool(app.control.ping(timeout=0.5)))
        yield
