"""A watchdog for a consumer that went deaf: the broker is up, rings are sent, a slot is free, and nothing is fetched.

Older Celery did so after a reconnect (PITFALLS 23). It is asked in two steps: the consumer is restarted; should that
not help, the worker leaves, to be started anew.
"""

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from celery.signals import task_received

from backend.clock import monotonic
from backend.logs import log
from backend.metrics.of_workers import DEAF
from celery_queue import drain
from celery_queue.identity import BOOT_UUID
from db import rings
from db.database import transaction

LOOK_SECONDS = 2.0  # between looks: a query that an index answers
DEAF_SECONDS = 10.0  # nothing received for so long, while a task was rung for several times and a slot is free
# A consumer whose every connection went silent hears of the restart only when its socket's time-out (10 s) is over,
# and may be in two of them, one after another.
RESTART_SECONDS = 45.0
_heard_at = [monotonic()]


@task_received.connect
def heard(**_: Any) -> None:
    """Any message that the consumer fetched, also a copy that is dropped."""
    _heard_at[0] = monotonic()


class Watchdog:
    """One a worker; `restart_consumer` is given by worker_start, which knows Celery's consumer."""

    def __init__(self, queues: Sequence[str], slots: int, restart_consumer: Callable[[], None]) -> None:
        self._queues, self._slots = tuple(queues), slots
        self._restart_consumer = restart_consumer
        self._looked_at = self._restarted_at = float("-inf")

    def look(self, boot_uuid: uuid.UUID = BOOT_UUID) -> None:
        """Restart the consumer when it is deaf. Raises database errors."""
        now = monotonic()
        restarting = self._restarted_at > _heard_at[0]
        silent = now - (self._restarted_at if restarting else _heard_at[0])
        if now - self._looked_at < LOOK_SECONDS or silent < (RESTART_SECONDS if restarting else DEAF_SECONDS):
            return
        self._looked_at = now
        with transaction() as session:
            deaf = rings.unheard(session, self._queues) and not rings.all_slots_run(session, boot_uuid, self._slots)
        if not deaf:
            return
        if restarting:
            log().error("the consumer stays deaf; the worker leaves")
            drain.leave()
            return
        log().error("the consumer is deaf; it is restarted", silent_seconds=round(silent))
        self._restarted_at = now
        DEAF.count()
        self._restart_consumer()
