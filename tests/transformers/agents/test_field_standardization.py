from typing import Any

import pyarrow.parquet as pq
import pytest
from workshop import Workshop

from backend.errors import BadParameters
from transformers.agents.field_standardization import AGENT


def _standard(workshop: Workshop, cells: list[str], name: str = "cells", **parameters: Any) -> list[str]:
    data = {name: cells, "row": [f"r{n}" for n in range(len(cells))]}
    delivery = workshop.deliver(AGENT, data, {"repair_values": False} | parameters)
    if delivery.table is None:
        return cells
    found: list[str] = pq.read_table(delivery.table.path).column(name).to_pylist()
    return found


def test_blanks_go_from_the_ends_and_are_single_between_words(workshop: Workshop) -> None:
    cells = ["  a  b ", "x\u00a0y", "z\u200b", "one\ntwo", " \t"]
    assert _standard(workshop, cells) == ["a b", "x y", "z", "one\ntwo", ""]
    off = {"trim_whitespace": False, "normalize_internal_spacing": False}
    assert _standard(workshop, cells, **off) == cells


@pytest.mark.parametrize(
    ("strategy", "cell"),
    [("lowercase", "anne-marie o'neil"), ("uppercase", "ANNE-MARIE O'NEIL"), ("titlecase", "Anne-Marie O'neil")],
)
def test_words_get_the_case_that_is_asked_for(workshop: Workshop, strategy: str, cell: str) -> None:
    assert _standard(workshop, ["aNNe-MARIE o'NEIL", "x"], case_strategy=strategy)[0] == cell


def test_the_case_is_left_where_nobody_asks(workshop: Workshop) -> None:
    assert _standard(workshop, ["aNNe", "MARIE"]) == ["aNNe", "MARIE"]


def test_addresses_and_numbers_keep_their_case(workshop: Workshop) -> None:
    cells = ["https://x.org/A", "https://x.org/B"]
    assert _standard(workshop, cells, case_strategy="lowercase") == cells
    assert _standard(workshop, ["1E5", "2E7"], case_strategy="lowercase") == ["1E5", "2E7"]


def test_a_mistaken_encoding_is_mended_and_right_text_is_not(workshop: Workshop) -> None:
    cells = ["cafÃ©", "naïve", "RUF MICH ZURÃœCK", "AHÅ™, the new sofa from IKEA", "“quoted”"]
    mended = ["café", "naïve", "RUF MICH ZURÜCK", "AHÅ™, the new sofa from IKEA", "“quoted”"]
    assert _standard(workshop, cells) == mended
    assert _standard(workshop, cells, fix_encoding=False) == cells


def test_synonyms_stand_for_whole_cells_whatever_their_case(workshop: Workshop) -> None:
    words = {"cells": {"U.S.": "United States", "usa": "United States"}, "*": {"uk": "United Kingdom"}}
    cells = ["USA", "u.s. ", "Uk", "usable"]
    got = _standard(workshop, cells, synonym_mappings=words, case_strategy="lowercase")
    assert got == ["United States", "United States", "United Kingdom", "usable"]


def test_units_are_converted_and_others_flagged(workshop: Workshop) -> None:
    rules = {"w": {"oz": {"factor": 28.35, "target_unit": "g"}, "KG": {"factor": 1000, "target_unit": "g"}}}
    result = workshop.deliver(AGENT, {"w": ["12 oz", "1.5kg", "500 g", "7", "3 stone"]}, {"unit_mappings": rules})
    assert result.table
    assert pq.read_table(result.table.path).column("w").to_pylist() == ["340.2 g", "1500 g", "500 g", "7", "3 stone"]
    assert [issue.row_index for issue in result.result.row_level_issues] == [4, 5]


def test_a_decimal_comma_before_a_unit_is_no_thousand(workshop: Workshop) -> None:
    def converted(cells: list[str]) -> list[str]:
        rules = {"w": {"kg": {"factor": 1000, "target_unit": "g"}}}
        result = workshop.deliver(AGENT, {"w": cells}, {"unit_mappings": rules, "repair_values": False})
        assert result.table
        found: list[str] = pq.read_table(result.table.path).column("w").to_pylist()
        return found

    assert converted(["1,5 kg", "2 kg", "1.234,5 kg", "1 234,5 kg"]) == ["1500 g", "2000 g", "1234500 g", "1234500 g"]
    assert converted(["1,500 kg", "2.5 kg"]) == ["1500000 g", "2500 g"]
    assert converted(["1,5 kg", "1,500 kg", "2,5 kg"]) == ["1500 g", "1500 g", "2500 g"]
    assert converted(["1,5 kg", "1.5 kg", "1,500 kg"]) == ["1500 g", "1500 g", "1,500 kg"]


def test_a_unit_that_most_cells_do_not_have_is_flagged(workshop: Workshop) -> None:
    sizes = workshop.run(AGENT, {"size": ["12 oz", "13 oz", "14", "9 oz", "10 oz"]}, repair_values=False)
    assert [issue.value for issue in sizes.row_level_issues] == ["14"]
    shares = workshop.run(AGENT, {"share": ["0.05", "0.05%", "0.07", "0.2", "0.1"]}, repair_values=False)
    assert [issue.value for issue in shares.row_level_issues] == ["0.05%"]


def test_dates_are_written_as_the_customer_wants_them(workshop: Workshop) -> None:
    cells = ["31/01/2024", "2024-02-01", "5 May 2024 10:30", "", "1/2/2024"]
    assert _standard(workshop, cells) == ["2024-01-31", "2024-02-01", "2024-05-05 10:30:00", "", "2024-02-01"]
    german = _standard(workshop, cells, target_date_format="%d.%m.%Y")
    assert german == ["31.01.2024", "01.02.2024", "05.05.2024 10:30:00", "", "01.02.2024"]
    assert _standard(workshop, cells, date_standardization=False) == cells


def test_dates_that_nothing_decides_are_left(workshop: Workshop) -> None:
    cells = ["01/02/2024", "03/04/2024"]
    assert _standard(workshop, cells) == cells


@pytest.mark.parametrize("target", ["day", "%Q", "%H"])
def test_a_format_that_shows_no_date_is_refused(workshop: Workshop, target: str) -> None:
    with pytest.raises(BadParameters, match="target_date_format"):
        _standard(workshop, ["31/01/2024", "2024-02-01"], target_date_format=target)


def test_only_the_columns_that_are_named_are_touched(workshop: Workshop) -> None:
    data = {"a": [" x"], "b": [" x"], "c": [" x"]}
    for parameters, changed in (
        ({"target_columns": ("a", "b")}, ["x", "x", " x"]),
        ({"preserve_columns": ("a",)}, [" x", "x", "x"]),
    ):
        delivery = workshop.deliver(AGENT, data, parameters)
        assert delivery.table
        table = pq.read_table(delivery.table.path)
        assert [table.column(name)[0].as_py() for name in data] == changed


def test_a_column_that_is_not_there_is_named(workshop: Workshop) -> None:
    with pytest.raises(BadParameters, match="target_columns"):
        _standard(workshop, ["x"], target_columns=("nope",))


def test_cells_that_are_clearly_wrong_are_repaired(workshop: Workshop) -> None:
    cities = ["Birmingham", "Montgomery", "Huntsville", "Tuscaloosa"]
    data = {"zip": [f"3510{n % 4}" for n in range(80)], "city": [cities[n % 4] for n in range(80)]}
    data["city"][17] = "Montgxmery"
    delivery = workshop.deliver(AGENT, data)
    assert delivery.table
    assert pq.read_table(delivery.table.path).column("city")[17].as_py() == "Montgomery"
    assert workshop.deliver(AGENT, data, {"repair_values": False}).table is None


def test_what_a_person_says_of_a_few_rows_is_taken_and_learned_from(workshop: Workshop) -> None:
    data = {"id": [str(i) for i in range(40)], "city": ["Rome", "Paris", "Lyon", "Oslo"] * 10}
    data["city"][6] = "Lyyon"
    asked = {"labelled_rows": {7: {"city": "Lyon"}, 1: {"city": "Rome"}}}
    delivery = workshop.deliver(AGENT, data, asked)
    assert delivery.table is not None
    assert pq.read_table(delivery.table.path)["city"].to_pylist()[6] == "Lyon"


def test_an_unknown_source_column_is_refused(workshop: Workshop) -> None:
    with pytest.raises(BadParameters, match="nowhere"):
        workshop.deliver(AGENT, {"a": ["1"]}, {"source_column": "nowhere"})
