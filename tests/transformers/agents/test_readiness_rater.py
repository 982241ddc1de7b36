from typing import Any

import pytest
from pydantic import ValidationError
from workshop import Workshop

from transformers.agents.readiness_rater import AGENT


def scores(workshop: Workshop, data: Any, **parameters: Any) -> dict[str, float]:
    return {part["name"]: part["score"] for part in workshop.run(AGENT, data, **parameters).data["components"]}


def test_clean_data_loses_no_point(workshop: Workshop) -> None:
    result = workshop.run(AGENT, {"id": ["1", "2", "3"], "name": ["Ann", "Bob", "Eve"]})
    assert result.data["score"] == 100
    assert result.data["readiness"] == "ready"
    assert not result.issues


def test_completeness_is_the_share_of_cells_that_are_there(workshop: Workshop) -> None:
    data = {"id": ["1", "2", "3", "4"], "name": ["Ann", None, "N/A", "Eve"]}
    assert scores(workshop, data)["completeness"] == 75


def test_the_score_is_the_weighted_mean_and_every_deduction_adds_up(workshop: Workshop) -> None:
    data = {"id": ["1", "2", "3", "3"], "name": ["Ann", "ann", None, "Ann"], "k": ["x"] * 4, "e": [""] * 4}
    result = workshop.run(AGENT, data)
    parts = {part["name"]: part for part in result.data["components"]}
    for part in parts.values():
        assert part["score"] == pytest.approx(max(0, 100 - sum(d["points"] for d in part["deductions"])), abs=0.01)
    expected = 0.3 * parts["completeness"]["score"] + 0.3 * parts["consistency"]["score"]
    assert result.data["score"] == pytest.approx(expected + 0.4 * parts["schema health"]["score"], abs=0.01)
    assert {d["kind"] for part in parts.values() for d in part["deductions"]} >= {
        "missing",
        "inconsistent_case",
        "constant_column",
        "empty_column",
        "no_key",
    }


def test_only_the_weighted_component_counts(workshop: Workshop) -> None:
    data = {"id": ["1", "2"], "name": ["Ann", None]}
    result = workshop.run(AGENT, data, completeness_weight=1, consistency_weight=0, schema_health_weight=0)
    assert result.data["score"] == 75


@pytest.mark.parametrize(
    ("ready", "review", "verdict"), [(60, 50, "ready"), (80, 50, "needs_review"), (95, 90, "not_ready")]
)
def test_the_thresholds_decide(workshop: Workshop, ready: float, review: float, verdict: str) -> None:
    data = {"id": ["1", "2"], "name": ["Ann", None]}
    weights = {"completeness_weight": 1, "consistency_weight": 0, "schema_health_weight": 0}
    result = workshop.run(AGENT, data, ready_threshold=ready, review_threshold=review, **weights)
    assert result.data["readiness"] == verdict


def test_broken_cells_spaces_mixed_dates_and_duplicates_cost_consistency(workshop: Workshop) -> None:
    clean = {"id": [str(i) for i in range(20)], "a": [str(i) for i in range(20)]}
    for dirty in (
        clean | {"a": [*clean["a"][:19], "oops"]},
        clean | {"a": [" x", *("y" * i for i in range(1, 20))]},
        clean | {"a": ["2024-01-31", "31/01/2024"] * 10},
        {name: [*cells, cells[0]] for name, cells in clean.items()},
    ):
        assert scores(workshop, dirty)["consistency"] < scores(workshop, clean)["consistency"] == 100


def test_rows_that_could_not_be_read_cost_schema_health(workshop: Workshop) -> None:
    data = {"id": [str(i) for i in range(90)]}
    assert scores(workshop, workshop.table(data, rejected_rows=10))["schema health"] == 80


def test_a_table_without_rows_is_not_ready(workshop: Workshop) -> None:
    assert workshop.run(AGENT, {"a": [], "b": []}).data["readiness"] == "not_ready"


def test_weights_without_weight_and_thresholds_crossed_are_refused() -> None:
    with pytest.raises(ValidationError):
        AGENT.parameters(completeness_weight=0, consistency_weight=0, schema_health_weight=0)
    with pytest.raises(ValidationError):
        AGENT.parameters(ready_threshold=40, review_threshold=50)
