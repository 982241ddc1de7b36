from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
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


def test_large_whole_numbers_of_text_stay(workshop: Workshop) -> None:
    said = ["1234567890123456", "1099511627776123456", "7", "-" + "9" * 45]
    assert enforced(workshop, {"n": said}, {"n": {"type": "integer"}}) == ([(n,) for n in said], 0)


def test_whole_numbers_of_text_have_one_form(workshop: Workshop) -> None:
    said = ["+5", "007", "2.0", "1,234", "1.5", "9007199254740993.0"]
    rows, broken = enforced(workshop, {"n": said}, {"n": {"type": "integer"}})
    assert [n for (n,) in rows] == ["5", "7", "2", "1234", None, None]
    assert broken == 2


@pytest.mark.parametrize(
    ("kind", "values", "asked"),
    [
        (pa.int64(), [9007199254740993], "number"),
        (pa.int32(), [7], "integer"),
        (pa.uint64(), [2**64 - 1], "integer"),
        (pa.uint64(), [2**64 - 1], "number"),
        (pa.decimal128(30, 2), [Decimal("12345678901234567890.12")], "decimal"),
        (pa.decimal128(30, 0), [Decimal(12345678901234567890)], "integer"),
        (pa.int64(), [9007199254740993], "decimal"),
    ],
)
def test_numbers_that_came_with_a_type_stay_exact(
    workshop: Workshop, kind: pa.DataType, values: list[Any], asked: str
) -> None:
    table = workshop.table(pa.table({"n": pa.array(values, kind)}))
    assert enforced(workshop, table, {"n": {"type": asked}}) == ([(n,) for n in values], 0)


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64(), pa.decimal128(22, 2)])
@pytest.mark.parametrize("allowed", [[1, 2], ["1.0", "2.00"]])
def test_numbers_are_allowed_by_value(workshop: Workshop, kind: pa.DataType, allowed: list[Any]) -> None:
    table = workshop.table(pa.table({"n": pa.array([1, 2, 2], pa.int64()).cast(kind)}))
    assert enforced(workshop, table, {"n": {"type": "number", "allowed": allowed}}) == ([(1,), (2,), (2,)], 0)
    assert enforced(workshop, {"n": ["1", "2.0", "3"]}, {"n": {"type": "number", "allowed": allowed}})[1] == 1


def test_neighbours_beyond_what_a_float_tells_apart_are_not_the_same(workshop: Workshop) -> None:
    columns = {"n": {"type": "integer", "allowed": [9007199254740993]}}
    said = ["9007199254740993", "9007199254740992"]
    assert enforced(workshop, {"n": said}, columns) == ([("9007199254740993",), (None,)], 1)


@pytest.mark.parametrize("default", ["0.5", "-1", "99999999999999999999"])
def test_a_default_that_the_columns_own_type_does_not_hold_is_written(workshop: Workshop, default: str) -> None:
    table = workshop.table(pa.table({"n": pa.array([1, None], pa.uint64())}))
    columns = {"n": {"type": "number", "default": default}}
    rows, _ = enforced(workshop, table, columns, default_value_strategy="default")
    assert [n for (n,) in rows] == [1, float(default)]


def test_what_the_contract_lists_stays_as_it_lists_it(workshop: Workshop) -> None:
    columns = {
        "active": {"type": "boolean", "allowed": ["yes", "no"]},
        "code": {"type": "integer", "allowed": ["01", "2"]},
        "day": {"type": "date", "allowed": ["31/01/2024"]},
    }
    data = {"active": ["Yes", "n", "maybe"], "code": ["01", "2.0", "3"], "day": ["31/01/2024", "", "30/01/2024"]}
    rows, broken = enforced(workshop, data, columns)
    assert rows == [("yes", "01", "31/01/2024"), ("no", "2", ""), (None, None, None)]
    assert broken == 3


def test_truth_values_are_allowed_by_any_of_their_words(workshop: Workshop) -> None:
    table = workshop.table(pa.table({"active": pa.array([True, False, None])}))
    both, yes = ({"active": {"type": "boolean", "allowed": allowed}} for allowed in (["yes", "no"], ["yes"]))
    assert enforced(workshop, table, both) == ([(True,), (False,), (None,)], 0)
    assert enforced(workshop, table, yes) == ([(True,), (None,), (None,)], 1)


def test_a_cell_that_has_the_patterns_form_stays_as_it_is(workshop: Workshop) -> None:
    columns = {
        "day": {"type": "date", "pattern": "[0-9]{2}/[0-9]{2}/[0-9]{4}", "min": "2024-01-01"},
        "iso": {"type": "date", "pattern": "[0-9]{4}-[0-9]{2}-[0-9]{2}"},
    }
    data = {"day": ["31/01/2024", "2024-02-01", "31/12/2023"], "iso": ["31/01/2024"] * 3}
    rows, broken = enforced(workshop, data, columns)
    assert rows == [(day, "2024-01-31") for day in ("31/01/2024", None, None)]
    assert broken == 2


def test_a_pattern_of_text_minds_its_spaces(workshop: Workshop) -> None:
    assert enforced(workshop, {"code": ["AB", " AB"]}, {"code": {"pattern": "[A-Z]{2}"}}) == ([("AB",), (None,)], 1)
