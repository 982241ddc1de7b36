from bench.budget import LIMITS, Budget, Size
from bench.families import MEASURES
from bench.measure import Measure, Surroundings


def measures(*parts: float) -> list[Measure]:
    def nothing(_: Surroundings) -> list[object]:
        return []

    return [Measure(f"P{number}", "", nothing, part) for number, part in enumerate(parts, 1)]  # type: ignore[arg-type]


class Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


def test_all_measures_fit_into_twenty_minutes_and_the_quick_ones_into_two() -> None:
    assert sum(measure.seconds for measure in MEASURES) <= LIMITS[Size.WHOLE] == 20 * 60
    assert sum(measure.quick_seconds or 0 for measure in MEASURES) <= LIMITS[Size.QUICK] == 2 * 60


def test_every_measure_of_the_issue_is_there() -> None:
    assert [measure.id for measure in MEASURES] == [f"P{number}" for number in range(1, 12)]


def test_a_measure_may_use_what_those_before_it_left_and_never_what_those_after_it_need() -> None:
    clock = Clock()
    budget = Budget(Size.WHOLE, measures(100, 200, 300), clock)
    assert budget.of_the_next() == 1200 - 500
    clock.now += 20
    assert budget.of_the_next() == 1200 - 20 - 300


def test_on_a_machine_too_busy_each_still_has_three_times_its_part() -> None:
    clock = Clock()
    budget = Budget(Size.WHOLE, measures(100, 500), clock)
    budget.of_the_next()
    clock.now += 1100
    assert budget.of_the_next() == 1500
