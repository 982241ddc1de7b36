import csv
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError
from workshop import Workshop

from backend.errors import BadParameters
from transformers.agents.quarantine_agent import AGENT
from transformers.cleaning.quarantine import QuarantineParameters
from transformers.tool import Delivery

DATA = {
    "id": [str(i) for i in range(40)],
    "age": ["31", *["40"] * 37, "abc", "250"],
    "mail": [*["a@b.com"] * 38, "nobody", None],
}


def quarantined(delivery: Delivery) -> list[dict[str, str]]:
    path = delivery.file("quarantine")
    assert path is not None
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_row_set_aside_is_in_the_quarantine_file_with_its_cells_and_reason(workshop: Workshop) -> None:
    delivery = workshop.deliver(AGENT, DATA, {"set_aside_inferred": True})
    [row] = quarantined(delivery)
    assert (row["source_row"], row["age"], row["mail"]) == ("39", "abc", "nobody")
    assert row["quarantine_rule"] == "type_mismatch"
    assert row["quarantine_reason"] == "age: not integer, as the column's other values are."
    assert float(row["quarantine_confidence"]) == pytest.approx(39 / 40)
    assert delivery.table is not None
    assert delivery.table.rows == 39


def test_a_guess_about_a_form_is_flagged_and_its_row_stays(workshop: Workshop) -> None:
    result = workshop.run(AGENT, DATA)
    flagged = [issue for issue in result.row_level_issues if issue.issue_type == "invalid_format"]
    assert [(issue.row_index, issue.column) for issue in flagged] == [(39, "mail")]


def test_what_only_the_other_cells_say_is_flagged_and_its_row_stays(workshop: Workshop) -> None:
    result = workshop.run(AGENT, DATA)
    assert result.summary_metrics["rows_set_aside"] == 0
    assert result.issue_summary.by_type["type_mismatch"] == 1


def test_too_few_agreeing_cells_only_flag(workshop: Workshop) -> None:
    result = workshop.run(AGENT, {"age": [*["40"] * 12, "abc"], "b": ["x"] * 13}, set_aside_inferred=True)
    assert result.summary_metrics["rows_set_aside"] == 0
    assert result.issue_summary.by_type["type_mismatch"] == 1


@pytest.mark.parametrize(
    ("parameters", "rule", "rows"),
    [
        ({"required_fields": ["mail"]}, "missing_field", ["40"]),
        ({"range_constraints": {"age": {"min": 0, "max": 120}}}, "out_of_range", ["40"]),
        ({"format_constraints": {"mail": ".+@.+"}}, "invalid_format", ["39"]),
        ({"expected_schema": {"age": "integer"}}, "schema_mismatch", ["39"]),
    ],
)
def test_what_the_customer_demands_is_set_aside(
    workshop: Workshop, parameters: dict[str, Any], rule: str, rows: list[str]
) -> None:
    delivery = workshop.deliver(AGENT, DATA, {"detect_type_mismatches": False, **parameters})
    found = [row for row in quarantined(delivery) if row["quarantine_rule"] == rule]
    assert [row["source_row"] for row in found] == rows


def test_of_several_reasons_all_are_told(workshop: Workshop) -> None:
    delivery = workshop.deliver(AGENT, {"a": [None, "x"], "b": ["9", "1"]}, {
        "required_fields": ["a"], "range_constraints": {"b": {"max": 5}},
    })  # fmt: skip
    [row] = quarantined(delivery)
    assert row["quarantine_reason"] == "a is missing. b is outside … to 5.0."


def test_empty_rows_and_repeated_headers_are_broken_records(workshop: Workshop) -> None:
    delivery = workshop.deliver(AGENT, {"a": ["1", "a", " ", "2"], "b": ["x", "b", None, "y"]})
    assert [row["source_row"] for row in quarantined(delivery)] == ["2", "3"]
    assert {row["quarantine_rule"] for row in quarantined(delivery)} == {"broken_record"}


def test_a_column_that_the_schema_expects_and_is_not_there_is_an_alert(workshop: Workshop) -> None:
    result = workshop.run(AGENT, DATA, expected_schema={"iban": "text"})
    assert result.data["missing_columns"] == ["iban"]
    assert any("iban" in alert.message for alert in result.alerts)


@pytest.mark.parametrize(
    "parameters",
    [{"required_fields": ["nowhere"]}, {"format_constraints": {"mail": r"\p{Nowhere}"}}],
    ids=["column", "pattern"],
)
def test_a_parameter_that_cannot_be_used_is_the_customers_to_mend(
    workshop: Workshop, parameters: dict[str, Any]
) -> None:
    with pytest.raises(BadParameters):
        workshop.run(AGENT, DATA, **parameters)


def test_more_bad_rows_never_raise_the_score(workshop: Workshop) -> None:
    scores = [
        workshop.run(AGENT, {"a": [None] * bad + ["1"] * (60 - bad), "b": ["x"] * 60}, required_fields=["a"])
        for bad in (0, 1, 20, 60)
    ]
    told = [result.summary_metrics["score"] for result in scores]
    assert told == sorted(told, reverse=True)
    assert told[0] == 100
    assert told[-1] == 0


def test_nothing_is_set_aside_where_every_flag_is_off(workshop: Workshop) -> None:
    flags = {name: False for name in AGENT.parameters.model_fields if name.startswith("detect_")}
    delivery = workshop.deliver(AGENT, DATA, flags)
    assert delivery.table is None
    assert quarantined(delivery) == []


@pytest.mark.parametrize(
    "bounds", [{}, {"min": "abc"}, {"min": 10, "max": 5}, {"min": "2024-02-01", "max": "2024-01-31"},
               {"min": 1, "max": "2024-01-31"}, {"min": True}, {"min": "2024-02-30"}, {"max": float("nan")}],
)  # fmt: skip
def test_bounds_that_bound_nothing_are_refused(bounds: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        QuarantineParameters(range_constraints={"age": bounds})


def test_a_number_given_as_text_is_the_number(workshop: Workshop) -> None:
    delivery = workshop.deliver(AGENT, {"a": ["9", "10", "100"]}, {"range_constraints": {"a": {"min": "10"}}})
    assert [row["source_row"] for row in quarantined(delivery)] == ["1"]


def test_a_moment_with_a_zone_is_a_bound(workshop: Workshop) -> None:
    data = {"a": ["2024-01-01 08:59:00", "2024-01-01 09:01:00"]}
    delivery = workshop.deliver(AGENT, data, {"range_constraints": {"a": {"min": "2024-01-01T10:00:00+01:00"}}})
    assert [row["source_row"] for row in quarantined(delivery)] == ["1"]


@pytest.mark.parametrize(
    ("column", "bounds"),
    [("mail", {"min": "2024-01-01"}), ("mail", {"max": 3}), ("age", {"min": "2024-01-01"}), ("day", {"min": 1})],
)
def test_a_range_of_what_the_column_does_not_hold_is_refused(
    workshop: Workshop, column: str, bounds: dict[str, Any]
) -> None:
    data = pa.table({"mail": ["a@b.com", "b@b.com"], "age": [1, 2], "day": [date(2024, 1, 1), date(2024, 1, 2)]})
    with pytest.raises(BadParameters, match="the column holds none"):
        workshop.run(AGENT, data, range_constraints={column: bounds})


@pytest.mark.parametrize("pattern", ["(", "a)", "[a", "*a", "a\\", "(?=a)", "x" * 2000])
def test_a_broken_pattern_is_refused_with_the_form(pattern: str) -> None:
    with pytest.raises(ValidationError):
        QuarantineParameters(format_constraints={"mail": pattern})


@pytest.mark.parametrize("pattern", ["[[:alpha:]]+", r"\p{L}+\z", r"\Q(\E", "a(?i)b", "[]a]", r"\(x\["])
def test_a_pattern_that_only_re2_knows_is_taken(workshop: Workshop, pattern: str) -> None:
    workshop.run(AGENT, {"mail": ["a"]}, format_constraints={"mail": pattern})
