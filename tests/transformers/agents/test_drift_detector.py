from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from workshop import Workshop

from backend.errors import MissingInputRole
from transformers.agents.drift_detector import AGENT, BASELINE
from transformers.findings import AgentResult, Severity
from transformers.tool import PRIMARY

Cells = Mapping[str, Sequence[str | None]]


def drift(workshop: Workshop, old: Cells, new: Cells, **parameters: Any) -> AgentResult:
    tables = {BASELINE: workshop.table(old, role=BASELINE), PRIMARY: workshop.table(new)}
    return workshop.deliver(AGENT, tables[PRIMARY], parameters, tables=tables).result


def numbers(mean: float = 0.0, spread: float = 1.0, n: int = 2000, seed: int = 1) -> list[str]:
    return [f"{x:.3f}" for x in np.random.default_rng(seed).normal(mean, spread, n)]


def words(shares: Mapping[str, int], times: int = 10) -> list[str]:
    return [word for word, n in shares.items() for _ in range(n * times)]


def kinds(result: AgentResult) -> set[str]:
    return {issue.issue_type for issue in result.issues}


def column(result: AgentResult, name: str = "a") -> dict[str, Any]:
    [found] = [c for c in result.data["columns"] if c["name"] == name]
    return dict(found)


def test_samples_of_one_distribution_raise_no_alarm(workshop: Workshop) -> None:
    old = {"a": numbers(seed=1), "b": words({"x": 100, "y": 90, "z": 10})}
    new = {"a": numbers(seed=2), "b": words({"x": 98, "y": 91, "z": 11})}
    result = drift(workshop, old, new)
    assert not result.alerts
    assert not result.row_level_issues
    assert result.summary_metrics["columns_drifted"] == 0


@pytest.mark.parametrize("changed", [numbers(0.4, seed=2), numbers(0, 1.5, seed=2), numbers(0, 0.6, seed=2)])
def test_a_moved_or_stretched_column_drifts(workshop: Workshop, changed: list[str]) -> None:
    assert "distribution_drift" in kinds(drift(workshop, {"a": numbers()}, {"a": changed}))


def test_a_large_table_with_a_tiny_difference_raises_no_alarm(workshop: Workshop) -> None:
    old, new = {"a": numbers(n=60_000)}, {"a": numbers(0.06, n=60_000, seed=2)}
    result = drift(workshop, old, new)
    assert column(result)["figures"]["value"]["kolmogorov_smirnov_p"] < 0.001
    assert not column(result)["drifted"]


def test_rows_of_another_unit_are_named(workshop: Workshop) -> None:
    new = numbers(100, 5, seed=2)
    new[::40] = [f"{float(x) * 1000:.0f}" for x in new[::40]]
    result = drift(workshop, {"a": numbers(100, 5)}, {"a": new})
    assert "outside_baseline_range" in kinds(result)
    rows = {i.row_index for i in result.row_level_issues if i.issue_type == "outside_baseline_range"}
    assert rows >= set(range(1, 2001, 40))


def test_one_value_beyond_the_baseline_is_chance(workshop: Workshop) -> None:
    assert not kinds(drift(workshop, {"a": numbers()}, {"a": [*numbers(seed=2), "5.5"]}))


def test_a_new_category_is_named_with_its_rows(workshop: Workshop) -> None:
    old, new = words({"x": 60, "y": 40}), words({"x": 57, "y": 38, "new": 5})
    result = drift(workshop, {"a": old}, {"a": new})
    assert "unseen_value" in kinds(result)
    rows = [i for i in result.row_level_issues if i.issue_type == "unseen_value"]
    assert [i.row_index for i in rows] == list(range(951, 1001))
    assert {i.value for i in rows} == {"new"}


def test_another_mix_of_known_categories_drifts_though_the_stability_index_is_blind(workshop: Workshop) -> None:
    result = drift(workshop, {"a": words({"x": 70, "y": 30})}, {"a": words({"x": 58, "y": 42})})
    assert column(result)["figures"]["value"]["population_stability"] < 0.1
    assert kinds(result) == {"distribution_drift"}
    assert {i.value for i in result.row_level_issues} == {"y"}


def test_more_missing_cells_drift_and_are_named(workshop: Workshop) -> None:
    new: list[str | None] = [*numbers(seed=2)]
    new[::10] = [None] * 200
    result = drift(workshop, {"a": numbers()}, {"a": new})
    assert kinds(result) == {"missing_share_drift"}
    assert len(result.row_level_issues) == 200


def test_words_among_numbers_drift_and_are_named(workshop: Workshop) -> None:
    new = numbers(seed=2)
    new[::20] = ["lost"] * 100
    result = drift(workshop, {"a": numbers()}, {"a": new})
    assert kinds(result) == {"misfit_share_drift"}
    assert len(result.row_level_issues) == 100


def test_the_same_values_written_another_way_are_told(workshop: Workshop) -> None:
    points = [cell[:-1] for cell in numbers()]
    commas = [cell[:-1].replace(".", ",") for cell in numbers(seed=2)]
    assert kinds(drift(workshop, {"a": points}, {"a": commas})) == {"notation_share_drift"}
    days = [f"2024-01-{1 + i % 28:02}" for i in range(500)]
    slashed = [f"{1 + i % 28:02}/01/2024" for i in range(500)]
    assert kinds(drift(workshop, {"a": days}, {"a": slashed})) == {"notation_share_drift"}


def test_new_missing_and_retyped_columns_are_told(workshop: Workshop) -> None:
    old = {"gone": numbers(), "a": numbers()}
    new = {"a": [*words({"low": 100, "high": 95}), *numbers(n=50)], "more": numbers()}
    result = drift(workshop, old, new)
    assert result.data["new_columns"] == ["more"]
    assert result.data["missing_columns"] == ["gone"]
    assert {"new_column", "missing_column", "type_changed"} <= kinds(result)
    named = [i for i in result.row_level_issues if i.issue_type == "type_changed"]
    assert len(named) == 1000  # of 1950, cut after counting
    assert result.issue_summary.by_type["type_changed"] == 1951


def test_a_running_number_does_not_drift(workshop: Workshop) -> None:
    old, new = map(str, range(1, 1001)), map(str, range(1001, 2001))
    result = drift(workshop, {"id": list(old)}, {"id": list(new)})
    assert not kinds(result)
    assert column(result, "id")["not_judged"].startswith("A running number")


def test_another_period_is_told_and_blames_no_row(workshop: Workshop) -> None:
    old = [f"2024-01-{1 + i % 28:02}" for i in range(500)]
    new = [f"2024-02-{1 + i % 28:02}" for i in range(500)]
    result = drift(workshop, {"day": old}, {"day": new})
    assert {issue.severity for issue in result.issues} == {Severity.LOW}
    assert not result.row_level_issues


def test_longer_text_of_another_pattern_drifts(workshop: Workshop) -> None:
    old, new = [f"AB-{i:04}" for i in range(400)], [f"{i:06}/AB" for i in range(400)]
    result = drift(workshop, {"a": old}, {"a": new})
    assert {"unseen_pattern", "length_drift"} <= kinds(result)


def test_too_few_values_are_not_judged(workshop: Workshop) -> None:
    few = {"a": numbers(n=50)}
    assert column(drift(workshop, few, {"a": numbers(5, n=50)}))["not_judged"]
    assert kinds(drift(workshop, few, {"a": numbers(5, n=50)}, min_sample_size=20))


@pytest.mark.parametrize("test", ["kolmogorov_smirnov", "chi2", "wasserstein"])
def test_the_test_that_is_chosen_leads(workshop: Workshop, test: str) -> None:
    result = drift(workshop, {"a": numbers()}, {"a": numbers(1)}, statistical_test=test)
    leading = {"kolmogorov_smirnov": "kolmogorov_smirnov", "chi2": "cramers_v", "wasserstein": "wasserstein"}
    assert column(result)["leading_figure"]["figure"] == leading[test]


def test_a_hidden_column_shows_none_of_its_values(workshop: Workshop) -> None:
    old = {"email": words({"ann@example.com": 60, "bob@example.com": 40})}
    new = {"email": words({"ann@example.com": 50, "eve@example.com": 50})}
    said = drift(workshop, old, new).model_dump_json()
    assert "ann@example.com" not in said
    assert "eve@example.com" not in said


def test_without_a_baseline_there_is_nothing_to_compare(workshop: Workshop) -> None:
    table = workshop.table({"a": ["1"]})
    with pytest.raises(MissingInputRole):
        workshop.deliver(AGENT, table, tables={PRIMARY: table})
