from typing import Any

import pytest
from workshop import Workshop

from transformers.agents import stewardship_flagger


def tasks(workshop: Workshop, data: dict[str, list[str]], **asked: Any) -> dict[str, int]:
    """How many tasks of each kind."""
    found = workshop.run(stewardship_flagger.AGENT, data, **asked).data["by_kind"]
    return {kind: n for kind, n in found.items() if n}


@pytest.mark.parametrize(("bounds", "outside"), [({"min": 0}, 1), ({"max": 2}, 2), ({"min": 0, "max": 2}, 3), ({}, 0)])
def test_a_threshold_may_have_one_end_only(workshop: Workshop, bounds: dict[str, float], outside: int) -> None:
    found = tasks(workshop, {"x": ["-1", "1", "2", "3", "4"]}, outlier_thresholds={"x": bounds})
    assert found.get("OUTLIER_VALUE", 0) == outside


def test_a_pattern_is_held_against_the_cell_as_it_is_written(workshop: Workshop) -> None:
    data = {"d": ["31/01/2024", "13/02/2024", "14/02/2024"]}
    assert tasks(workshop, data, field_validation_rules={"d": "[0-9]{2}/[0-9]{2}/[0-9]{4}"}) == {}
    assert tasks(workshop, data, field_validation_rules={"d": "[0-9]{4}"}) == {"INVALID_FORMAT": 3}
