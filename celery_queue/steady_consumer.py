"""Celery's consumer, made to outlive its broker, and to have the next message at hand where tasks are quick.

Seen with Celery and kombu 5.7 on prefork and threads: when Redis went away under a running task, closing the broken
connection raised AttributeError, which is no connection error, and the worker left with exit code 1; so did the later
ack of that task. Both are nobody's trouble here: the message comes again and the claim drops it.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from celery.worker.consumer import Consumer

from backend.clock import monotonic
from backend.logs import log
from backend.metrics.of_doors import BROKER_FAULTS, BrokerOperation
from celery_queue import drain

# Celery waits 2, 4, 6 … 30 s between its tries: a minute's outage would cost another half.
TRIES = {"interval_start": 0.2, "interval_step": 0.4, "interval_max": 2.0}  # seconds
# Seconds for which events are gathered. A message for each took a third of the main process where tasks are quick; who
# looks at Flower sees no difference.
EVENTS_GATHERED = 0.25
# Seconds in which two tasks a slot have ended: then the next message of each slot is fetched while it is at work. The
# slot that ends would wait else for three round trips: this ack, the next message, the note that it was fetched. Where
# tasks are slower it is left to whichever worker is free.
QUICK = 0.1


class SteadyConsumer(Consumer):  # type: ignore[misc]  # Celery is not annotated
    """Named by `worker_consumer` in celery_config.py."""

    connection: Any
    _events_sent_at = float("-inf")  # when those are sent that are being gathered

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._ended_at = deque[float](maxlen=1)  # of the last two tasks a slot, as soon as their number is known
        super().__init__(*args, **kwargs)

    def register_with_event_loop(self, hub: Any) -> None:
        """At each connection, whose channel is a new one."""
        super().register_with_event_loop(hub)
        slots = self.pool.num_processes
        self._ended_at = deque(maxlen=2 * slots)
        self._fetch_ahead(self.task_consumer.channel.qos, slots)

    def _fetch_ahead(self, qos: Any, slots: int) -> None:
        """Celery's own `worker_disable_prefetch` has its say in the same way."""
        within_limit = qos.can_consume

        def can_consume() -> bool:
            return within_limit() or (self._is_quick() and within_doubled())

        def within_doubled() -> bool:
            qos.prefetch_count += slots
            try:
                return bool(within_limit())
            finally:
                qos.prefetch_count -= slots

        qos.can_consume = can_consume

    def _is_quick(self) -> bool:
        ended = self._ended_at
        return len(ended) == ended.maxlen and monotonic() - ended[0] < QUICK and not drain.requested()

    def ensure_connected(self, conn: Any) -> Any:
        conn.ensure_connection = partial(_counting_tries, conn.ensure_connection)
        return super().ensure_connected(conn)

    def on_connection_error_after_connected(self, exc: BaseException) -> None:
        BROKER_FAULTS.count(BrokerOperation.CONSUME)
        if self.connection is not None:
            self.connection.close = partial(self._close_if_possible, self.connection.close)
        super().on_connection_error_after_connected(exc)

    def _close_if_possible(self, close: Callable[[], None]) -> None:
        with suppress(AttributeError, *self.connection_errors, *self.channel_errors):
            close()

    def call_soon_ack(self, p: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._ended_at.append(monotonic())
        return super().call_soon_ack(self._ack_if_possible, p, *args, **kwargs)

    def _ack_if_possible(self, ack: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        try:
            ack(*args, **kwargs)
        except (AttributeError, *self.connection_errors) as error:
            log().warning("an ack came too late for its connection", error=str(error))

    def on_send_event_buffered(self) -> None:
        """A timer that was lost with its connection is wound again by the next event."""
        if self.hub and monotonic() >= self._events_sent_at:
            self._events_sent_at = monotonic() + EVENTS_GATHERED
            self.hub.call_soon(self.hub.call_later, EVENTS_GATHERED, self._flush_events)

    def shutdown(self) -> None:
        self._flush_events()
        super().shutdown()


def _counting_tries(
    ensure_connection: Callable[..., Any], errback: Callable[..., Any], *args: Any, **kwargs: Any
) -> Any:
    """`errback` is told of each try that failed."""

    def failed(*told: Any) -> Any:
        BROKER_FAULTS.count(BrokerOperation.CONSUME)
        return errback(*told)

    return ensure_connection(failed, *args, **kwargs, **TRIES)
