import os
from collections.abc import Callable, Iterator

import pytest

from backend.metrics.tally import TALLY
from celery_queue.slot_counts import AT_ONCE, SlotCounts
from tests.metrics import value
from tests.waiting import eventually

NAME = "agensium_test_total"


@pytest.fixture
def counts() -> Iterator[SlotCounts]:
    TALLY.take()
    made = SlotCounts()
    yield made
    made.close()
    TALLY.take()


def in_a_slot(work: Callable[[], object]) -> None:
    """In a forked process, to its end."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def gathered() -> float:
    return value(TALLY.read(), NAME)


def test_what_slots_count_adds_up_in_the_main_process_also_when_they_are_gone(counts: SlotCounts) -> None:
    counts.gather()
    for _ in range(2):

        def work() -> None:
            TALLY.add((NAME, ("a",)), 2)
            TALLY.observe(("agensium_test_seconds", ()), (1.0, 2.0), 1.5)
            counts.end()

        in_a_slot(work)
    eventually(lambda: gathered() == 4)
    assert TALLY.read().spreads["agensium_test_seconds", ()] == [0, 2, 0, 3.0]


def test_more_series_than_one_message_takes_come_in_several(counts: SlotCounts) -> None:
    many = 2 * AT_ONCE + 1

    def work() -> None:
        for number in range(many):
            TALLY.add((NAME, (str(number), "x" * 100)), 1)
        counts.end()

    counts.gather()
    in_a_slot(work)
    eventually(lambda: gathered() == many)


def test_what_the_main_process_does_not_take_now_is_sent_later(counts: SlotCounts) -> None:
    """Nobody reads: the socket fills up, and nothing is lost or waited for."""
    sent = 5000
    for _ in range(sent):
        TALLY.add((NAME, ("x" * 200,)), 1)
        counts.send()
    assert gathered() > 0  # is kept where it was counted
    counts.gather()
    counts.send()
    eventually(lambda: gathered() == sent)


def test_a_slot_in_the_main_process_itself_sends_nothing(counts: SlotCounts) -> None:
    TALLY.add((NAME, ()), 1)
    counts.begin()
    counts.end()
    assert gathered() == 1
