import os
import threading

from backend.metrics.tally import TALLY, Counted, Tally
from tests.metrics import value

ONE, TWO = ("a_total", ("x",)), ("a_total", ("y",))
BOUNDS = (1.0, 10.0)


def test_a_counter_adds_up_by_its_labels() -> None:
    tally = Tally()
    tally.add(ONE, 1)
    tally.add(ONE, 2)
    tally.add(TWO, 5)
    assert tally.read().counts == {ONE: 3, TWO: 5}
    assert value(tally.read(), "a_total") == 8
    assert value(tally.read(), "a_total", {0: "y"}) == 5


def test_a_histogram_puts_each_value_under_the_first_bound_that_is_not_below_it() -> None:
    tally = Tally()
    for one in (0.5, 1.0, 1.5, 11.0):
        tally.observe(ONE, BOUNDS, one)
    assert tally.read().spreads == {ONE: [2, 1, 1, 14.0]}


def test_what_was_taken_begins_anew_and_adds_up_where_it_is_sent() -> None:
    slot, house = Tally(), Tally()
    for _ in range(2):
        slot.add(ONE, 1)
        slot.observe(TWO, BOUNDS, 2.0)
        house.include(slot.take())
    assert not slot.take()
    assert house.read() == Counted({ONE: 2}, {TWO: [0, 2, 0, 4.0]})


def test_a_copy_does_not_change_with_what_comes_after() -> None:
    tally = Tally()
    tally.observe(ONE, BOUNDS, 2.0)
    read = tally.read()
    tally.observe(ONE, BOUNDS, 2.0)
    assert read.spreads[ONE] == [0, 1, 0, 2.0]


def test_threads_lose_nothing_to_each_other() -> None:
    tally = Tally()

    def count() -> None:
        for _ in range(5000):
            tally.add(ONE, 1)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tally.read().counts[ONE] == 20_000


def test_a_forked_child_begins_with_nothing_and_an_open_lock() -> None:
    TALLY.add(("of_the_parent_total", ()), 1)
    with TALLY._lock:
        child = os.fork()
        if child == 0:
            TALLY.add(("of_the_child_total", ()), 1)  # a lock that was taken along would hang here
            os._exit(0 if set(TALLY.read().counts) == {("of_the_child_total", ())} else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
