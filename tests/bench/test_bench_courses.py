from collections.abc import Mapping

import pytest

from bench.apart import Limits, Ran
from bench.courses import Course, Entrant, run_all

LIMITS = Limits(seconds=60.0, megabytes=8192.0)
SIZES = (10_000, 100_000, 1_000_000)


class Runner:
    """Takes the seconds and megabytes it is told to, by size, and counts how often it is asked."""

    def __init__(self, seconds: Mapping[int, float], megabytes: Mapping[int, float] | None = None) -> None:
        self._seconds = seconds
        self._megabytes = megabytes or {}
        self.asked: list[int] = []

    def __call__(self, size: int) -> Ran:
        self.asked.append(size)
        return Ran(self._seconds[size], 0.0, self._megabytes.get(size, 100.0))


def _course(runner: Runner, *, sure: int = 0, budget: float = 1_000.0) -> Course:
    return run_all([Entrant("it", runner, SIZES[-1], sure)], SIZES, LIMITS, budget)["it"]


def test_everybody_who_is_quick_gets_to_the_largest_size() -> None:
    course = _course(Runner({10_000: 1.0, 100_000: 2.0, 1_000_000: 12.0}))
    assert list(course.ended) == list(SIZES)
    assert not course.stopped


def test_a_size_that_would_take_too_long_by_those_before_is_not_tried() -> None:
    runner = Runner({10_000: 2.0, 100_000: 30.0, 1_000_000: 300.0})
    course = _course(runner)
    assert runner.asked == [10_000, 100_000]
    assert course.stopped == "1,000,000 rows: not tried, some 310 s by the sizes before"


def test_a_size_that_would_take_too_much_memory_is_not_tried() -> None:
    runner = Runner({10_000: 1.0, 100_000: 2.0}, {10_000: 300.0, 100_000: 2_000.0})
    assert "not tried, some 19 GB" in _course(runner).stopped


def test_half_of_a_first_run_is_taken_for_its_start() -> None:
    assert _course(Runner({10_000: 12.0, 100_000: 60.0})).runs.keys() == {10_000, 100_000}
    assert _course(Runner({10_000: 14.0})).runs.keys() == {10_000}


def test_no_forecast_keeps_anybody_from_a_size_it_is_sure_to_be_asked_for() -> None:
    runner = Runner({10_000: 40.0, 100_000: 20.0, 1_000_000: 30.0})
    _course(runner, sure=100_000)
    assert runner.asked == list(SIZES)


def test_a_failure_is_where_the_course_ends() -> None:
    def run(size: int) -> Ran:
        return Ran(60.0, 0.0, 100.0, "no end after 60 s" if size > 10_000 else "")

    course = run_all([Entrant("it", run, SIZES[-1], SIZES[-1])], SIZES, LIMITS, 1_000.0)["it"]
    assert list(course.ended) == [10_000]
    assert course.stopped == "100,000 rows: no end after 60 s"


@pytest.mark.parametrize("budget", [0.0, -5.0])
def test_nobody_is_asked_when_the_time_for_all_is_over(budget: float) -> None:
    runner = Runner(dict.fromkeys(SIZES, 1.0))
    assert _course(runner, budget=budget).stopped
    assert not runner.asked
