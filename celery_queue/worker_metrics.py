"""A worker's numbers for Prometheus, at METRICS_PORT of its main process; without it, nothing is loaded or sent.

Of the errands beside it (errands.py) only how they ended is told.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from celery.signals import worker_init, worker_process_init, worker_process_shutdown, worker_ready

from backend.logs import log
from backend.metrics import catalogue
from backend.metrics import of_workers as told
from backend.metrics.kinds import Level
from backend.settings import Settings, get_settings
from celery_queue import drain
from celery_queue.fork_gate import ForkGate
from celery_queue.slot_counts import SlotCounts
from celery_queue.worker_start import pool_name

if TYPE_CHECKING:
    from wsgiref.simple_server import WSGIServer

_slots: list[SlotCounts] = []  # one at most: where the pool forks and the numbers are wanted


@worker_init.connect
def prepare(sender: Any, **_: Any) -> None:
    """Before the pool forks."""
    if get_settings().metrics_port and pool_name(sender.pool_cls) == "prefork":
        _slots[:] = [SlotCounts()]


@worker_ready.connect
def serve(sender: Any, **_: Any) -> None:
    """A port that is taken is no reason not to work."""
    settings = get_settings()
    if not settings.metrics_port:
        return
    for counts in _slots:
        counts.gather()
    pool = pool_name(sender.controller.pool_cls)
    try:
        listen(settings, slots=1 if pool == "solo" else sender.controller.concurrency)
    except OSError as error:
        log().error("no metrics", host=settings.metrics_host, port=settings.metrics_port, error=str(error))


def listen(settings: Settings, slots: int) -> "WSGIServer":
    """Serve from a thread of its own, for as long as the process lives. Raises OSError: the port is not to be had."""
    from prometheus_client import start_http_server

    from backend.metrics.exposition import registry

    gate = ForkGate()

    def levels() -> Sequence[Level]:
        with gate:
            return tuple(_levels(settings, slots))

    found = registry(catalogue.WORKER, levels)
    server, _ = start_http_server(settings.metrics_port, settings.metrics_host, found)
    if hasattr(os, "register_at_fork"):  # a slot that outlives us must not keep the port from who comes after us
        os.register_at_fork(after_in_child=server.socket.close)
    return server


def _levels(settings: Settings, slots: int) -> Iterator[Level]:
    yield told.SLOTS.at(slots)
    yield told.DRAINING.at(drain.requested())
    with suppress(OSError):  # a disk that is away is when the other numbers are wanted most
        settings.scratch_dir.mkdir(parents=True, exist_ok=True)
        disk = shutil.disk_usage(settings.scratch_dir)
        yield told.SCRATCH_FREE.at(disk.free)
        yield told.SCRATCH_SIZE.at(disk.total)


@worker_process_init.connect
def begin(**_: Any) -> None:
    for counts in _slots:
        counts.begin()


@worker_process_shutdown.connect
def end(**_: Any) -> None:
    for counts in _slots:
        counts.end()
