from collections.abc import Mapping, Sequence

import pytest
from workshop import Workshop

from transformers.cells.columns import read_columns
from transformers.detection import detect_errors
from transformers.repair import propose_repairs

Data = Mapping[str, Sequence[str | None]]
Put = dict[tuple[int, str], str | None]


def repaired(workshop: Workshop, data: Data, labels: Mapping[int, Mapping[str, str]] | None = None) -> Put:
    table = workshop.table(data)
    marks = {row: {c: data[c][row - 1] != right for c, right in cells.items()} for row, cells in (labels or {}).items()}
    with workshop.database(table) as db:
        columns = read_columns(db, table)
        repairs = propose_repairs(db, table, columns, detect_errors(db, table, columns, labels=marks), labels=labels)
        found = db.execute(f'SELECT source_row, "column", new FROM {repairs} ORDER BY ALL').fetchall()
    return {(row, column): new for row, column, new in found}


def shops() -> dict[str, list[str | None]]:
    towns = ["Ashford", "Brentwood", "Colchester", "Dorking", "Evesham", "Farnham"] * 20
    return {
        "shop": [f"{10 + i % 6}" for i in range(120)],
        "town": list(towns),
        "sold": [f"{i * 7}" for i in range(120)],
    }


def test_the_value_of_rows_that_agree_otherwise_is_put(workshop: Workshop) -> None:
    data = shops()
    data["town"][5], data["town"][7] = "Farnam", None
    assert repaired(workshop, data) == {(6, "town"): "Farnham", (8, "town"): "Brentwood"}


def test_a_slip_becomes_the_frequent_word(workshop: Workshop) -> None:
    data = {"style": ["pale lager"] * 60 + ["brown porter"] * 60 + ["brown portr"], "n": [str(i) for i in range(121)]}
    assert repaired(workshop, data) == {(121, "style"): "brown porter"}


def test_nothing_is_put_between_two_likely_values(workshop: Workshop) -> None:
    data = {"yes": ["maker"] * 40 + ["baker"] * 40 + ["laker"], "n": [str(i) for i in range(81)]}
    assert repaired(workshop, data) == {}


@pytest.mark.parametrize(
    ("usual", "odd", "put"),
    [
        (["0.05", "0.061", "0.07"], "0.055999999999999994%", "0.056"),
        (["7:10 a.m.", "10:45 p.m."], "17:55", "5:55 p.m."),
        (["2024-01-31", "2024-02-14"], "14/03/2024", "2024-03-14"),
        (["12 kg", "19 kg", "25 kg"], "14 Kgs.", "14 kg"),
        (["$12", "$19", "$25"], "14", None),
    ],
)
def test_another_form_is_rewritten(workshop: Workshop, usual: list[str], odd: str, put: str | None) -> None:
    assert repaired(workshop, {"a": [*usual * 12, odd]}) == ({(len(usual) * 12 + 1, "a"): put} if put else {})


def test_a_word_for_nothing_becomes_nothing(workshop: Workshop) -> None:
    data = {"a": ["1", "2", None, "4"] * 10, "b": ["5", "6", "7", "8"] * 9 + ["5", "6", "7", "N/A"]}
    assert repaired(workshop, data) == {(40, "b"): None}


def test_a_number_far_from_the_others_is_not_stripped_of_its_unit(workshop: Workshop) -> None:
    assert repaired(workshop, {"share": ["0.05", "0.061", "0.07"] * 20 + ["5%"]}) == {}


def test_a_right_value_that_a_person_gives_is_put_wherever_the_same_is_wrong(workshop: Workshop) -> None:
    data = shops()
    data["sold"][5] = data["sold"][9] = "a dozen"
    found = repaired(workshop, data, {6: {"sold": "12"}})
    assert found[6, "sold"] == "12"


def test_errors_found_elsewhere_are_repaired_too(workshop: Workshop) -> None:
    data = shops()
    data["town"][5] = "Dorking"
    table = workshop.table(data)
    with workshop.database(table) as db:
        db.execute("""CREATE TEMP TABLE theirs AS SELECT 6::BIGINT AS source_row, 'town' AS "column" """)
        repairs = propose_repairs(db, table, read_columns(db, table), "theirs")
        assert db.execute(f"SELECT old, new FROM {repairs}").fetchall() == [("Dorking", "Farnham")]
