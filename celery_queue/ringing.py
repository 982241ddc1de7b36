"""Ringing Celery: one message by task name, with two ids and nothing else."""

from collections.abc import Sequence
from contextlib import suppress

from celery import Celery
from kombu import Producer
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from backend.errors import UnknownTool
from backend.settings import Settings
from celery_queue.celery_config import HARD_LIMIT_ABOVE_SOFT, SOFT_LIMIT_ABOVE_OURS, TASK_NAME, queue_named
from db.rings import Ring
from transformers.catalog import tool_for

RING_ERRORS = (KombuError, RedisError, OSError)
# A fork of prefork waits for a ring under way, so a frozen broker is not waited for as long as the consumer does: what
# was not sent is due again a second later.
TIMEOUTS = {"socket_timeout": 2, "socket_connect_timeout": 2}


class Bell:
    """Sends rings over one connection of its own, opened at first use and again after an error."""

    def __init__(self, app: Celery, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._producer: Producer | None = None

    def ring(self, *rings: Ring) -> None:
        """Send a message for each, all at once where the broker can. Raises RING_ERRORS when it does not take them.

        After a failure some may have been sent: a copy is sorted out by the claim.
        """
        try:
            self._send(rings)
        except RING_ERRORS:  # the connection may have gone stale since the last ring
            self.hang_up()
            self._send_or_hang_up(rings)

    def _send_or_hang_up(self, rings: Sequence[Ring]) -> None:
        try:
            self._send(rings)
        except RING_ERRORS:
            self.hang_up()
            raise

    def _send(self, rings: Sequence[Ring]) -> None:
        if self._producer is None:
            connection = self._app.connection_for_write()
            connection.transport_options = {**connection.transport_options, **TIMEOUTS}
            self._producer = self._app.amqp.Producer(connection, auto_declare=False)
        with self._producer.batch():
            for ring in rings:
                self._send_one(self._producer, ring)

    def _send_one(self, producer: Producer, ring: Ring) -> None:
        """Not `send_task`: that one would subscribe us to the result, one channel a task. The queue is given whole, not
        by name: a worker rings for every queue, also for those that it does not take from itself.
        """
        soft = self._soft_limit(ring.tool_id)
        message = self._app.amqp.create_task_message(
            str(ring.celery_task_id),
            TASK_NAME,
            args=(str(ring.task_id), ring.user_id),
            soft_time_limit=soft,
            time_limit=soft + HARD_LIMIT_ABOVE_SOFT,
        )
        self._app.amqp.send_task_message(producer, TASK_NAME, message, queue=queue_named(ring.queue), retry=False)

    def _soft_limit(self, tool_id: str) -> float:
        """Seconds for Celery's outermost net, above our own limits."""
        ours = self._settings.time_limit_seconds
        if ours is None:
            try:
                ours = tool_for(tool_id).time_limit.total_seconds()
            except UnknownTool:  # a newer version's: whoever takes it has its own limit
                ours = 3600.0
        return ours + self._settings.hard_limit_grace_seconds + SOFT_LIMIT_ABOVE_OURS

    def hang_up(self) -> None:
        """Drop the connection; the next ring opens another."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(*RING_ERRORS):
                producer.connection.release()
