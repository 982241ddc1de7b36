import pytest
from dirty import flagged, hospitals
from workshop import Workshop

from transformers.cells.columns import read_columns
from transformers.detection import detect_errors


def test_a_clean_table_has_no_errors(workshop: Workshop) -> None:
    assert flagged(workshop, hospitals()) == {}


def test_a_value_that_other_rows_contradict_is_wrong(workshop: Workshop) -> None:
    data = hospitals()
    data["town"][5] = "Kendal"
    assert flagged(workshop, data) == {(6, "town"): "dependency: number"}


def test_a_swapped_key_is_wrong_and_not_what_belongs_to_it(workshop: Workshop) -> None:
    data = hospitals()
    data["number"][5] = data["number"][6]
    assert list(flagged(workshop, data)) == [(6, "number")]


def test_an_empty_cell_that_other_rows_tell_is_wrong(workshop: Workshop) -> None:
    data = hospitals()
    data["town"][5] = None
    assert list(flagged(workshop, data)) == [(6, "town")]


def test_empty_cells_of_a_column_that_is_often_empty_are_right(workshop: Workshop) -> None:
    data = hospitals()
    data["town"] = [None if i % 3 else town for i, town in enumerate(data["town"])]
    assert flagged(workshop, data) == {}


def test_a_slip_in_a_frequent_word_is_wrong(workshop: Workshop) -> None:
    data = {"style": ["pale lager"] * 40 + ["brown porter"] * 30 + ["pale lagre"], "n": [str(i) for i in range(71)]}
    assert flagged(workshop, data) == {(71, "style"): "near_frequent_value"}


def test_another_word_of_the_same_pattern_is_right(workshop: Workshop) -> None:
    data = {"style": ["pale wheat ale"] * 40 + ["dark wheat ale"] * 2, "n": [str(i) for i in range(42)]}
    assert flagged(workshop, data) == {}


def test_a_character_that_stands_for_others_is_seen_where_no_other_column_tells(workshop: Workshop) -> None:
    data = hospitals(240)
    for i in range(24):
        data["town"][i * 7] = _corrupted(str(data["town"][i * 7]), i)
    data["share"] = [f"{i * 37 % 90 + 10}%" for i in range(240)]
    data["share"][3] = "x7%"
    assert flagged(workshop, data)[4, "share"] == "character: x"


def _corrupted(word: str, at: int) -> str:
    at %= len(word)
    return word[:at] + "x" + word[at + 1 :]


def test_a_unit_that_few_write_is_wrong(workshop: Workshop) -> None:
    data = {"share": ["0.05", "0.061", "0.07"] * 20 + ["0.06%"]}
    assert flagged(workshop, data) == {(61, "share"): "unit_minority"}


def test_a_unit_that_everybody_writes_otherwise_makes_all_wrong(workshop: Workshop) -> None:
    data = {"size": ["12.0 oz", "12.0 oz.", "12.0 ounce", "16.0 OZ."] * 10}
    assert set(flagged(workshop, data).values()) == {"unit_without_convention"}


@pytest.mark.parametrize("codes", [["12227-000", "H2G 1A7", "01310-200"], ["1720 main street", "12 oak road", "9 elm"]])
def test_codes_and_addresses_are_no_quantities(workshop: Workshop, codes: list[str]) -> None:
    assert flagged(workshop, {"code": [*codes * 10, "94043", "98052"]}) == {}


def test_a_time_with_a_date_beside_it_is_written_wrongly(workshop: Workshop) -> None:
    data = {"time": ["7:10 a.m.", "10:45 p.m."] * 10 + ["12/02/2011 7:10 a.m."]}
    assert flagged(workshop, data) == {(21, "time"): "time_format"}


def test_a_date_in_another_order_is_written_wrongly(workshop: Workshop) -> None:
    data = {"day": ["2024-01-31", "2024-02-14"] * 10 + ["31/01/2024"]}
    assert flagged(workshop, data) == {(21, "day"): "date_format"}


def test_a_word_for_nothing_is_wrong_where_cells_are_left_blank(workshop: Workshop) -> None:
    data = {"a": ["1", "2", None, "4"] * 10, "b": ["5", "6", "7", "8"] * 9 + ["5", "6", "7", "N/A"]}
    assert flagged(workshop, data) == {(40, "b"): "word_for_nothing"}


def test_a_word_for_nothing_is_right_where_it_is_the_convention(workshop: Workshop) -> None:
    assert flagged(workshop, {"a": ["1", "2", "N/A", "4"] * 10, "b": ["5", "N/A", "7", "8"] * 10}) == {}


def test_a_code_that_looks_like_the_others_is_no_word_for_nothing(workshop: Workshop) -> None:
    data = {"state": ["NY", "CA", "TX", "ND"] * 10, "note": ["x", None, "y", "z"] * 10}
    assert flagged(workshop, data) == {}


def test_a_value_that_ran_into_its_neighbour_is_wrong_in_both(workshop: Workshop) -> None:
    towns = [("Bend", "OR"), ("Gary", "IN"), ("Boulder", "CO"), ("Denver", "CO")]
    rows = [towns[i * 7 % 4] for i in range(80)]
    data = {
        "city": [f"{c} {s}" if i % 16 == 0 else c for i, (c, s) in enumerate(rows)],
        "state": [None if i % 16 == 0 else s for i, (_, s) in enumerate(rows)],
    }
    assert set(flagged(workshop, data)) == {(i + 1, c) for i in range(0, 80, 16) for c in ("city", "state")}


def test_what_a_person_marked_is_final(workshop: Workshop) -> None:
    data = hospitals()
    data["town"][5] = "Kendal"
    found = flagged(workshop, data, {6: {"town": False, "measure": True}})
    assert found == {(6, "measure"): "marked"}


def test_cells_that_look_like_a_marked_one_are_wrong(workshop: Workshop) -> None:
    data = {"code": [f"A{i}" for i in range(100, 190)] + [f"{i}-A" for i in range(10)]}
    labels = {91: {"code": True}, 92: {"code": True}, **{row: {"code": False} for row in range(1, 6)}}
    assert len(flagged(workshop, data, labels)) == 10


def test_names_of_our_own_columns_do_no_harm(workshop: Workshop) -> None:
    data = dict(zip(("kind", "place", "source_row", "rule"), hospitals().values(), strict=True))
    data["source_row"][5] = "Kendal"
    assert list(flagged(workshop, data)) == [(6, "source_row")]


def test_the_same_table_gives_the_same_errors_in_the_order_of_rows(workshop: Workshop) -> None:
    data = hospitals()
    data["town"][90] = data["town"][5] = "Kendal"
    table = workshop.table(data)
    found = []
    for _ in range(2):
        with workshop.database(table) as db:
            found.append(db.execute(f"FROM {detect_errors(db, table, read_columns(db, table))}").fetchall())
    assert found[0] == found[1]
    assert [row[0] for row in found[0]] == [6, 91]


def test_progress_rises_to_the_end(workshop: Workshop) -> None:
    table = workshop.table(hospitals())
    said: list[float] = []
    with workshop.database(table) as db:
        detect_errors(db, table, read_columns(db, table), report_progress=said.append)
    assert said == sorted(said)
    assert said[-1] == 1.0


def test_thousands_are_separated_as_most_do(workshop: Workshop) -> None:
    data = {"votes": [str(1234 + i * 17) for i in range(40)] + ["12", "1,239"]}
    assert flagged(workshop, data) == {(42, "votes"): "number_format"}


def test_a_space_behind_a_value_is_wrong_where_few_have_one(workshop: Workshop) -> None:
    assert flagged(workshop, {"town": ["Bend", "Gary"] * 10 + ["Bend "]}) == {(21, "town"): "stray_space"}


def test_spaces_before_every_value_are_how_the_file_is_written(workshop: Workshop) -> None:
    assert flagged(workshop, {"town": [" Bend", " Gary"] * 10 + ["Bend"]}) == {}


def test_a_near_name_in_another_company_is_no_slip(workshop: Workshop) -> None:
    portland = {"city": ["Portland"] * 40, "state": ["OR"] * 40}
    towns = ["Abilene", "Boise", "Chicago", "Dayton", "Eugene", "Fresno", "Houston", "Irvine", "Juneau", "Knoxville"]
    others = {"city": [towns[i % 10] for i in range(200)], "state": [f"S{i % 10 // 2}" for i in range(200)]}
    slip = {c: [*portland[c], *others[c], {"city": "Porland", "state": "OR"}[c]] for c in portland}
    name = {c: [*portland[c], *others[c], {"city": "Cortland", "state": "S3"}[c]] for c in portland}
    assert flagged(workshop, slip) == {(241, "city"): "near_frequent_value"}
    assert flagged(workshop, name) == {}


@pytest.mark.parametrize("rare", ["volume III", "volume II"])
def test_another_numeral_is_no_slip(workshop: Workshop, rare: str) -> None:
    assert flagged(workshop, {"part": ["volume I"] * 40 + [rare] * 2}) == {}


def test_a_typed_column_tells_and_is_told_as_text_does(workshop: Workshop) -> None:
    import pyarrow as pa

    data = hospitals()
    numbers = [int(str(number)) for number in data["number"]]
    data["town"][5], numbers[17] = "Kendal", numbers[18]
    typed = pa.table({"number": pa.array(numbers, pa.int64()), "name": data["name"], "town": data["town"]})
    table = workshop.table(typed)
    with workshop.database(table) as db:
        errors = detect_errors(db, table, read_columns(db, table))
        found = db.execute(f'SELECT source_row, "column", value FROM {errors}').fetchall()
    assert found == [(6, "town", "Kendal"), (18, "number", "10052")]


def test_a_key_that_most_of_its_row_contradicts_is_wrong_alone(workshop: Workshop) -> None:
    """Two towns of one name: the town does not tell the code, so that nobody else speaks against the code."""
    towns = [f"{name} {part}" for name in ("North", "South") for part in ("Ashford", "Brentwood", "Colchester")]
    data = {
        "code": [f"{500 + i % 12}" for i in range(240)],
        "town": [towns[i % 12 // 2] for i in range(240)],
        "county": [f"county {i % 12 // 4}" for i in range(240)],
        "amount": [str(i * 7) for i in range(240)],
    }
    data["code"][24] = "511"
    assert flagged(workshop, data) == {(25, "code"): "contradicted_key"}


def test_a_small_table_of_what_two_columns_tell_is_enough(workshop: Workshop) -> None:
    data = {
        "state": [f"S{i % 8}" for i in range(480)],
        "child": [str(i // 8 % 2) for i in range(480)],
        "exempt": [str((i % 8 * 3 + i // 8 % 2 * 5) % 7 * 100) for i in range(480)],
    }
    right = data["exempt"][9]
    data["exempt"][9] = "700"
    assert right != "700"
    assert list(flagged(workshop, data)) == [(10, "exempt")]


def test_what_a_customer_mostly_does_is_a_habit_and_no_rule(workshop: Workshop) -> None:
    """In one order of twelve the status is another one: so many are no errors, where the customer explains no more."""
    states = ("paid", "sent", "back", "lost")
    data = {
        "customer": [f"C{i % 600}" for i in range(3600)],
        "phone": [f"+49 30 {7000 + i % 600}" for i in range(3600)],
        "status": [states[(i % 600 + (i * 7919 % 3607 < 300)) % 4] for i in range(3600)],
        "amount": [str(i * 7) for i in range(3600)],
    }
    assert flagged(workshop, data) == {}
