from typing import Any

import pyarrow.parquet as pq
import pytest
from workshop import Workshop

from transformers.agents.type_fixer import AGENT
from transformers.tables import SOURCE_ROW


def _fixed(workshop: Workshop, cells: list[str], name: str = "cells", **parameters: Any) -> list[str]:
    delivery = workshop.deliver(AGENT, {name: cells, "row": [f"r{n}" for n in range(len(cells))]}, parameters)
    if delivery.table is None:
        return cells
    found: list[str] = pq.read_table(delivery.table.path).column(name).to_pylist()
    return found


@pytest.mark.parametrize(
    ("cells", "fixed"),
    [
        (["1,234.50", "$5", "(1,200)", "12-", "+4", "1 234"], ["1234.50", "5", "-1200", "-12", "4", "1234"]),
        (["1.234,50", "1.234", "5,5", "7"], ["1234.50", "1234", "5.5", "7"]),
        (["1.5", "2.25", "1,234"], ["1.5", "2.25", "1234"]),
        (["12%", "5 %", "3.5%"], ["12", "5", "3.5"]),
        (["5 $", "USD 12.00", "-$7.25", "−3"], ["5", "12.00", "-7.25", "-3"]),
        (["12,34,567", "1,234", "5"], ["1234567", "1234", "5"]),
        (["00123", "04567", "00001"], ["00123", "04567", "00001"]),
        (["1.10", "2.50", "3.00"], ["1.10", "2.50", "3.00"]),
        (["yes", "Y", "no", "TRUE"], ["true", "true", "false", "true"]),
        (["yes", "no", "yes"], ["yes", "no", "yes"]),
    ],
)
def test_numbers_and_truth_are_written_plainly(workshop: Workshop, cells: list[str], fixed: list[str]) -> None:
    assert _fixed(workshop, cells) == fixed


def test_dates_of_many_shapes_become_one(workshop: Workshop) -> None:
    shapes = {
        "2024-01-31": "2024-01-31",
        "31/01/2024": "2024-01-31",
        "3/4/2024": "2024-04-03",
        "12 Mar 2024": "2024-03-12",
        "March 12, 2024": "2024-03-12",
        "Tue, 12 Mar 2024 10:00:00 GMT": "2024-03-12 10:00:00+00:00",
        "5. März 2023": "2023-03-05",
        "20240131": "2024-01-31",
        "1706659200": "2024-01-31 00:00:00",
        "45000": "2023-03-15",
        "2024-01-31T10:00:00+0200": "2024-01-31 10:00:00+02:00",
        "1/2/24 5:30 PM": "2024-02-01 17:30:00",
        "31.12.99": "1999-12-31",
    }
    assert _fixed(workshop, list(shapes)) == list(shapes.values())


def test_a_blank_or_apostrophe_for_thousands_leaves_the_comma_decimal(workshop: Workshop) -> None:
    cells = ["1 234,50", "2\u00a0345,5", "3\u202f456,75 €", "4'567,25", "1’234’567,10", "1 234,567", "12 345.678"]
    fixed = ["1234.50", "2345.5", "3456.75", "4567.25", "1234567.10", "1234.567", "12345.678"]
    assert _fixed(workshop, cells) == fixed
    assert _fixed(workshop, ["1 234,50", *["7.25"] * 99])[0] == "1234.50"


def test_one_bracket_alone_is_no_minus(workshop: Workshop) -> None:
    cells = ["(5", "5)", *["1,200.50"] * 20]
    assert _fixed(workshop, cells)[:2] == ["(5", "5)"]


def test_amounts_of_several_currencies_keep_their_signs(workshop: Workshop) -> None:
    cells = ["$100", "€100", "100 JPY", "1,200.50"]
    assert _fixed(workshop, cells) == ["$100", "€100", "100 JPY", "1200.50"]
    told = workshop.run(AGENT, {"cells": cells}).row_level_issues
    assert [(issue.value, "several units" in issue.message) for issue in told] == [(cell, True) for cell in cells[:3]]
    one = workshop.run(AGENT, {"cells": ["EUR 100", "100 €", "7"]})
    assert one.data["columns"]["cells"]["unit"] == "EUR"


def test_bare_numbers_among_percents_are_flagged(workshop: Workshop) -> None:
    cells = [*["5%"] * 19, "0.05"]
    result = workshop.run(AGENT, {"cells": cells})
    assert [issue.value for issue in result.row_level_issues] == ["0.05"]


def test_thousands_that_nothing_tells_are_flagged_as_guessed(workshop: Workshop) -> None:
    def told(cells: list[str]) -> tuple[float, int]:
        result = workshop.run(AGENT, {"cells": cells})
        guessed = [one for one in result.row_level_issues if one.issue_type == "guessed_thousands"]
        return result.data["columns"]["cells"]["confidence"], len(guessed)

    assert told(["1,234", "2,345", "3,456"]) == (0.5, 3)
    for telling in ("1,234,567", "950", "1,234.5"):
        assert told(["1,234", "2,345", "3,456", telling]) == (1.0, 0)
    assert told(["1,000", "5,000", "2,500"]) == (1.0, 0)


@pytest.mark.parametrize(("telling", "fixed"), [("25/12/2023", "2024-04-03"), ("12/25/2023", "2024-03-04")])
def test_a_column_decides_whether_the_day_comes_first(workshop: Workshop, telling: str, fixed: str) -> None:
    assert _fixed(workshop, [telling, "03/04/2024"])[1] == fixed


def test_each_separator_has_an_order_of_its_own(workshop: Workshop) -> None:
    got = _fixed(workshop, ["25/12/2023", "12-25-2023", "03/04/2024", "03-04-2024"])
    assert got[2:] == ["2024-04-03", "2024-03-04"]


def test_dates_that_nothing_decides_are_flagged_and_left(workshop: Workshop) -> None:
    result = workshop.run(AGENT, {"d": ["01/02/2024", "05/05/2024", "03/04/2024"]})
    assert [(issue.issue_type, issue.row_index) for issue in result.row_level_issues] == [
        ("ambiguous_date", 1),
        ("ambiguous_date", 3),
    ]


def test_what_cannot_be_cast_is_told_row_by_row_and_kept(workshop: Workshop) -> None:
    data = {"d": ["2024-01-31", "30/02/2024", "1/5/2024", "31/5/2024", "soon", "", "N/A", *["2024-05-05"] * 9]}
    delivery = workshop.deliver(AGENT, data)
    assert delivery.table
    table = pq.read_table(delivery.table.path)
    assert table.column("d").to_pylist()[:7] == [
        "2024-01-31",
        "30/02/2024",
        "2024-05-01",
        "2024-05-31",
        "soon",
        "",
        "N/A",
    ]
    assert table.column(SOURCE_ROW).to_pylist() == list(range(1, 17))
    told = [issue.row_index for issue in delivery.result.row_level_issues if issue.issue_type == "not_cast"]
    assert told == [2, 5]


@pytest.mark.parametrize(
    ("cells", "left"),
    [
        (["yes"] * 19 + ["maybe"], [20]),
        (["yes", "no"] * 9 + ["yes", "maybe"], [20]),
        (["yes"] * 20, []),
        (["2024-01-01T10:00:00", "2024-01-02 25:61:00", "2024-01-03"], [2]),
        (["2024-01-01T23:59:59.5Z", "2024-01-02 00:00:00+02:00", "2024-01-03"], []),
    ],
)
def test_what_looks_cast_already_is_counted_where_it_is_not(
    workshop: Workshop, cells: list[str], left: list[int]
) -> None:
    delivery = workshop.deliver(AGENT, {"a": cells})
    issues = delivery.result.row_level_issues
    assert [issue.row_index for issue in issues if issue.issue_type == "not_cast"] == left
    assert delivery.result.data["columns"]["a"]["not_cast"] == len(left)


def test_a_mixed_column_is_left_whole_where_the_customer_wants_it(workshop: Workshop) -> None:
    cells = ["1,000", "2,000", "3,000", "4,000", "5,000", "some"]
    assert _fixed(workshop, cells, preserve_mixed_types=True) == cells
    assert _fixed(workshop, cells)[:2] == ["1000", "2000"]


def test_percents_among_other_numbers_are_flagged_not_divided(workshop: Workshop) -> None:
    result = workshop.run(AGENT, {"share": ["0.05", "0.07", "0.05%", "0.1", "0.2"]})
    assert [issue.value for issue in result.row_level_issues] == ["0.05%"]


def test_two_digit_years_lie_where_the_columns_others_do(workshop: Workshop) -> None:
    assert _fixed(workshop, ["31/12/1950", "25/06/1961", "13/01/48"], "birth")[2] == "1948-01-13"


VERSIONS = ["3.11.10", "3.11.12", "3.10.15", "3.12.11", "9.9.20"]


@pytest.mark.parametrize(
    ("cells", "name"),
    [(VERSIONS, "version"), (["12.30.45", "11.15.10", "09.05.59"], "time"), (["10-20-30", "12-11-10"], "sort_code")],
)
def test_numbers_that_may_be_versions_or_times_are_flagged_and_left(
    workshop: Workshop, cells: list[str], name: str
) -> None:
    delivery = workshop.deliver(AGENT, {name: cells, "row": list("abcdefg"[: len(cells)])})
    assert delivery.table is None or pq.read_table(delivery.table.path).column(name).to_pylist() == cells
    told = [(issue.issue_type, issue.row_index) for issue in delivery.result.row_level_issues]
    assert told == [("ambiguous_date", row + 1) for row in range(len(cells))]


@pytest.mark.parametrize(
    ("telling", "name"),
    [
        (["3.11.10"], "order_date"),
        (["3.11.10"], "Geburtstag"),
        (["3.11.10", "5.12.2009"], "a"),
        (["3.11.10", "5/12/09"], "a"),
        (["3.11.10", "5 Dec 09"], "a"),
        (["3.11.10", "5.12.09 10:00"], "a"),
    ],
)
def test_two_digit_years_are_dates_where_the_column_says_so(workshop: Workshop, telling: list[str], name: str) -> None:
    assert _fixed(workshop, telling, name)[0] == "2010-11-03"


def test_figures_alone_are_dates_only_where_the_name_says_so(workshop: Workshop) -> None:
    cells = ["19081209", "19990219", "20010101"]
    assert _fixed(workshop, cells, "date_of_birth")[0] == "1908-12-09"
    assert _fixed(workshop, cells, "amount") == cells


def test_seconds_since_1970_are_moments_with_their_milliseconds(workshop: Workshop) -> None:
    cells = ["1700000000123", "1700000001000"]
    assert _fixed(workshop, cells, "created_at") == ["2023-11-14 22:13:20.123", "2023-11-14 22:13:21"]
    told = workshop.run(AGENT, {"created_at": cells}).data["columns"]["created_at"]
    assert (told["type"], told["with_time"]) == ("datetime", 2)


@pytest.mark.parametrize("name", ["time_id", "update_no", "date_key"])
def test_figures_under_the_name_of_a_key_are_no_dates(workshop: Workshop, name: str) -> None:
    cells = ["1700000000", "1700000001", "1700000002"]
    assert _fixed(workshop, cells, name) == cells


@pytest.mark.parametrize("parameter", ["auto_convert_numeric", "auto_convert_datetime", "auto_convert_category"])
def test_each_conversion_can_be_switched_off(workshop: Workshop, parameter: str) -> None:
    cells = {
        "auto_convert_numeric": ["1,234.50", "$5"],
        "auto_convert_datetime": ["31/01/2024", "13/02/2024"],
        "auto_convert_category": ["yes", "Y", "no", "n"],
    }[parameter]
    off: dict[str, Any] = {parameter: False}
    assert _fixed(workshop, cells, **off) == cells
    assert _fixed(workshop, cells) != cells
