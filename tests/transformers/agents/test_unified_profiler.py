import math
import statistics
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from workshop import Workshop

from transformers.agents.unified_profiler import AGENT
from transformers.findings import Severity
from transformers.profiling.table_profile import ColumnProfile, TableProfile


def profile(workshop: Workshop, data: Any, **parameters: Any) -> TableProfile:
    return TableProfile.model_validate(workshop.run(AGENT, data, **parameters).data)


def column(workshop: Workshop, cells: list[Any], kind: Any = None, **parameters: Any) -> ColumnProfile:
    return profile(workshop, pa.table({"a": pa.array(cells, kind)}), **parameters).columns[0]


@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_moments_are_those_pandas_computes(workshop: Workshop, offset: float) -> None:
    values = np.random.default_rng(7).gamma(2.0, 3.0, 5000) + offset
    found = column(workshop, [*values, None, math.nan]).numbers
    truth = pd.Series(values)
    assert found is not None
    assert found.mean == pytest.approx(truth.mean(), rel=1e-11)
    assert found.std == pytest.approx(truth.std(), rel=1e-8)
    assert found.variance == pytest.approx(truth.var(), rel=1e-8)
    assert found.skewness == pytest.approx((truth - offset).skew(), rel=1e-6)
    assert found.kurtosis == pytest.approx((truth - offset).kurt(), rel=1e-6)
    assert [found.q1, found.median, found.q3] == pytest.approx(list(truth.quantile([0.25, 0.5, 0.75])), rel=1e-11)
    assert (found.minimum, found.maximum) == pytest.approx((truth.min(), truth.max()), rel=1e-11)


def test_numbers_as_text_measure_the_same_as_numbers(workshop: Workshop) -> None:
    values = [1.5, -2.0, 3.25, 40.0, 5.0]
    assert column(workshop, values).numbers == column(workshop, [str(v) for v in values]).numbers


def test_counts_percents_and_entropy_are_exact(workshop: Workshop) -> None:
    found = column(workshop, ["a", "a", "b", "c", "", None, "N/A", "a"])
    assert (found.count, found.nulls, found.disguised_nulls) == (5, 2, 1)
    assert found.null_percent == 37.5
    assert (found.distinct, found.unique, found.distinct_percent) == (3, 2, 60.0)
    assert found.entropy == pytest.approx(-(0.6 * math.log2(0.6) + 2 * 0.2 * math.log2(0.2)))
    assert [(top.value, top.count) for top in found.top_values] == [("a", 3), ("b", 1), ("c", 1)]
    assert [(word.value, word.count) for word in found.disguised_values] == [("N/A", 1)]


def test_only_as_many_top_values_as_asked_for(workshop: Workshop) -> None:
    assert len(column(workshop, list("abcdefgh"), top_n_values=3).top_values) == 3
    assert column(workshop, list("abc"), top_n_values=0).top_values == ()


def test_equally_frequent_values_are_listed_in_alphabetical_order(workshop: Workshop) -> None:
    found = column(workshop, ["d", "c", "b", "a", "d", "z", "z", "z"] + [f"w{i}" for i in range(60)], top_n_values=4)
    assert [(v.value, v.count) for v in found.top_values] == [("z", 3), ("d", 2), ("a", 1), ("b", 1)]


def test_a_histogram_holds_every_finite_value_once(workshop: Workshop) -> None:
    values = [*np.random.default_rng(1).normal(0, 1, 1000), math.inf, -math.inf, None]
    found = column(workshop, values)
    assert sum(b.count for b in found.histogram) == 1000
    assert found.numbers is not None
    assert found.numbers.infinite == 2
    truth, _ = np.histogram([v for v in values[:1000] if v is not None], bins=20)
    assert [b.count for b in found.histogram] == truth.tolist()


def test_whole_numbers_in_a_narrow_range_get_a_bar_each(workshop: Workshop) -> None:
    found = column(workshop, [1, 2, 2, 5])
    assert [b.count for b in found.histogram] == [1, 2, 0, 0, 1]


def test_outliers_lie_beyond_the_fences_and_name_their_rows(workshop: Workshop) -> None:
    values = [*range(1, 21), 100, -100]
    result = workshop.run(AGENT, pa.table({"a": values}))
    [q1, q3] = pd.Series(values).quantile([0.25, 0.75])
    found = TableProfile.model_validate(result.data).columns[0].outliers
    assert found is not None
    assert (found.low, found.high) == pytest.approx((q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)))
    assert found.count == 2
    rows = [(i.row_index, i.value) for i in result.row_level_issues if i.issue_type == "outlier"]
    assert rows == [(21, "100"), (22, "-100")]


def test_a_wider_fence_finds_fewer_outliers(workshop: Workshop) -> None:
    found = column(workshop, [*range(1, 21), 40], outlier_iqr_multiplier=3)
    assert found.outliers is not None
    assert found.outliers.count == 0


def test_patterns_generalise_letters_and_digits(workshop: Workshop) -> None:
    found = column(workshop, ["AB-12", "CD-34", "ef-56", "Äb-78"])
    assert {(p.value, p.count) for p in found.patterns} == {("AA-99", 2), ("aa-99", 1), ("Aa-99", 1)}


def test_lengths_count_characters_not_bytes(workshop: Workshop) -> None:
    found = column(workshop, ["é", "日本語", "abcd"]).lengths
    assert found is not None
    assert (found.minimum, found.maximum, found.mean) == (1, 4, pytest.approx(8 / 3))


def test_dates_are_summed_up_as_dates(workshop: Workshop) -> None:
    found = column(workshop, ["2024-01-01", "2024-01-03", "2024-01-11"]).times
    assert found is not None
    assert (found.earliest, found.median, found.latest) == (
        "2024-01-01T00:00:00",
        "2024-01-03T00:00:00",
        "2024-01-11T00:00:00",
    )


def test_few_values_make_text_categorical_and_a_key_of_all_different_ones_an_identifier(workshop: Workshop) -> None:
    data = {
        "colour": ["red", "blue"] * 30,
        "customer_id": [f"K{i:03}" for i in range(60)],
        "note": [f"word {i}" for i in range(60)],
    }
    kinds = {c.name: c.logical_type for c in profile(workshop, data).columns}
    assert kinds == {"colour": "categorical", "customer_id": "identifier", "note": "text"}
    assert [key.columns for key in profile(workshop, data).key_candidates] == [("customer_id",), ("note",)]


def test_the_categorical_threshold_decides(workshop: Workshop) -> None:
    data = {"a": [f"v{i % 30}" for i in range(300)]}
    assert profile(workshop, data).columns[0].logical_type == "text"
    assert profile(workshop, data, categorical_threshold=30).columns[0].logical_type == "categorical"
    assert profile(workshop, data, categorical_ratio_threshold=0.1).columns[0].logical_type == "categorical"


def test_duplicate_rows_are_those_pandas_finds(workshop: Workshop) -> None:
    letters = np.random.default_rng(3).integers(0, 4, (200, 3)).astype(str)
    frame = pd.DataFrame(letters, columns=list("abc")).replace("3", None)
    result = workshop.run(AGENT, pa.Table.from_pandas(frame, preserve_index=False))
    repeated = frame.duplicated()
    assert result.data["duplicates"]["count"] == repeated.sum()
    assert result.data["duplicates"]["groups"] == len(frame[frame.duplicated(keep=False)].drop_duplicates())
    named = [issue.row_index - 1 for issue in result.row_level_issues if issue.issue_type == "duplicate_row"]
    assert named == repeated[repeated].index.tolist()


def test_correlations_are_pearsons_over_the_rows_where_both_are_there(workshop: Workshop) -> None:
    chance = np.random.default_rng(5)
    x = chance.normal(1e6, 1, 500)
    frame = pd.DataFrame({"x": x, "y": -2 * x + chance.normal(0, 0.1, 500), "z": chance.normal(0, 1, 500), "k": 1.0})
    frame.loc[::7, "y"] = np.nan
    found = profile(workshop, pa.Table.from_pandas(frame, preserve_index=False))
    [pair] = found.correlations
    assert (pair.left, pair.right, pair.rows) == ("x", "y", int(frame["y"].notna().sum()))
    assert pair.coefficient == pytest.approx(frame["x"].corr(frame["y"]), abs=1e-5)
    matrix = found.matrix.coefficients
    assert matrix[0][2] == pytest.approx(frame["x"].corr(frame["z"]), abs=1e-5)
    assert matrix[3] == (None, None, None, None)


def test_broken_cells_are_listed_with_row_and_value(workshop: Workshop) -> None:
    result = workshop.run(AGENT, {"a": [*map(str, range(30)), "12.0 oz"]})
    [issue] = [i for i in result.row_level_issues if i.issue_type == "type_mismatch"]
    assert (issue.row_index, issue.column, issue.value) == (31, "a", "12.0 oz")
    assert issue.severity is Severity.MEDIUM


def test_the_null_threshold_decides_about_the_alert(workshop: Workshop) -> None:
    data = {"a": ["x", "y", "z", None, None], "b": list("vwxyz")}
    assert not workshop.run(AGENT, data).alerts
    assert [a.category for a in workshop.run(AGENT, data, null_alert_threshold=30).alerts] == ["completeness"]


def test_alerts_come_most_serious_first(workshop: Workshop) -> None:
    data = {"a": ["N/A", "x", "y"], "b": [None, None, None], "c": ["k", "k", "k"]}
    ranks = [list(Severity).index(alert.severity) for alert in workshop.run(AGENT, data).alerts]
    assert ranks == sorted(ranks)
    assert len(ranks) == 3


def test_a_mean_of_medians_medians_mean(workshop: Workshop) -> None:
    values = [3, 1, 4, 1, 5, 9, 2, 6]
    found = column(workshop, values).numbers
    assert found is not None
    assert (found.mean, found.median) == (statistics.mean(values), statistics.median(values))
    assert found.variance == pytest.approx(statistics.variance(values))


def test_what_could_be_used_against_someone_is_not_shown(workshop: Workshop) -> None:
    data = {
        "note": ["pay 4111 1111 1111 1111 now", "ssn 536-90-4399", "ann@example.com", "ann@example.com"],
        "password": ["hunter2", "hunter2", "qwerty99", "swordfish"],
        "card number": ["4111111111111111", "5500005555555559", "4111111111111111", "340000000000009"],
    }
    said = workshop.run(AGENT, data).model_dump_json()
    for secret in (
        "4111 1111 1111 1111",
        "536-90-4399",
        "ann@example.com",
        "hunter2",
        "4111111111111111",
        "5500005555",
    ):
        assert secret not in said


def test_patterns_of_very_many_values_say_that_they_are_sampled(workshop: Workshop) -> None:
    found = profile(workshop, {"a": [f"code {i}" for i in range(150_000)]})
    [sampled] = [sample for sample in found.sampled if sample.figure.startswith("patterns")]
    assert sampled.figure == "patterns of a"
    assert 8_000 < sampled.n < 12_000
    assert sampled.of == 150_000
    assert found.columns[0].distinct == 150_000
