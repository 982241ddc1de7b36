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
    assert found == pytest.approx(grows_by, abs=0.2)


def test_one_step_up_is_no_slope() -> None:
    stepped = [(at, value + (30 if at > 200 else 0)) for at, value in readings(0.0)]
    found = slope(floor(stepped, 20.0))
    assert found == pytest.approx(0.0, abs=0.5)


def test_of_too_few_points_there_is_no_slope() -> None:
    assert slope([(0.0, 1.0), (60.0, 9.0)]) is None
