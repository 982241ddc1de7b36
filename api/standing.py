"""How the house stands, for /metrics: read from rows at most once a second, however many ask.

What may be a million rows is counted anew only when fifty times as long as the counting took has passed: it costs
PostgreSQL at most a fiftieth of a core for each API process, and its age is told with it.
"""

import threading
from collections.abc import Iterator, Sequence

from backend.clock import monotonic
from backend.logs import log
from backend.metrics import of_the_api as told
from backend.metrics.kinds import Level
from backend.settings import get_settings
from db import gauges
from db.database import DATABASE_ERRORS, transaction
from db.gauges import Mounting, Standing
from db.queue_names import Queue

KEPT_SECONDS = 1.0
REST = 50  # times as long as the counting took


class HouseStanding:
    """One a process; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._levels: Sequence[Level] = ()
        self._read_at = float("-inf")
        self._mounting: Mounting | None = None
        self._counted_at = float("-inf")
        self._count_again_at = float("-inf")

    def levels(self) -> Sequence[Level]:
        """With the database away: only that it is. Who comes while somebody reads has what that one finds."""
        with self._lock:
            if monotonic() - self._read_at >= KEPT_SECONDS:
                self._levels = self._read()
                self._read_at = monotonic()
            return self._levels

    def _read(self) -> Sequence[Level]:
        try:
            with transaction() as session:
                standing = gauges.standing(session, get_settings().lease)
        except DATABASE_ERRORS as error:
            log().warning("no numbers from the rows", error=type(error).__name__)
            return (told.UP.at(0),)
        if monotonic() >= self._count_again_at:
            self._count()
        if self._mounting is None:
            return (told.UP.at(1), *_of_standing(standing))
        counted = told.COUNTED.at(monotonic() - self._counted_at)
        return (told.UP.at(1), counted, *_of_standing(standing), *_of_mounting(self._mounting))

    def _count(self) -> None:
        """A count that takes longer than a statement may does not mean that the database is away: the last one stays,
        and grows old.
        """
        began = monotonic()
        try:
            with transaction() as session:
                self._mounting = gauges.mounting(session)
            self._counted_at = monotonic()
        except DATABASE_ERRORS as error:
            log().warning("what waits could not be counted", error=type(error).__name__)
        self._count_again_at = monotonic() + REST * (monotonic() - began)


def _of_standing(standing: Standing) -> Iterator[Level]:
    yield told.TASKS.at(standing.admitted, told.TaskState.ADMITTED)
    yield told.TASKS.at(standing.processing, told.TaskState.PROCESSING)
    yield told.HOUSE_KEPT.at(standing.house_kept_seconds)
    for state, count in standing.workers.items():
        yield told.WORKERS.at(count, state)
    for queue in Queue:
        yield told.SLOTS.at(standing.slots.get(queue, 0), queue)
        yield told.SLOTS_BUSY.at(standing.busy.get(queue, 0), queue)
        yield told.SLOTS_IDLE.at(standing.idle.get(queue, 0), queue)
        yield told.OLDEST_RUNG.at(standing.oldest_rung_seconds.get(queue, 0), queue)
    for model, is_open in standing.breakers.items():
        yield told.BREAKERS_OPEN.at(is_open, model)


def _of_mounting(mounting: Mounting) -> Iterator[Level]:
    found = {backlog.queue: backlog for backlog in mounting.backlogs}
    yield told.TASKS.at(mounting.created, told.TaskState.CREATED)
    yield told.TASKS.at(mounting.queued_later, told.TaskState.QUEUED_LATER)
    yield told.TASKS.at(sum(backlog.waiting for backlog in mounting.backlogs), told.TaskState.QUEUED)
    for queue in Queue:
        backlog = found.get(queue)
        yield told.WAITING.at(backlog.waiting if backlog else 0, queue)
        yield told.WAITING_COST.at(backlog.cost_seconds if backlog else 0, queue)
        yield told.OLDEST_WAITING.at(backlog.oldest_seconds if backlog else 0, queue)
    yield told.WEBHOOKS_PENDING.at(mounting.webhooks_pending)
    yield told.WEBHOOKS_OLDEST.at(mounting.webhooks_due_seconds)
    yield told.WEBHOOKS_GIVEN_UP.at(mounting.webhooks_given_up)
