import math

import pytest

from bench.soak.slopes import floor, slope

MINUTES = 15


def readings(grows_by: float, *, every: float = 4.0, swing: float = 0.0) -> list[tuple[float, float]]:
    """Megabytes; `swing` is what work takes on top and gives back, four readings out of five."""
    times = [every * number for number in range(int(MINUTES * 60 / every))]
    return [
        (at, 100 + grows_by * at / 60 + swing * (number % 5 != 0) * (1 + math.sin(at)))
        for number, at in enumerate(times)
    ]


@pytest.mark.parametrize("grows_by", [0.0, 0.5, 3.0, -2.0])
@pytest.mark.parametrize("swing", [0.0, 80.0])
def test_the_slope_is_what_stays_whatever_work_takes_and_gives_back(grows_by: float, swing: float) -> None:
    found = slope(floor(readings(grows_by, swing=swing), 20.0))
    assert found
    assert found.median == pytest.approx(grows_by, abs=0.2)
    assert found.least <= found.median


def test_one_step_up_is_no_slope() -> None:
    stepped = [(at, value + (30 if at > 200 else 0)) for at, value in readings(0.0)]
    found = slope(floor(stepped, 20.0))
    assert found
    assert found.median == pytest.approx(0.0, abs=0.5)


def test_of_too_few_points_there_is_no_slope() -> None:
    assert slope([(0.0, 1.0), (60.0, 9.0)]) is None


def test_what_is_mostly_chance_is_hardly_steep_at_least() -> None:
    scattered = [(60.0 * number, float(number * 7919 % 101)) for number in range(40)]
    found = slope(scattered)
    assert found
    assert found.least < 0 < found.median + 2


def test_what_is_no_chance_is_as_steep_at_least() -> None:
    found = slope([(60.0 * number, 3.0 * number) for number in range(40)])
    assert found
    assert found.least == pytest.approx(found.median) == pytest.approx(3.0)
