from collections.abc import Callable
from typing import Any

import pytest

from celery_queue import steady_consumer
from celery_queue.steady_consumer import EVENTS_GATHERED, SteadyConsumer


class Loop:
    """In place of kombu's: what is to be done soon is done at once, and timers are wound and never ring."""

    def __init__(self) -> None:
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def call_soon(self, what: Callable[..., None], *args: Any) -> None:
        what(*args)

    def call_later(self, seconds: float, what: Callable[[], None]) -> None:
        self.timers.append((seconds, what))


def test_events_are_gathered_and_a_lost_timer_is_wound_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message for each event took a third of a worker's main process."""
    time = [100.0]
    monkeypatch.setattr(steady_consumer, "monotonic", lambda: time[0])
    consumer = SteadyConsumer.__new__(SteadyConsumer)
    consumer.hub = loop = Loop()
    for _ in range(10):
        consumer.on_send_event_buffered()
    assert [seconds for seconds, _ in loop.timers] == [EVENTS_GATHERED]
    time[0] += EVENTS_GATHERED
    consumer.on_send_event_buffered()
    assert len(loop.timers) == 2
