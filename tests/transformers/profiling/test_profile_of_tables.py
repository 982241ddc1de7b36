"""What the profile says of a table beyond single columns, and where it works part by part."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from workshop import Workshop

from transformers.agents.unified_profiler import AGENT
from transformers.profiling import correlations as correlation
from transformers.profiling import numbers, rows
from transformers.profiling.table_profile import TableProfile

Cells = dict[str, list[str | None]]


def profile(workshop: Workshop, data: Any) -> TableProfile:
    return TableProfile.model_validate(workshop.run(AGENT, data).data)


def test_numbers_sorted_part_by_part_measure_the_same(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.round(np.random.default_rng(4).normal(50, 20, 4000), 2)
    data = pa.table({"a": values, "b": values.astype(str).tolist(), "few": (values // 40).tolist()})
    whole = profile(workshop, data)
    monkeypatch.setattr(numbers, "VALUES_A_PART", 300)
    monkeypatch.setattr(numbers, "CUTS", 200)
    assert profile(workshop, data) == whole
    found = whole.columns[1].numbers
    assert found is not None
    assert [found.q1, found.median, found.q3] == pytest.approx(list(pd.Series(values).quantile([0.25, 0.5, 0.75])))


def test_repeated_rows_of_a_wide_table_are_found_part_by_part(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "COLUMNS_COMPARED", 2)
    cells = np.random.default_rng(6).integers(0, 2, (60, 5)).astype(str)
    frame = pd.DataFrame(cells, columns=["r", "g", "ours", "theirs", "h"])
    result = workshop.run(AGENT, pa.Table.from_pandas(frame, preserve_index=False))
    repeated = frame.duplicated()
    named = [issue.row_index - 1 for issue in result.row_level_issues if issue.issue_type == "duplicate_row"]
    assert named == repeated[repeated].index.tolist()


def cities(rows: int, broken: int = 0) -> Cells:
    city = [f"City {i % 20}" for i in range(rows)]
    country: list[str | None] = [f"Land {i % 20 // 4}" for i in range(rows)]
    country[:broken] = ["Nowhere"] * broken
    return {"id": [str(i) for i in range(rows)], "city": list(city), "country": country}


def test_what_one_column_tells_of_another_is_listed(workshop: Workshop) -> None:
    [found] = [d for d in profile(workshop, cities(400)).dependencies if d.dependent == "country"]
    assert (found.determinants, found.exact, found.error) == (("city",), True, 0.0)


def test_a_rule_with_few_exceptions_raises_an_alert(workshop: Workshop) -> None:
    alerts = [a.category for a in workshop.run(AGENT, cities(400, broken=3)).alerts]
    assert "consistency" in alerts
    assert "consistency" not in [a.category for a in workshop.run(AGENT, cities(400)).alerts]


def test_two_columns_are_a_key_where_none_is_alone(workshop: Workshop) -> None:
    pairs = [(i, k) for i in range(8) for k in range(9)]
    data = {"order_id": [str(i) for i, _ in pairs], "line_no": [str(k) for _, k in pairs]}
    assert [key.columns for key in profile(workshop, data).key_candidates] == [("order_id", "line_no")]


def test_alerts_of_one_severity_are_ranked_by_share(workshop: Workshop) -> None:
    numbers = [str(i) for i in range(100)]
    data = {
        "id": numbers,
        "broken": ["x"] * 9 + numbers[9:],
        "missing": [None] * 80 + numbers[80:],
    }
    alerts = [a for a in workshop.run(AGENT, data).alerts if a.severity == "high"]
    assert [a.category for a in alerts] == ["completeness", "validity"]
    assert "missing (80 %)" in alerts[0].message


def test_every_column_says_what_it_is_for_a_model(workshop: Workshop) -> None:
    found = profile(workshop, cities(100))
    assert all(c.feature_type and c.feature_type_confidence for c in found.columns)


def test_a_sample_is_told_with_its_rule_and_size(workshop: Workshop) -> None:
    told = {s.figure: s for s in profile(workshop, cities(25_000)).sampled}
    assert {"functional dependencies", "feature types"} <= set(told)
    assert told["feature types"].of == 25_000
    assert 5_000 < told["feature types"].n < 15_000


def test_columns_above_a_cap_are_told_in_the_summary(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correlation, "CORRELATED_COLUMNS", 2)
    cells = np.random.default_rng(3).normal(0, 1, (50, 3))
    result = workshop.run(AGENT, pa.table({name: cells[:, i] for i, name in enumerate("abc")}))
    assert result.data["limits"] == ["correlations: the first 2 of 3 columns of numbers"]
    assert "Looked at in part: correlations: the first 2 of 3 columns of numbers." in result.analysis_text


def test_the_shape_of_plain_text_is_that_of_any_text(workshop: Workshop) -> None:
    plain = profile(workshop, {"a": ["Ab-12", "Please ring twice 007", "ABC"]})
    other = profile(workshop, {"a": ["Äb-12", "Please ring twice 007", "ABC"]})
    assert plain.columns[0].patterns == other.columns[0].patterns
    assert {pattern.value for pattern in plain.columns[0].patterns} == {"Aa-99", "Aa+ a+ a+ 9+", "AAA"}
