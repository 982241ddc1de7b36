"""What a worker does at its start and its end: refuse a pool that cannot work, start the conductor, say goodbye."""

import gc
import logging
import sys
from typing import Any

from celery import Celery
from celery.concurrency import get_implementation
from celery.signals import (
    celeryd_init,
    setup_logging,
    worker_before_create_process,
    worker_init,
    worker_ready,
    worker_shutdown,
)

from backend import traces
from backend.errors import AgensiumError
from backend.logs import configure_logs, log, log_what_ends_a_process
from backend.settings import get_settings
from celery_queue import drain, scratch
from celery_queue.dispatch import Conductor
from celery_queue.housekeeping import chores
from celery_queue.identity import identity
from celery_queue.janitor import Janitor
from celery_queue.post_office import PostOffice
from celery_queue.ringing import Bell
from celery_queue.rounds import Rounds
from celery_queue.slots import leave as leave_slot
from celery_queue.watchdog import Watchdog
from db.retention import Kept

POOLS = ("prefork", "solo", "threads")


class WrongPool(AgensiumError):
    """A worker pool on which agents cannot be supervised."""


def refuse_wrong_pool(pool: str, system: str = sys.platform) -> None:
    """Say at once what would fail obscurely later.

    Raises:
        WrongPool: with what to type instead.
    """
    if pool not in POOLS:
        raise WrongPool(f"Agensium runs on --pool=prefork, solo or threads, not on {pool!r}: agents need real threads.")
    if system == "win32" and pool == "prefork":
        raise WrongPool("Celery's prefork pool does not work on Windows: start the worker with --pool=solo.")


def pool_name(pool_class: Any) -> str:
    """prefork, solo, threads, gevent or eventlet, from what Celery gives: a name or a class."""
    name = pool_class if isinstance(pool_class, str) else pool_class.__module__
    last = name.rpartition(":")[0] or name
    return {"thread": "threads", "processes": "prefork"}.get(last.rpartition(".")[2], last.rpartition(".")[2])


def supervised_pool(name: str) -> Any:
    """Celery's class of that pool; where it is none of ours, the process ends with what to type instead."""
    try:
        refuse_wrong_pool(name)
    except WrongPool as error:
        sys.exit(str(error))
    return get_implementation(name)


_conductor: Conductor | None = None


@celeryd_init.connect
def first_words(**_: Any) -> None:
    """What Celery warns of before it sets up its lines, such as a worker that is root."""
    configure_logs()


@setup_logging.connect
def one_kind_of_line(loglevel: int | None = None, **_: Any) -> None:
    """Celery asks before it sets up lines of its own, and then does not. Its `-l` is for its own words alone."""
    configure_logs()
    log_what_ends_a_process()
    if loglevel:
        logging.getLogger("celery").setLevel(loglevel)


@worker_init.connect
def check(sender: Any, **_: Any) -> None:
    pool = pool_name(sender.pool_cls)
    supervised_pool(pool)
    scratch.remove_dead(get_settings().scratch_dir)
    if pool == "threads":  # prefork's slots and solo's begin for themselves (slots.py)
        traces.begin("agensium-worker")


@worker_before_create_process.connect
def share_what_is_there(**_: Any) -> None:
    """A collection in a child would write on every page that it has in common with us."""
    gc.freeze()


@worker_ready.connect
def begin(sender: Any, **_: Any) -> None:
    """After the pool is there: the main process forks only to replace children from now on."""
    global _conductor  # noqa: PLW0603 (one a process, begun and ended by signals)
    settings, app = get_settings(), _app_of(sender)
    pool = pool_name(sender.controller.pool_cls)
    slots = 1 if pool == "solo" else sender.controller.concurrency
    who = identity(pool, slots)
    watchdog = Watchdog(who.queues, slots, lambda: restart_consumer(sender))
    _conductor = Conductor(
        Rounds(who, settings),
        Bell(app, settings),
        watchdog,
        Janitor(Kept.by(settings), chores(settings)),
        PostOffice(),
    )
    _conductor.start()
    log().info("worker ready", boot_uuid=str(who.boot_uuid), pool=pool, slots=slots, queues=who.queues, tools=who.tools)


def restart_consumer(consumer: Any) -> None:
    """As after a lost connection: in its own loop, since nothing of it may be touched from another thread."""
    if consumer.hub is None:  # Windows and the broker in files: a loop that swallows such errors
        drain.leave()
        return

    def lose_the_connection() -> None:
        raise ConnectionError("the watchdog asked for a new one")

    consumer.call_soon(lose_the_connection)


def _app_of(consumer: Any) -> Celery:
    app: Celery = consumer.app
    return app


@worker_shutdown.connect
def end(**_: Any) -> None:
    if _conductor is not None:
        _conductor.stop()
    leave_slot()
    scratch.leave()
    traces.end()
