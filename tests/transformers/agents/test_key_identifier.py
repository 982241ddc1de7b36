from typing import Any

import pytest
from awkward_tables import AWKWARD, some_of_them
from pydantic import ValidationError
from workshop import Workshop

from backend.errors import CustomerError
from transformers.agents.key_identifier import AGENT
from transformers.findings import AgentResult

Cells = dict[str, list[str | None]]


def found(workshop: Workshop, data: Any, **parameters: Any) -> dict[str, Any]:
    return workshop.run(AGENT, data, **parameters).data


def orders(n: int = 60) -> Cells:
    return {
        "order_id": [str(100 + i) for i in range(n)],
        "customer_id": [f"C{i % 20:03}" for i in range(n)],
        "amount": [f"{i / 7:.3f}" for i in range(n)],
    }


def test_the_column_named_for_it_is_the_primary_key(workshop: Workshop) -> None:
    data = {"note": [f"text {i}" for i in range(60)]} | orders()
    keys = found(workshop, data)
    assert keys["primary_key"]["columns"] == ["order_id"]
    assert ["amount"] not in [key["columns"] for key in keys["primary_keys"]]


def test_a_missing_cell_or_a_repeated_value_unmakes_a_key(workshop: Workshop) -> None:
    data = orders()
    data["order_id"][0] = None
    assert found(workshop, data)["primary_keys"] == []
    assert found(workshop, data, pk_null=5)["primary_key"]["columns"] == ["order_id"]
    data["order_id"][0] = data["order_id"][1]
    assert found(workshop, data)["primary_keys"] == []
    assert found(workshop, data, pk_uniqueness=98)["primary_key"]["columns"] == ["order_id"]


def test_two_columns_together_are_a_key_where_none_is_alone(workshop: Workshop) -> None:
    pairs = [(i, k) for i in range(12) for k in range(8)]
    data = {"playlist_id": [str(i) for i, _ in pairs], "track_id": [str(k) for _, k in pairs], "x": ["a", "b"] * 48}
    keys = found(workshop, data)
    assert keys["primary_key"]["columns"] == ["playlist_id", "track_id"]
    assert [key["columns"] for key in keys["composite_keys"]] == [["playlist_id", "track_id"]]
    assert found(workshop, data, analyze_composite_keys=False)["primary_key"] is None


def test_three_columns_only_where_they_may(workshop: Workshop) -> None:
    triples = [(i, k, m) for i in range(4) for k in range(4) for m in range(4)]
    data = {name: [f"{name}{t[p]}" for t in triples] for p, name in enumerate(("a_id", "b_id", "c_id"))}
    assert found(workshop, data)["primary_key"]["columns"] == ["a_id", "b_id", "c_id"]
    assert found(workshop, data, max_composite_key_columns=2)["primary_key"] is None


def test_an_entity_key_names_what_may_have_several_rows(workshop: Workshop) -> None:
    data = {"id": [str(i) for i in range(60)], "email": [f"p{i % 40}@example.com" for i in range(60)], "k": ["a"] * 60}
    assert [key["column"] for key in found(workshop, data)["entity_keys"]] == ["email"]
    assert found(workshop, data, entity_min=70)["entity_keys"] == []


def test_a_reference_table_is_pointed_to_and_its_orphans_are_named(workshop: Workshop) -> None:
    customers = {"customers": {"id": [f"C{i:03}" for i in range(19)]}}
    result = workshop.run(AGENT, orders(), reference_tables=customers)
    [key] = result.data["foreign_keys"]
    assert (key["column"], key["table"], key["references"], key["overlap"]) == ("customer_id", "customers", "id", 95.0)
    assert [i.row_index for i in result.row_level_issues if i.issue_type == "orphaned_reference"] == [20, 40, 60]


def test_small_numbers_point_nowhere_without_a_name_that_says_so(workshop: Workshop) -> None:
    data = orders() | {"quantity": [str(i % 5 + 1) for i in range(60)]}
    given = {"colours": {"id": [str(i) for i in range(1, 30)]}}
    assert found(workshop, data, reference_tables=given)["foreign_keys"] == []


def test_a_parent_in_the_same_table_is_a_reference_and_a_circle_is_none(workshop: Workshop) -> None:
    people: Cells = {"employee_id": [str(i) for i in range(1, 41)]}
    tree = people | {"reports_to": [None, *(str(i // 2) for i in range(2, 41))]}
    [key] = found(workshop, tree)["foreign_keys"]
    assert (key["column"], key["table"], key["references"]) == ("reports_to", "", "employee_id")
    circle = people | {"reports_to": [str(i % 40 + 1) for i in range(1, 40)] + ["3"]}
    assert found(workshop, circle)["foreign_keys"] == []


def test_another_table_of_the_task_is_a_reference_table(workshop: Workshop) -> None:
    customers = workshop.table({"id": [f"C{i:03}" for i in range(25)]}, role="baseline", name="customers.csv")
    table = workshop.table(orders())
    result = workshop.deliver(AGENT, table, tables={"primary": table, "baseline": customers}).result
    assert [key["table"] for key in result.data["foreign_keys"]] == ["customers"]


@pytest.mark.parametrize("name", some_of_them("names of our own tables"))
def test_any_table_gets_the_same_answer_twice_or_a_customers_error(workshop: Workshop, name: str) -> None:
    table = workshop.table(AWKWARD[name]())
    try:
        first, second = workshop.run(AGENT, table), workshop.run(AGENT, table)
    except CustomerError:
        return
    assert first == second
    assert AgentResult.model_validate_json(first.model_dump_json()) == first


def test_limits_that_cross_are_refused() -> None:
    with pytest.raises(ValidationError):
        AGENT.parameters(entity_min=90, entity_max=50)
