import numpy as np
import pandas as pd
import pytest

from transformers.profiling.moments import Moments


@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_parts_put_together_have_the_moments_of_the_whole(offset: float) -> None:
    values = np.sort(np.random.default_rng(2).gamma(2.0, 3.0, 3000)) + offset
    counts = np.random.default_rng(3).integers(1, 4, 3000)
    scale = float(values[-1] - values[0])
    found = Moments(scale)
    for part in np.split(np.arange(3000), [100, 101, 2500]):
        found = found.merged(Moments.of(values[part], counts[part], scale))
    truth = pd.Series(np.repeat(values - offset, counts))
    assert found.n == len(truth)
    assert found.mean == pytest.approx(truth.mean() + offset, rel=1e-12)
    assert found.variance == pytest.approx(truth.var(), rel=1e-8)
    assert found.skewness == pytest.approx(truth.skew(), rel=1e-6)
    assert found.kurtosis == pytest.approx(truth.kurt(), rel=1e-6)


def test_nothing_has_no_moments() -> None:
    empty = Moments(1.0).merged(Moments(1.0))
    assert (empty.n, empty.variance, empty.skewness, empty.kurtosis) == (0, None, None, None)
