"""Ringing Celery: one message by task name, with two ids and nothing else."""

from contextlib import suppress

from celery import Celery
from kombu import Connection
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from backend.errors import UnknownTool
from backend.settings import Settings
from celery_queue.celery_config import HARD_LIMIT_ABOVE_SOFT, SOFT_LIMIT_ABOVE_OURS, TASK_NAME, queue_named
from db.rings import Ring
from transformers.catalog import tool_for

RING_ERRORS = (KombuError, RedisError, OSError)
# A fork of prefork waits for a ring under way, so a frozen broker is not waited for as long as the consumer does: what
# was not sent is due again a second later. Two tries, for a connection that has gone stale meanwhile.
TIMEOUTS = {"socket_timeout": 2, "socket_connect_timeout": 2}
TRIES = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}


class Bell:
    """Sends rings over one connection of its own, opened at first use and again after an error."""

    def __init__(self, app: Celery, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._connection: Connection | None = None

    def ring(self, ring: Ring) -> None:
        """Send one message. Raises RING_ERRORS when the broker does not take it.

        Not `send_task`: that one would subscribe us to the result, one channel a task. The queue is given whole, not
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
        if self._connection is None:
            self._connection = self._app.connection_for_write()
            self._connection.transport_options = {**self._connection.transport_options, **TIMEOUTS}
        with self._app.amqp.Producer(self._connection, auto_declare=False) as producer:
            self._app.amqp.send_task_message(
                producer, TASK_NAME, message, queue=queue_named(ring.queue), retry=True, retry_policy=TRIES
            )

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
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*RING_ERRORS):
                connection.release()
