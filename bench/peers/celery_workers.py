"""A Celery worker for a script: so many slots, ready at the start of the block, ended with it."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.peers.celery_app import WORKER, app
from bench.peers.talk import until, worker


@contextmanager
def one_worker(slots: int) -> Iterator[None]:
    with worker(*WORKER, "-c", str(slots)):
        until(lambda: bool(app.control.ping(timeout=0.5)))
        yield
