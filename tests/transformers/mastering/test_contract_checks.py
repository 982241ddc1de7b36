from typing import Any

from mastering_chain import rows_of
from workshop import Data, Workshop

from transformers.agents import contract_enforcer


def enforced(workshop: Workshop, data: Data, columns: dict[str, Any], **parameters: Any) -> tuple[list[Any], int]:
    """The rows that come of it, and how many cells broke the contract."""
    table = data if not isinstance(data, dict) else workshop.table(data)
    asked = {"contract": {"columns": columns}, **parameters}
    delivery = workshop.deliver(contract_enforcer.AGENT, table, asked)
    return rows_of(delivery.table or table, list(columns)), delivery.result.summary_metrics["violations"]


def test_a_word_for_nothing_stays_where_the_contract_allows_it(workshop: Workshop) -> None:
    data = {"gender": ["male", "Unknown", "female"], "country": ["NA", "DE", "DE"]}
    columns = {"gender": {"allowed": ["male", "female", "unknown"]}, "country": {"allowed": ["NA", "DE"]}}
    columns = {name: {**said, "required": True} for name, said in columns.items()}
    assert enforced(workshop, data, columns) == ([("male", "NA"), ("unknown", "DE"), ("female", "DE")], 0)


def test_a_word_for_nothing_that_is_not_allowed_is_missing(workshop: Workshop) -> None:
    columns = {"country": {"allowed": ["NA", "DE"], "required": True}}
    assert enforced(workshop, {"country": ["?", "DE"]}, columns) == ([(None,), ("DE",)], 1)
