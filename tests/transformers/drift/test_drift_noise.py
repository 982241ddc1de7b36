import math

import numpy as np
import pytest

from transformers.drift import effects, noise


def test_a_ks_distance_of_two_samples_has_the_asymptotic_p() -> None:
    assert noise.kolmogorov_p(1.36 * math.sqrt(2 / 5000), 5000, 5000) == pytest.approx(0.05, abs=0.003)
    assert noise.kolmogorov_p(0.0, 100, 100) == 1.0


@pytest.mark.parametrize(("statistic", "freedom", "p"), [(3.841, 1, 0.05), (18.307, 10, 0.05), (29.588, 10, 0.001)])
def test_chi_square_is_near_the_tables(statistic: float, freedom: int, p: float) -> None:
    assert noise.chi_square_p(statistic, freedom) == pytest.approx(p, rel=0.1)


def test_what_was_never_seen_grows_unlikely_with_each_one() -> None:
    assert noise.never_seen_p(10, 500, 500) == pytest.approx(2**-10)
    assert noise.never_seen_p(10, 20_000, 200) == pytest.approx(0.905, abs=0.001)


def test_the_level_is_shared_out_over_tests_and_over_the_columns_of_a_wide_table() -> None:
    few, wide = noise.levels_of_tests(0.05, 100), noise.levels_of_tests(0.05, 1000)
    assert noise.levels_of_tests(0.05, 1) == few
    assert (few.values, few.other) == pytest.approx((0.005, 0.00125))
    assert wide.values == pytest.approx(few.values / 10)


def test_a_columns_tests_together_keep_to_one_percent() -> None:
    levels = noise.levels_of_tests(0.05, 18)
    assert levels.values + noise.OTHER_TESTS * levels.other == pytest.approx(0.01)


def test_the_stability_index_of_two_known_distributions() -> None:
    old, new = np.array([50_000, 50_000]), np.array([70_000, 30_000])
    expected = 0.2 * math.log(0.7 / 0.5) + -0.2 * math.log(0.3 / 0.5)
    assert effects.population_stability(old, new) == pytest.approx(expected, abs=1e-4)


def test_effects_are_nought_for_the_same_and_one_for_nothing_in_common() -> None:
    same, other = np.array([500, 500, 0]), np.array([0, 0, 1000])
    for figure in (effects.ks_distance, effects.total_variation, effects.population_stability):
        assert figure(same, same) == 0
    assert effects.ks_distance(same, other) == effects.total_variation(same, other) == 1
    assert effects.jensen_shannon(same, other) == pytest.approx(1, abs=0.02)


def test_a_distance_to_go_is_told_in_the_baselines_deviations() -> None:
    values = np.sort(np.random.default_rng(1).normal(10, 3, 20_000))
    assert effects.wasserstein(values, values + 1.5) == pytest.approx(0.5, abs=0.02)
