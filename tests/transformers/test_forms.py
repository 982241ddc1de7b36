from typing import Any

import pytest

from backend.errors import BadParameters
from transformers.catalog import TRANSFORMERS
from transformers.forms import read_forms
from transformers.tool import Tool

CLEAN: Tool = next(one.tool for one in TRANSFORMERS if one.tool.id == "clean-my-data")


@pytest.mark.parametrize(
    ("agent", "values", "sentence"),
    [
        ("null-handler", {"knn_neighbors": "5"}, "null-handler: knn_neighbors: should be a valid integer."),
        ("null-handler", {"knn_neighbors": 0}, "null-handler: knn_neighbors: should be greater than or equal to 1."),
        ("duplicate-resolver", {"detect_exact": "yes"}, "duplicate-resolver: detect_exact: should be a valid boolean."),
        ("duplicate-resolver", {"nowhere": 1}, "duplicate-resolver: nowhere: there is no such parameter."),
        ("duplicate-resolver", [1], "duplicate-resolver: parameters: should be an object of parameters."),
        (
            "quarantine-agent",
            {"range_constraints": {"a": {"min": 10, "max": 5}}},
            "quarantine-agent: range_constraints.a: min must not be above max.",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_a_plain_sentence(agent: str, values: Any, sentence: str) -> None:
    with pytest.raises(BadParameters) as refused:
        read_forms(CLEAN, {agent: values})
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("agent", "values"),
    [
        ("quarantine-agent", {"min_confidence": 1, "range_constraints": {"a": {"min": "10", "max": 11}}}),
        ("duplicate-resolver", {"fuzzy": "off", "key_columns": ["a"]}),
        ("null-handler", {"fill_values": {"a": True, "b": 1, "c": "x"}}),
    ],
)
def test_whole_numbers_are_numbers_and_lists_and_words_are_taken(agent: str, values: dict[str, Any]) -> None:
    assert read_forms(CLEAN, {agent: values})[agent]


def has_a_default(tool: Tool) -> bool:
    """A pipeline without steps is none."""
    forms = [step.agent.parameters for step in tool.steps]
    return not any(field.is_required() for form in forms for field in form.model_fields.values())


@pytest.mark.parametrize(
    "tool", [one.tool for one in TRANSFORMERS if has_a_default(one.tool)], ids=lambda tool: tool.id
)
def test_the_defaults_of_every_form_are_taken_back_as_json(tool: Tool) -> None:
    defaults = {step.id: step.agent.parameters().model_dump(mode="json") for step in tool.steps}
    assert read_forms(tool, defaults) == read_forms(tool, {})
