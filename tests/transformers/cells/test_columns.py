import random
import string
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from workshop import Workshop

from transformers.cells.columns import LogicalType, read_columns, walk_columns
from transformers.cells.kinds import Kind
from transformers.cells.semantic_types import SemanticType
from transformers.cells.values import gathered
from transformers.tables import quoted


@pytest.mark.parametrize(
    ("cells", "logical"),
    [
        (["1", "-2", "+3", "0"], LogicalType.INTEGER),
        (["1", "2.5", ".5", "1e3"], LogicalType.DECIMAL),
        (["1,234.50", "2,000", "3"], LogicalType.DECIMAL),
        (["$1.00", "-€2", "3 USD"], LogicalType.DECIMAL),
        (["10%", "20 %", "-5%"], LogicalType.DECIMAL),
        (["true", "False", "T", "no"], LogicalType.BOOLEAN),
        (["2024-01-31", "2024/02/01", "31.01.2024", "Jan 31, 2024", "31 January 2024"], LogicalType.DATE),
        (["2024-01-31 10:00", "2024-01-31T10:00:00Z", "2024-02-01"], LogicalType.DATETIME),
        (["7:10 a.m.", "19:45", "07:10:59 PM"], LogicalType.TIME),
        (["007", "042", "100"], LogicalType.TEXT),
        (["12345678901234567890", "22345678901234567890"], LogicalType.TEXT),
        (["2024-02-30", "2023-02-29", "2024-13-01"], LogicalType.TEXT),
        (["1", "x", "2", "y"], LogicalType.TEXT),
        (["", None, "N/A", "-"], LogicalType.EMPTY),
    ],
)
def test_the_logical_type_is_what_the_cells_agree_on(
    workshop: Workshop, cells: list[str | None], logical: LogicalType
) -> None:
    assert workshop.columns({"a": cells})["a"].logical is logical


def test_a_few_broken_cells_do_not_change_the_type_and_are_counted(workshop: Workshop) -> None:
    column = workshop.columns({"a": [str(i) for i in range(95)] + ["oops"] * 5})["a"]
    assert (column.logical, column.invalid) == (LogicalType.INTEGER, 5)
    broken = workshop.columns({"a": [str(i) for i in range(85)] + ["oops"] * 15})["a"]
    assert (broken.logical, broken.invalid) == (LogicalType.TEXT, 0)


def test_blank_null_and_words_for_nothing_are_missing_but_told_apart(workshop: Workshop) -> None:
    column = workshop.columns({"a": [None, "", "  ", "NA", "n/a", "-", "?", "null", "7", "8"]})["a"]
    assert (column.nulls, column.disguised, column.present) == (3, 5, 2)


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("-5", Kind.INTEGER), ("0", Kind.INTEGER), ("+05", Kind.CODE), ("007", Kind.CODE), ("-" + "1" * 70, Kind.CODE),
        ("-.5", Kind.DECIMAL), ("-Infinity", Kind.DECIMAL), ("inf", Kind.DECIMAL), ("0." + "1" * 70, Kind.TEXT),
        ("€12", Kind.CURRENCY), ("usd 1,000", Kind.CURRENCY), ("1 usd", Kind.CURRENCY), ("-3.5 %", Kind.PERCENT),
        ("1,234.50", Kind.GROUPED), ("1.234,50", Kind.COMMA_DECIMAL), ("9:05", Kind.TIME), ("sep 1 2024", Kind.DATE),
        ("1/2/24", Kind.SLASH_DATE), ("2024-1-1 1:00", Kind.DATETIME), ("31/01/2024 10:30 PM", Kind.DATETIME),
        ("2024-02-30 10:00", Kind.TEXT), ("2024-01-31 10:00" + "x" * 60, Kind.TEXT), ("12 rue", Kind.TEXT),
        ("Y", Kind.BOOLEAN), ("#N/A", Kind.DISGUISED), ("-", Kind.DISGUISED), ("~", Kind.TEXT), ("日", Kind.TEXT),
    ],
)  # fmt: skip
def test_a_look_at_the_first_character_does_not_change_the_kind(workshop: Workshop, cell: str, kind: Kind) -> None:
    assert set(workshop.columns({"a": [cell]})["a"].kinds) == {kind}


def test_a_cell_with_spaces_around_it_is_the_same_value(workshop: Workshop) -> None:
    table = workshop.table({"a": [" x", "x", "x\u00a0", "y"], "b": ["1", "2", "é", "4"]})
    with workshop.database(table) as db:
        [(padded, plain)] = walk_columns(db, table)
        assert (padded.padded, plain.padded) == (True, False)
        assert (padded.own_cell, plain.own_cell) == ('trim("a")', '"b"')
        for _ in gathered(db, table, table.columns):
            found = db.execute("SELECT v, n FROM cell_values WHERE c = 0 ORDER BY v").fetchall()
        assert found == [("x", 3), ("y", 1)]


@pytest.mark.parametrize("name", ["v", "V", "n", "c"])
def test_a_column_may_be_called_as_ours_are(workshop: Workshop, name: str) -> None:
    table = workshop.table({"a": ["x", "x", "y"], name: ["1", "2", "3"]})
    with workshop.database(table) as db:
        for _ in gathered(db, table, ["a"]):
            assert db.execute("SELECT c, v, n FROM cell_values ORDER BY v").fetchall() == [(0, "x", 2), (0, "y", 1)]


def test_a_native_not_a_number_is_missing_and_an_infinity_is_not(workshop: Workshop) -> None:
    data = pa.table({"a": [1.0, float("nan"), None, float("inf")]})
    column = workshop.columns(data)["a"]
    assert (column.missing, column.present) == (2, 2)


def cast(workshop: Workshop, cells: list[str | None]) -> list[Any]:
    table = workshop.table({"a": cells})
    with workshop.database(table) as db:
        [column] = read_columns(db, table)
        query = f"SELECT {column.value} FROM {quoted('primary')} ORDER BY __source_row__"
        return [value for (value,) in db.execute(query).fetchall()]


def test_numbers_are_cast_whatever_dress_they_wear(workshop: Workshop) -> None:
    assert cast(workshop, ["1,234.50", "2,000", "-3.5", "7"]) == [1234.5, 2000, -3.5, 7]
    assert cast(workshop, ["1.234,5", "2,5", "1.000", "7"]) == [1234.5, 2.5, 1000, 7]
    assert cast(workshop, ["$1,000.50", "-€2", "3 USD"]) == [1000.5, -2, 3]
    assert cast(workshop, ["0x10", "1_000", *map(str, range(20))])[:2] == [None, None]


def test_one_date_in_many_shapes_is_one_date(workshop: Workshop) -> None:
    shapes = ["2024-01-31", "31/01/2024", "31.01.2024", "Jan 31, 2024", "31-January-2024", "2024/1/31"]
    assert set(cast(workshop, shapes)) == {date(2024, 1, 31)}


def test_the_column_decides_whether_the_day_or_the_month_comes_first(workshop: Workshop) -> None:
    assert cast(workshop, ["01/02/2024", "31/01/2024"])[0] == date(2024, 2, 1)
    assert cast(workshop, ["01/02/2024", "01/31/2024"])[0] == date(2024, 1, 2)
    assert cast(workshop, ["01/02/2024 08:30", "31/01/2024 08:30"])[0] == datetime(2024, 2, 1, 8, 30)  # noqa: DTZ001


def test_dates_that_do_not_tell_are_called_ambiguous(workshop: Workshop) -> None:
    assert workshop.columns({"a": ["01/02/2024", "03/04/2024"]})["a"].ambiguous_dates
    assert not workshop.columns({"a": ["01/02/2024", "13/04/2024"]})["a"].ambiguous_dates


def test_a_day_that_only_fits_the_other_order_is_broken(workshop: Workshop) -> None:
    cells = ["13/01/2024"] * 19 + ["01/13/2024"]
    column = workshop.columns({"a": cells})["a"]
    assert (column.day_first, column.invalid) == (True, 1)


@pytest.mark.parametrize(
    ("name", "cells", "semantic"),
    [
        ("a", ["ann@example.com", "bob.smith+x@mail.co.uk"], SemanticType.EMAIL),
        ("a", ["https://example.com/x?y=1", "www.example.org/a"], SemanticType.URL),
        ("a", ["8c5d9f1e-5b7a-4a58-9d55-0d7a5e0f9c11", "8C5D9F1E5B7A4A589D550D7A5E0F9C11"], SemanticType.UUID),
        ("a", ["10.0.0.1", "255.255.255.0"], SemanticType.IP_ADDRESS),
        ("a", ["999.0.0.1", "1.2.3"], None),
        ("a", ["00:1A:2b:3c:4d:5e", "00-1A-2b-3c-4d-5e"], SemanticType.MAC_ADDRESS),
        ("country", ["DE", "FR", "US"], SemanticType.COUNTRY_CODE),
        ("grade", ["DE", "FR", "US"], None),
        ("currency", ["EUR", "USD"], SemanticType.CURRENCY_CODE),
        ("zip", ["01234", "99999"], SemanticType.POSTCODE),
        ("postcode", ["SW1A 1AA", "M1 1AE"], SemanticType.POSTCODE),
        ("phone", ["+49 30 123456", "(555) 234-5678"], SemanticType.PHONE_NUMBER),
        ("a", ['{"x": 1}', "[1, 2]"], SemanticType.JSON),
        ("a", ["$5", "€6.10"], SemanticType.CURRENCY_AMOUNT),
        ("a", ["5%", "6.1 %"], SemanticType.PERCENTAGE),
        ("year", ["1999", "2024"], SemanticType.YEAR),
        ("lat", ["51.5", "-33.9"], SemanticType.LATITUDE),
        ("lat", ["51.5", "-333.9"], None),
    ],
)
def test_the_meaning_is_told_by_form_or_by_form_and_name(
    workshop: Workshop, name: str, cells: list[str | None], semantic: SemanticType | None
) -> None:
    assert workshop.columns({name: cells})[name].semantic is semantic


def test_a_parquet_source_keeps_its_own_types(workshop: Workshop) -> None:
    data = pa.table({"i": [1, 2], "d": [date(2024, 1, 1), None], "t": ["1", "2"], "b": [True, None]})
    columns = workshop.columns(data)
    assert [columns[name].logical.value for name in "idtb"] == ["integer", "date", "integer", "boolean"]
    assert columns["d"].missing == 1


def test_a_thousand_columns_are_read_in_one_go(workshop: Workshop) -> None:
    columns = workshop.columns({f"c{i}": [str(i), "x" if i % 2 else "1"] for i in range(1000)})
    assert len(columns) == 1000
    assert columns["c998"].logical is LogicalType.INTEGER
    assert columns["c999"].logical is LogicalType.TEXT


def test_meaning_is_screened_on_some_values_but_proved_on_every_one(workshop: Workshop) -> None:
    letters = random.Random(1)
    words = ["".join(letters.choices(string.ascii_lowercase, k=8)) for _ in range(12_000)]
    mostly = [f"{word}@example.com" for word in words[:9000]] + words[9000:]
    assert workshop.columns({"a": mostly})["a"].semantic is None


cells = st.one_of(st.none(), st.text(max_size=20), st.integers().map(str), st.floats().map(str), st.dates().map(str))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(cells, min_size=1, max_size=30))
def test_every_cell_is_missing_broken_or_cast(workshop: Workshop, values: list[str | None]) -> None:
    table = workshop.table({"a": [v.replace("\x00", "") if v else v for v in values]})
    with workshop.database(table) as db:
        [column] = read_columns(db, table)
        query = (
            f"SELECT count(*) FILTER ({column.is_missing}), count(*) FILTER ({column.is_invalid}),"
            f" count({column.value}) FILTER (NOT {column.is_missing}) FROM {quoted('primary')}"
        )
        [counts] = db.execute(query).fetchall()
    assert counts == (column.missing, column.invalid, column.present - column.invalid)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2024-01-01 10:00 PM", "2024-01-01 22:00:00"),
        ("2024-01-01 12:05:09am", "2024-01-01 00:05:09"),
        ("2024-01-03T10:00:00+02:00", "2024-01-03 08:00:00"),
        ("2024/01/03 10:00:00.5 -0130", "2024-01-03 11:30:00.5"),
        ("2024-01-03T10:00+02", "2024-01-03 08:00:00"),
        ("2024-01-03T10:00:00Z", "2024-01-03 10:00:00"),
        ("2024-01-03 10:00:00 UTC", "2024-01-03 10:00:00"),
        ("2024-1-3 9:05", "2024-01-03 09:05:00"),
        ("2024-01-03 10:00:00 hello", None),
        ("2024-01-03 10:00 +99:00", None),
        ("2024-01-03 14:00 PM", None),
    ],
)
def test_what_stands_behind_the_clock_counts(workshop: Workshop, said: str, meant: str | None) -> None:
    table = workshop.table({"t": [said]})
    with workshop.database(table) as db:
        [column] = read_columns(db, table)
        assert (column.logical is LogicalType.DATETIME) == (meant is not None)
        if meant:
            assert db.execute(f"SELECT CAST({column.value} AS VARCHAR) FROM {quoted(table.role)}").fetchall() == [
                (meant,)
            ]
