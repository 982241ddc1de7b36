from typing import Any

import pytest
from pydantic import ValidationError
from workshop import Workshop

from backend.errors import BadParameters
from transformers.agents.test_coverage_agent import AGENT
from transformers.findings import AgentResult

IDS = [str(i) for i in range(100)]


def covered(workshop: Workshop, data: Any, **parameters: Any) -> AgentResult:
    return workshop.run(AGENT, data, **parameters)


def given(workshop: Workshop, data: Any, **parameters: Any) -> AgentResult:
    return covered(workshop, data, discover_rules=False, **parameters)


def failing(result: AgentResult) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for issue in result.row_level_issues:
        found.setdefault(issue.issue_type, []).append(issue.row_index)
    return found


def test_a_repeated_value_fails_uniqueness_and_names_the_first(workshop: Workshop) -> None:
    result = given(workshop, {"a": ["x", "y", "x", None, None]}, unique_columns=["a"])
    assert failing(result) == {"not_unique": [3]}
    assert result.row_level_issues[0].message == "Repeats the value of row 1."
    assert result.data["score"] == pytest.approx(200 / 3, abs=0.01)


def test_a_range_fails_what_is_outside_and_what_is_no_number(workshop: Workshop) -> None:
    result = given(workshop, {"a": [*IDS, "-1", "x"]}, range_tests={"a": {"min": 0, "max": 98}})
    assert failing(result) == {"out_of_range": [100, 101, 102]}


def test_a_range_of_days(workshop: Workshop) -> None:
    data = {"a": ["2024-01-31", "2023-12-31", "2024-02-01"]}
    assert failing(given(workshop, data, range_tests={"a": {"min": "2024-01-01"}})) == {"out_of_range": [2]}


def test_a_format_is_of_the_whole_cell(workshop: Workshop) -> None:
    data = {"a": ["AB-1", "AB-12", "xAB-1", None]}
    assert failing(given(workshop, data, format_tests={"a": "[A-Z]{2}-[0-9]"})) == {"bad_format": [2, 3]}


def test_the_score_is_weighted_over_the_kinds_that_are_tested(workshop: Workshop) -> None:
    data = {"a": ["1", "1", "2", "3"], "b": ["1", "5", "9", "9"]}
    both = {"unique_columns": ["a"], "range_tests": {"b": {"max": 5}}}
    assert given(workshop, data, **both).data["score"] == pytest.approx((0.4 * 75 + 0.3 * 50) / 0.7, abs=0.01)
    assert given(workshop, data, **both, range_weight=0).data["score"] == 75


@pytest.mark.parametrize(
    ("good", "excellent", "level"), [(50, 70, "excellent"), (60, 90, "good"), (80, 90, "needs_work")]
)
def test_the_thresholds_decide(workshop: Workshop, good: float, excellent: float, level: str) -> None:
    limits = {"good_threshold": good, "excellent_threshold": excellent}
    result = given(workshop, {"a": ["1", "1", "2", "3"]}, unique_columns=["a"], **limits)
    assert result.data["level"] == level


def test_rules_that_nearly_all_cells_keep_are_discovered(workshop: Workshop) -> None:
    data = {
        "order_id": [*IDS, "7"],
        "price": [*(f"{10 + i % 7}.50" for i in range(100)), "9000.00"],
        "code": [*(f"AB-{i:03}" for i in range(100)), "??AB"],
        "when": [*(f"2024-01-{1 + i % 28:02}" for i in range(100)), "soon"],
        "city": ["Rome"] * 101,
    }
    result = covered(workshop, data)
    assert failing(result) == {"not_unique": [101], "out_of_range": [101], "bad_format": [101, 101]}
    assert result.data["untested_columns"] == ["city"]
    assert not any(test["given"] for test in result.data["tests"])


def test_the_customers_rule_stands_for_the_discovered_one(workshop: Workshop) -> None:
    data = {"price": [f"{10 + i % 7}.50" for i in range(100)]}
    kinds = [(t["kind"], t["given"]) for t in covered(workshop, data, range_tests={"price": {"max": 12}}).data["tests"]]
    assert kinds == [("range", True), ("format", False)]


@pytest.mark.parametrize("pattern", [r"(?=a)b", r"(a)\1", r"(?<!x)y", r"a++", "x" * 2000, r"(?P<n>a)(?P=n)"])
def test_patterns_that_are_not_linear_are_refused_with_the_form(pattern: str) -> None:
    with pytest.raises(ValidationError):
        AGENT.parameters(format_tests={"a": pattern})


@pytest.mark.parametrize("pattern", [r"\p{Lu}+", r"[(?=]+", r"\\1", r"a+?", r"(?i)x", r"\d{2}\+", "[*+]+"])
def test_patterns_that_only_look_so_are_taken(pattern: str) -> None:
    assert AGENT.parameters(format_tests={"a": pattern})


def test_a_broken_pattern_is_the_customers_error(workshop: Workshop) -> None:
    with pytest.raises(ValidationError, match="regular expression"):  # at submit, by the form
        covered(workshop, {"a": ["x"]}, format_tests={"a": "(["})


def test_an_evil_pattern_takes_no_time(workshop: Workshop) -> None:
    assert failing(given(workshop, {"a": ["a" * 5000 + "b"]}, format_tests={"a": "(a+)+"})) == {"bad_format": [1]}


def test_a_column_that_is_not_there_is_refused(workshop: Workshop) -> None:
    with pytest.raises(BadParameters, match="no column"):
        covered(workshop, {"a": ["x"]}, unique_columns=["z"])


def test_a_table_without_rules_is_untested(workshop: Workshop) -> None:
    result = covered(workshop, {"a": ["x", "y"]})
    assert result.data["level"] == "untested"
    assert result.data["score"] is None


def test_columns_may_have_the_names_of_ours(workshop: Workshop) -> None:
    codes = [f"AB-{i % 9}" for i in range(40)]
    assert covered(workshop, {"s": codes, "n": [*codes[:39], "?"], "shape": codes}).data["score"] > 0
