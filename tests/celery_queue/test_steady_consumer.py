from collections import deque
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


class Window:
    """In place of kombu's QoS: how many messages were fetched and not acknowledged."""

    def __init__(self, slots: int) -> None:
        self.prefetch_count = slots
        self.unacked = 0

    def can_consume(self) -> bool:
        return self.unacked < self.prefetch_count

    def fetched(self) -> int:
        """How many it fetches before it stops."""
        while self.can_consume():
            self.unacked += 1
        return self.unacked


@pytest.fixture
def at() -> list[float]:
    return [100.0]


@pytest.fixture
def consumer(monkeypatch: pytest.MonkeyPatch, at: list[float]) -> SteadyConsumer:
    monkeypatch.setattr(steady_consumer, "monotonic", lambda: at[0])
    made = SteadyConsumer.__new__(SteadyConsumer)
    made._ended_at = deque(maxlen=4)
    return made


def test_a_worker_fetches_as_many_as_it_has_slots_and_where_tasks_are_quick_the_next_of_each(
    consumer: SteadyConsumer, at: list[float]
) -> None:
    window = Window(slots=2)
    consumer._fetch_ahead(window, 2)
    assert window.fetched() == 2
    consumer._ended_at.extend([at[0]] * 4)
    assert window.fetched() == 4
    window.unacked = 0
    at[0] += 2 * steady_consumer.QUICK
    assert window.fetched() == 2, "they are slower now: the next is whoever's is free"


def test_a_worker_that_is_to_go_fetches_nothing_ahead(
    consumer: SteadyConsumer, at: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    window = Window(slots=2)
    consumer._fetch_ahead(window, 2)
    consumer._ended_at.extend([at[0]] * 4)
    monkeypatch.setattr(steady_consumer.drain, "requested", lambda: True)
    assert window.fetched() == 2


def test_an_ack_says_that_a_slot_was_left(consumer: SteadyConsumer) -> None:
    consumer.hub = Loop()
    consumer.call_soon_ack(lambda: None)
    assert len(consumer._ended_at) == 1
