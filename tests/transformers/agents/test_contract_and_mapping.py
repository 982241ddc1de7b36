from typing import Any

import pytest
from mastering_chain import MasteringChain, rows_of
from workshop import Workshop

from backend.errors import BadParameters, UnreadableFile
from transformers.agents import contract_enforcer, semantic_mapper, stewardship_flagger

CONTRACT: dict[str, Any] = {
    "columns": [
        {"name": "customer_id", "type": "integer", "required": True, "unique": True, "aliases": ["cust_no"]},
        {"name": "joined", "type": "date"},
        {"name": "status", "allowed": ["Active", "Closed"], "default": "Active"},
    ]
}
CUSTOMERS = {
    "CustNo": ["1", "2.0", "x", "2"],
    "Joined": ["31/01/2024", "2024-02-01", "13.02.2024", ""],
    "status": ["active", "CLOSED", "gone", "Active"],
    "junk": ["1", "2", "3", "4"],
}


def enforced(workshop: Workshop, **parameters: Any) -> Any:
    return workshop.deliver(contract_enforcer.AGENT, CUSTOMERS, {"contract": CONTRACT, **parameters})


def test_columns_are_renamed_cast_and_the_rest_left_out(workshop: Workshop) -> None:
    after = enforced(workshop).table
    assert after.columns == ("customer_id", "joined", "status")
    assert [day for (day,) in rows_of(after, ["joined"])] == ["2024-01-31", "2024-02-01", "2024-02-13", ""]


def test_every_changed_cell_is_logged_with_what_it_was(workshop: Workshop) -> None:
    changes = rows_of(enforced(workshop).file("change_log"))
    assert (3, "customer_id", "x", None, "wrong_type", 1.0) in changes
    assert (1, "status", "active", "Active", "cast_string", 1.0) in changes
    assert all(old != new for _, _, old, new, *_ in changes)


def test_a_forbidden_value_gives_way_to_the_default(workshop: Workshop) -> None:
    rows = rows_of(enforced(workshop, default_value_strategy="default").table, ["status"])
    assert [status for (status,) in rows] == ["Active", "Closed", "Active", "Active"]


def test_rows_that_break_the_contract_are_set_aside_as_they_were(workshop: Workshop) -> None:
    delivery = enforced(workshop, default_value_strategy="drop")
    assert delivery.table.rows == 3
    assert rows_of(delivery.file("set_aside"))[0][:3] == ("x", "13.02.2024", "gone")


def test_nothing_is_changed_where_nothing_may_be(workshop: Workshop) -> None:
    delivery = enforced(workshop, auto_transform=False)
    assert delivery.table is None
    assert delivery.result.summary_metrics["violations"] > 0


def test_in_strict_mode_a_breach_ends_the_task(workshop: Workshop) -> None:
    with pytest.raises(UnreadableFile, match="breaks the contract"):
        enforced(workshop, strict_mode=True)


def test_a_pattern_that_is_no_expression_is_the_customers_to_mend(workshop: Workshop) -> None:
    with pytest.raises(BadParameters, match="pattern"):
        workshop.run(contract_enforcer.AGENT, CUSTOMERS, contract={"columns": {"status": {"pattern": "(a"}}})


def test_columns_and_values_go_onto_the_standard_schema(workshop: Workshop) -> None:
    data = {"Vorname": ["Ann", "Bob"], "Geschlecht": ["W", "männlich"], "Land": ["Deutschland", "France"]}
    delivery = workshop.deliver(semantic_mapper.AGENT, data)
    assert delivery.table is not None
    assert delivery.table.columns == ("given_name", "gender", "country")
    assert rows_of(delivery.table, ["gender", "country"]) == [("female", "DE"), ("male", "FR")]
    assert (1, "gender", "W", "female", "standard_value", 1.0) in rows_of(delivery.file("change_log"))


def test_what_is_only_told_changes_nothing(workshop: Workshop) -> None:
    delivery = workshop.deliver(semantic_mapper.AGENT, {"Vorname": ["Ann", "Bob"]}, {"apply": False})
    assert delivery.table is None
    assert delivery.result.data["column_mappings"][0]["field"] == "given_name"


def test_a_later_agent_knows_a_column_by_the_name_in_the_file(workshop: Workshop) -> None:
    chain = MasteringChain(workshop, {"Vorname": ["Ann", None], "PLZ": ["12345", "1"]})
    chain.run(semantic_mapper.AGENT)
    flagged = chain.run(stewardship_flagger.AGENT, {"required_columns": ["Vorname"]})
    assert flagged.result.data["by_kind"]["MISSING_REQUIRED"] == 1


def test_tasks_come_in_the_order_of_their_weight(workshop: Workshop) -> None:
    parameters = {
        "required_columns": ["name"],
        "field_validation_rules": {"code": "[A-Z]{2}"},
        "duplicate_key_columns": ["id"],
        "business_rules": [
            {"name": "adult", "condition": {"column": "age", "operator": ">=", "value": 18}, "severity": "low"},
            {"name": "known", "condition": {"column": "boss", "operator": "in_column", "value": "id"}},
        ],
    }
    data = {
        "id": ["1", "2", "2"],
        "name": ["Ann", None, "Cy"],
        "code": ["AA", "b", "CC"],
        "age": ["20", "17", "30"],
        "boss": ["2", "1", "9"],
    }
    delivery = workshop.deliver(stewardship_flagger.AGENT, data, parameters)
    by_kind = delivery.result.data["by_kind"]
    assert {kind for kind, n in by_kind.items() if n == 1} == {
        "MISSING_REQUIRED", "INVALID_FORMAT", "DUPLICATE_SUSPECTED", "BUSINESS_RULE_VIOLATION", "REFERENTIAL_INTEGRITY",
    }  # fmt: skip
    lines = delivery.files[0].path.read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[2] for line in lines[1:]] == ["critical", "high", "high", "medium", "low"]


def test_a_rule_about_no_column_is_refused(workshop: Workshop) -> None:
    rule = {"name": "x", "condition": {"column": "nothing", "operator": "not_null"}}
    with pytest.raises(BadParameters, match="no column"):
        workshop.deliver(stewardship_flagger.AGENT, {"a": ["1"]}, {"business_rules": [rule]})
