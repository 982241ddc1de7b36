"""What looks wrong and is not: a wrong repair is worse than none."""

from collections.abc import Sequence

import pytest
from test_proposals import repaired
from workshop import Workshop


@pytest.mark.parametrize(
    ("usual", "odd"),
    [
        (["$12", "$16", "$19"], "€16"),
        (["USD 12", "USD 16"], "EUR 16"),
        (["60 kg", "62 kg", "70 kg"], "62 lb"),
        (["10 mg", "20 mg"], "10 mcg"),
        (["10 mg", "20 mg"], "20 g"),
        (["5 mW", "7 mW"], "5 MW"),
        (["AA192", "AA193", "AA204"], "UA192"),
        (["9%", "12%"], "9"),
        (["12 oz.", "16 oz."], "12 oz. can"),
        (["12", "14", "17"], "14bis"),
        (["120", "140", "170"], "2.5 kg"),
    ],
)
def test_another_unit_is_another_value(workshop: Workshop, usual: Sequence[str], odd: str) -> None:
    assert repaired(workshop, {"a": [*usual * 12, odd]}) == {}


@pytest.mark.parametrize(
    "cells", [["9E", "12E", "30E"], ["9 kg", "30 g", "7 lb", "12 oz"], ["12 oz", "16 oz.", "12 ounce", "16 OZ."]]
)
def test_no_cell_is_stripped_of_what_makes_it_a_value(workshop: Workshop, cells: Sequence[str]) -> None:
    assert repaired(workshop, {"a": [*cells] * 12}) == {}


def test_a_unit_that_the_columns_name_says_is_not_needed_in_cells_that_nobody_writes_alike(workshop: Workshop) -> None:
    found = repaired(workshop, {"size_oz": ["12.0 oz", "12.0 oz.", "12.0 ounce", "16.0 OZ."] * 10})
    assert set(found.values()) == {"12", "16"}
    assert len(found) == 40


@pytest.mark.parametrize(
    ("usual", "odd"),
    [
        (["13:15", "09:30", "22:05"], "2024-03-07 13:15"),
        (["13:15", "09:30", "22:05"], "09:30 UTC+5"),
        (["2:45 am", "11:15 pm"], "2:30"),
        (["13:15", "09:30", "22:05"], "13:15:20"),
        (["01/03/2024", "01/07/2024"], "2024-03-01"),
        (["03/24/32", "12/31/54"], "03/24/1932"),
        (["03/24/1932", "12/31/1954"], "03/24/32"),
        (["2024-03-01", "2024-07-13"], "04/05/2024"),
    ],
)
def test_a_moment_is_kept_whole_and_not_guessed(workshop: Workshop, usual: Sequence[str], odd: str) -> None:
    assert repaired(workshop, {"a": [*usual * 12, odd]}) == {}


@pytest.mark.parametrize(
    ("usual", "odd"), [(["1200", "1700"], "0,500"), (["3", "1200", "4", "7", "2"], "2,500"), (["1200", "3,5"], "2,500")]
)
def test_a_decimal_comma_separates_no_thousands(workshop: Workshop, usual: Sequence[str], odd: str) -> None:
    assert repaired(workshop, {"a": [*usual * 12, odd]}) == {}


def test_none_is_an_answer(workshop: Workshop) -> None:
    data = {"allergy": ["none", "nuts", "pollen", "nuts"] * 10, "middle": [None, "A.", None, "B."] * 10}
    assert repaired(workshop, data) == {}


def test_a_value_that_changes_in_time_is_right_before_and_after(workshop: Workshop) -> None:
    months = [(product, month, month >= product % 11 + 1) for product in range(60) for month in range(12)]
    data = {
        "product": [f"P{product}" for product, _, _ in months],
        "month": [f"2024-{month + 1:02d}" for _, month, _ in months],
        "price": [str(1000 + 37 * product + 9 * new) for product, _, new in months],
        "manager": [f"m{product * 7 % 40 + 40 * new}" for product, _, new in months],
    }
    assert repaired(workshop, data) == {}
    shuffled = {name: [cells[i * 7 % 720 + i * 7 // 5040] for i in range(720)] for name, cells in data.items()}
    assert repaired(workshop, shuffled) == {}


def test_few_late_changes_are_no_errors(workshop: Workshop) -> None:
    months = [(team, month, team % 12 == 5 and month >= 10) for team in range(60) for month in range(12)]
    data = {
        "team": [f"T{team}" for team, _, _ in months],
        "month": [f"2024-{month + 1:02d}" for _, month, _ in months],
        "head": [f"m{team * 7 % 40 + 40 * new}" for team, _, new in months],
    }
    assert repaired(workshop, data) == {}


@pytest.mark.parametrize("cheaper", [{6, 7}, {2, 5}, {3}])
def test_a_store_with_values_of_its_own_is_right(workshop: Workshop, cheaper: set[int]) -> None:
    cells = [(sku, store, store in cheaper) for sku in range(80) for store in range(8)]
    data = {
        "sku": [f"S{sku}" for sku, _, _ in cells],
        "store": [f"store {store}" for _, store, _ in cells],
        "price": [str((1000 + 37 * sku) * (9 if own else 10)) for sku, _, own in cells],
        "supplier": [f"from {sku * 7 % 30 + 40 * own}" for sku, _, own in cells],
    }
    assert repaired(workshop, data) == {}
