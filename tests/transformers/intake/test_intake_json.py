import json
from pathlib import Path

import pytest
from intake_reading import read

from backend.errors import FileTooLarge, UnreadableFile
from transformers.intake import json_documents


def test_numbers_keep_their_text_and_long_integers_their_digits(tmp_path: Path) -> None:
    content = '[{"a": 1.10, "b": 12345678901234567890123, "c": 1e400, "d": "007", "e": true, "f": null}]'
    assert read(tmp_path, content, "d.json").rows == [["1.10", "12345678901234567890123", "1e400", "007", "true", None]]


def test_nested_objects_are_flattened_and_lists_stay_json(tmp_path: Path) -> None:
    content = '[{"a": {"b": {"c": 1}, "d": []}, "e": [1.50, {"x": "ü"}], "f": {}}]'
    got = read(tmp_path, content, "d.json")
    assert got.records == [{"a.b.c": "1", "a.d": "[]", "e": '[1.50, {"x": "ü"}]', "f": "{}"}]


def test_what_lies_very_deep_stays_json_text(tmp_path: Path) -> None:
    content = '[{"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}]'
    assert read(tmp_path, content, "d.json").records == [{"a.b.c.d.e": '{"f": 1}'}]


def test_a_missing_key_and_a_null_are_null_and_an_empty_string_is_not(tmp_path: Path) -> None:
    got = read(tmp_path, '[{"a": ""}, {"b": null}, {"a": "x", "b": "y"}]', "d.json")
    assert got.rows == [["", None], [None, None], ["x", "y"]]


def test_a_key_that_appears_late_becomes_a_column_for_all_rows(tmp_path: Path) -> None:
    lines = [json.dumps({"a": i}) for i in range(12_000)] + ['{"b": 1}']
    got = read(tmp_path, "\n".join(lines), "d.jsonl")
    assert got.table.columns == ("a", "b")
    assert (got.rows[0], got.rows[-1]) == (["0", None], [None, "1"])
    assert got.numbers == list(range(1, 12_002))


@pytest.mark.parametrize(
    ("content", "records"),
    [
        ('{"meta": {"n": 2}, "data": [{"a": 1}, {"a": 2}]}', [{"a": "1"}, {"a": "2"}]),
        ('{"a": [1, 2], "b": ["x", "y"]}', [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]),
        ('{"a": 1, "b": [1, 2]}', [{"a": "1", "b": "[1, 2]"}]),
        ('[["a", "b"], [1, 2], [3]]', [{"a": "1", "b": "2"}, {"a": "3", "b": None}]),
        ("[[1, 2], [3, 4]]", [{"column_1": "1", "column_2": "2"}, {"column_1": "3", "column_2": "4"}]),
        ("[1, null, 3]", [{"value": "1"}, {"value": None}, {"value": "3"}]),
    ],
)
def test_every_usual_shape_of_json_is_a_table(tmp_path: Path, content: str, records: list[dict[str, str]]) -> None:
    assert read(tmp_path, content, "d.json").records == records


def test_the_list_taken_out_of_an_object_is_told(tmp_path: Path) -> None:
    got = read(tmp_path, '{"total": 1, "items": [{"a": 1}]}', "d.json")
    assert "“items”" in got.repair("json_list_used").message


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ('[{"a": 1},\n {"a": tru}]', "line 2, column 8"),
        ('[{"a": 1}\n {"a": 2}]', "line 2, column 2"),
        ('[{"a": 1}, {"a": "x', "line 1, column 18"),
        ('{"a" 1}', "line 1, column 6"),
        ('{"a": 1, b: 2}', "line 1, column 10"),
        ('{"data": [{"a": 1}, {"a" 2}]}', "line 1, column 26"),
        ('{"a": 1} trailing', "line 1, column 10"),
        ('[{"a": 1}', "line 1, column 10"),
        ("not json", "line 1, column 1"),
    ],
)
def test_broken_json_is_refused_with_line_and_column(tmp_path: Path, content: str, place: str) -> None:
    with pytest.raises(UnreadableFile, match=place):
        read(tmp_path, content, "d.json")


def test_the_place_of_a_break_is_right_far_into_a_long_file(tmp_path: Path) -> None:
    rows = ",\n".join(json.dumps({"id": i, "text": "x" * 50}) for i in range(40_000))
    with pytest.raises(UnreadableFile, match="line 40,001, column 2"):
        read(tmp_path, f"[{rows},\n oops]", "d.json")


def test_items_longer_than_the_window_are_read_whole(tmp_path: Path) -> None:
    rows = [{"a": "x" * 3_000_000}, {"a": "12", "b": 12}]
    got = read(tmp_path, json.dumps(rows), "d.json")
    assert [len(row[0]) for row in got.rows] == [3_000_000, 2]


def test_a_list_of_many_megabytes_inside_an_object_is_read(tmp_path: Path) -> None:
    rows = [{"a": "x" * 2**20} for _ in range(20)]
    assert read(tmp_path, json.dumps({"data": rows}), "d.json").table.rows == 20


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 100_000, '[{"a":' + "[" * 5_000 + "]" * 5_000 + "}]"])
def test_a_depth_bomb_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(UnreadableFile, match="nested too deeply"):
        read(tmp_path, content, "d.json")


@pytest.mark.parametrize("content", ["[]", "{}", '{"a": {}, "data": []}' * 0 + "[ ]"])
def test_json_without_rows_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(UnreadableFile, match="no rows"):
        read(tmp_path, content, "d.json")


def test_one_large_object_is_refused_and_a_large_list_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_documents, "LONGEST_VALUE", 100)
    rows = [{"a": "x" * 60}, {"a": "y" * 60}]
    assert read(tmp_path, json.dumps(rows), "d.json").table.rows == 2
    with pytest.raises(FileTooLarge, match="JSON lines"):
        read(tmp_path, json.dumps({"one": rows, "two": rows}), "d.json")


def test_bad_lines_of_json_lines_are_set_aside_with_their_line(tmp_path: Path) -> None:
    got = read(tmp_path, '{"a": 1}\n\n{"a": \n{"a": 3}\n[4]\n{"a": 5}\n', "d.jsonl")
    assert got.rows == [["1"], ["3"], ["5"]]
    assert got.numbers == [1, 3, 5]
    assert [(reject["source_row"], reject["reason"][:7]) for reject in got.rejects] == [(2, "Line 3:"), (4, "Line 5:")]


def test_json_lines_most_of_which_are_broken_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="3 of 4 rows are not JSON objects"):
        read(tmp_path, '{"a": 1}\nx\ny\nz\n', "d.jsonl")


def test_items_that_are_no_objects_are_set_aside(tmp_path: Path) -> None:
    got = read(tmp_path, '[{"a": 1}, 2, {"a": 3}]', "d.json")
    assert (got.numbers, got.rejects[0]["source_row"], got.rejects[0]["raw"]) == ([1, 3], 2, "2")


def test_a_key_given_twice_is_told(tmp_path: Path) -> None:
    got = read(tmp_path, '[{"a": 1, "a": 2}]', "d.json")
    assert (got.rows, got.repair("duplicate_key").rows) == ([["2"]], (1,))


def test_keys_that_clash_when_flattened_both_stay(tmp_path: Path) -> None:
    assert read(tmp_path, '[{"a.b": 1, "a": {"b": 2}, "A.B": 3}]', "d.json").records == [
        {"a.b": "1", "a.b_2": "2", "A.B_3": "3"}
    ]


def test_half_a_surrogate_pair_is_marked_and_told(tmp_path: Path) -> None:
    got = read(tmp_path, '[{"a": "x\\ud83d"}]', "d.json")
    assert (got.rows, "broken_character" in got.kinds) == ([["x\ufffd"]], True)


def test_a_foreign_byte_in_json_on_one_line_spoils_no_other_character(tmp_path: Path) -> None:
    names = ["Müller", "Höß", "Zoë", "Jürgen", "Łukasz"]
    cells = [f'{{"name": "{name}"}}'.encode("cp1252" if name == "Jürgen" else "utf-8") for name in names]
    got = read(tmp_path, b"[" + b", ".join(cells) + b"]", "d.json")
    assert [row[0] for row in got.rows] == names
    assert (got.table.encoding, got.repair("mixed_encoding").count) == ("utf-8", 1)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_json_in_another_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    content = '[{"name": "Müller", "city": "Köln"}]'.encode(encoding)
    assert read(tmp_path, content, "d.json").rows == [["Müller", "Köln"]]


def test_leftover_scratch_is_removed(tmp_path: Path) -> None:
    read(tmp_path, '{"a": 1}\n{"a": 2}\n'.encode("utf-16"), "d.jsonl")
    assert [path.name for path in (tmp_path / "scratch").iterdir()] == ["primary.parquet"]
