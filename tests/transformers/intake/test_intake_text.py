import csv
import io
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from intake_reading import read

from backend.errors import FileTooLarge, UnreadableFile
from transformers.intake.arrow_csv import TextTable, read_clean
from transformers.intake.dialects import Dialect, sniff_dialect
from transformers.intake.encodings import as_utf8
from transformers.intake.reading import SourceFile


def test_cells_stay_the_strings_they_are_in_the_file(tmp_path: Path) -> None:
    got = read(tmp_path, "id,code,note\n007,NA,\n1.10,null,  x \n")
    assert got.rows == [["007", "NA", ""], ["1.10", "null", "  x "]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "%", ":"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    content = "\n".join(delimiter.join(row) for row in (["id", "name", "sum"], ["1", "Ann", "3"], ["2", "Bob", "4"]))
    got = read(tmp_path, content)
    assert got.table.delimiter == delimiter
    assert got.rows == [["1", "Ann", "3"], ["2", "Bob", "4"]]


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("name;price\nlamp;1,50\ntable;20,00\nchair;7,25\n", ";"),
        ("when,what\n2024-01-01 10:00:00,a\n2024-01-02 11:30:00,b\n", ","),
        ("name\tremark\na\tone, two\nb\tthree, four\n", "\t"),
        ("text\nOne, two and three.\nFour.\nFive, six, seven, eight.\n", None),
        ("city\nNew York\nLos Angeles\nSan Jose\n", None),
        ("time\n2024-01-01 10:00:00\n2024-01-01 11:00:00\n", None),
    ],
)
def test_characters_inside_cells_are_not_taken_for_the_delimiter(
    tmp_path: Path, content: str, delimiter: str | None
) -> None:
    assert read(tmp_path, content).table.delimiter == delimiter


@pytest.mark.parametrize(
    ("content", "cells"),
    [
        ('a,b\n1,"x\ny"\n', ["1", "x\ny"]),
        ('a,b\r\n1,"x\r\ny"\r\n', ["1", "x\r\ny"]),
        ('a,b\n1,"say ""hi"""\n', ["1", 'say "hi"']),
        ('a,b\n1,"say \\"hi\\", ok"\n', ["1", 'say "hi", ok']),
        ('a,b\n1,"C:\\temp, D:\\"\n', ["1", "C:\\temp, D:\\"]),
        ('a, b\n1, "x, y"\n', ["1", "x, y"]),
        ("a,b\n1,'x, y'\n", ["1", "x, y"]),
        ("a,b\n1,37°36'37.8\"N\n", ["1", "37°36'37.8\"N"]),
        ("a,b\r1,x\r", ["1", "x"]),
        ('a,b\n1,"x"y\n', ["1", "xy"]),
    ],
)
def test_quotes_escapes_and_line_ends_are_understood(tmp_path: Path, content: str, cells: list[str]) -> None:
    assert read(tmp_path, content).rows == [cells]


def test_a_quote_that_never_closes_swallows_no_rows(tmp_path: Path) -> None:
    body = [f"{i},plain" for i in range(1, 30)]
    body[9] = '10,"5 inch'
    got = read(tmp_path, "id,size\n" + "\n".join(body) + "\n")
    assert len(got.rows) == 29
    assert got.rows[9] == ["10", '"5 inch']
    assert got.repair("broken_quote").rows == (10,)


def test_two_stray_quotes_do_not_merge_the_rows_between_them(tmp_path: Path) -> None:
    got = read(tmp_path, 'size,what\n"5 inch,bolt\n"6 inch,nut\n7 inch,screw\n')
    assert got.rows == [['"5 inch', "bolt"], ['"6 inch', "nut"], ["7 inch", "screw"]]


def test_a_short_row_has_nulls_only_where_cells_are_missing(tmp_path: Path) -> None:
    got = read(tmp_path, "a,b,c\n1,,3\n4\n5,6,\n")
    assert got.rows == [["1", "", "3"], ["4", None, None], ["5", "6", ""]]
    assert got.repair("ragged_short").rows == (2,)


def test_empty_extra_cells_are_trimmed_and_told(tmp_path: Path) -> None:
    got = read(tmp_path, "a,b\n1,2\n3,4,,\n5,6\n")
    assert got.rows == [["1", "2"], ["3", "4"], ["5", "6"]]
    assert got.repair("ragged_long").rows == (2,)


@pytest.mark.parametrize("delimiter", ["||", "::", ";;", "~|~", "\t\t"])
def test_a_delimiter_may_have_several_characters(tmp_path: Path, delimiter: str) -> None:
    rows = [["id", "name", "what"], ["1", "Ann", "a|b"], ["2", "", "c"], ["3", "Bob", "d, e"]]
    got = read(tmp_path, "\n".join(delimiter.join(row) for row in rows))
    assert (got.table.delimiter, got.table.columns, got.rows) == (delimiter, ("id", "name", "what"), rows[1:])


def test_an_escape_leaves_other_backslashes_alone(tmp_path: Path) -> None:
    got = read(tmp_path, "a,b\n1,x\\, y\n2,\\N\n3,p\\, q\n")
    assert got.rows == [["1", "x, y"], ["2", "\\N"], ["3", "p, q"]]


def test_a_row_with_another_delimiter_is_read_by_it_and_told(tmp_path: Path) -> None:
    got = read(tmp_path, "id,name,sum\n1,Ann,3\n2;Bob;4\n3,Cleo,5\n")
    assert got.rows == [["1", "Ann", "3"], ["2", "Bob", "4"], ["3", "Cleo", "5"]]
    assert got.repair("foreign_delimiter").rows == (2,)


def test_lines_below_the_table_are_set_aside(tmp_path: Path) -> None:
    got = read(tmp_path, "id,name,sum\n1,Ann,3\n2,Bob,4\n\nSource: the office\n")
    assert len(got.rows) == 2
    assert [row["raw"] for row in got.rejects] == ["Source: the office"]
    assert got.repair("below_table").rows == (3,)


def test_a_header_within_the_data_is_set_aside(tmp_path: Path) -> None:
    got = read(tmp_path, "id,name\n1,Ann\nid,name\n2,Bob\n")
    assert got.rows == [["1", "Ann"], ["2", "Bob"]]
    assert got.repair("repeated_header").rows == (2,)


@pytest.mark.parametrize(
    ("heads", "columns"),
    [
        ("item,weight,price\n,kg,EUR\n", ("item", "weight kg", "price EUR")),
        ("item,2020,,2021,\n,sold,left,sold,left\n", ("item", "2020 sold", "2020 left", "2021 sold", "2021 left")),
    ],
)
def test_a_header_may_have_several_rows(tmp_path: Path, heads: str, columns: tuple[str, ...]) -> None:
    got = read(tmp_path, heads + "".join(f"x{n}" + f",{n}.5" * (len(columns) - 1) + "\n" for n in range(1, 6)))
    assert (got.table.columns, len(got.rows)) == (columns, 5)
    assert got.repair("multi_row_header").count == 2


def test_a_first_row_without_figures_is_no_second_header(tmp_path: Path) -> None:
    got = read(tmp_path, "item,weight,price\na,N/A,-\nb,2,3\nc,4,5\n")
    assert got.table.columns == ("item", "weight", "price")


def test_a_row_with_too_many_cells_is_set_aside_with_its_reason(tmp_path: Path) -> None:
    got = read(tmp_path, "a,b\n1,2\n3,4,surplus\n5,6\n")
    assert got.numbers == [1, 3]
    assert got.table.rejected_rows == 1
    (rejected,) = got.rejects
    assert (rejected["source_row"], rejected["raw"]) == (2, "3,4,surplus")
    assert "3 cells" in rejected["reason"]


def test_a_file_most_of_whose_rows_do_not_fit_is_not_read(tmp_path: Path) -> None:
    rows = "1,2,3\n" * 40 + "".join("1,2,3" + ",4" * (1 + i % 6) + "\n" for i in range(60))
    with pytest.raises(UnreadableFile, match="60 of 100 rows do not fit"):
        read(tmp_path, "a,b,c\n" + rows)
    assert not list((tmp_path / "scratch").iterdir())


def test_nobody_is_told_of_repairs_in_a_clean_file(tmp_path: Path) -> None:
    table = read(tmp_path, "a,b\n1,2\n").table
    assert (table.repairs, table.rejected_rows, table.rejects_path) == ((), 0, None)


def test_a_word_over_all_figures_is_a_row_and_no_second_header(tmp_path: Path) -> None:
    got = read(tmp_path, "name,age,height,weight\nAnn,withheld,withheld,withheld\nP1,21,170,60\nP2,22,171,61\n")
    assert got.table.columns == ("name", "age", "height", "weight")
    assert got.rows[0] == ["Ann", "withheld", "withheld", "withheld"]
    units = read(tmp_path, "name,height,width\n,cm,cm\nP1,21,170\nP2,22,171\n")
    assert units.table.columns == ("name", "height cm", "width cm")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n"])
def test_blank_lines_of_a_list_are_empty_cells_unless_they_end_it(tmp_path: Path, end: str) -> None:
    got = read(tmp_path, end.join(["", "city", "Rome", "Oslo", "", "Bern", "", "Wien", "", "", ""]))
    assert got.rows == [["Rome"], ["Oslo"], [""], ["Bern"], [""], ["Wien"]]
    assert got.numbers == [1, 2, 3, 4, 5, 6]


def test_blank_lines_are_no_rows_and_rows_of_empty_cells_are(tmp_path: Path) -> None:
    got = read(tmp_path, "a,b\n\n1,2\n   \n,\n3,4\n\n")
    assert got.rows == [["1", "2"], ["", ""], ["3", "4"]]
    assert got.numbers == [1, 2, 3]


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16-le"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32-le"),
        ("cp1252", "cp1252"),
        ("mac_roman", "mac_roman"),
    ],
)
def test_every_common_encoding_gives_the_same_cells(tmp_path: Path, encoding: str, told: str) -> None:
    rows = [["größe", "café"], ["naïve", "Ångström"]]
    content = "\n".join(",".join(row) for row in [["one", "two"], *rows])
    got = read(tmp_path, content.encode(encoding))
    assert (got.table.columns, got.rows, got.table.encoding) == (("one", "two"), rows, told)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "Привет как дела сегодня очень хорошая погода в городе Москве и мы идём гулять по парку"),
        ("big5", "雲嘉南濱海國家風景區管理處是台灣的一個國家級風景區位於台灣西南部沿海地區包括雲林嘉義台南三縣市"),
    ],
)
def test_another_alphabet_is_recognised(tmp_path: Path, encoding: str, text: str) -> None:
    content = "id,text\n" + "".join(f"{i},{text}\n" for i in range(5))
    assert read(tmp_path, content.encode(encoding)).rows[0][1] == text


def test_foreign_bytes_in_a_utf8_file_are_read_and_their_rows_named(tmp_path: Path) -> None:
    lines = [b"a,b", "Müller,1".encode(), "Höß,2".encode(), "Jürgen,3".encode("cp1252"), "Zoë,4".encode()]
    got = read(tmp_path, b"\n".join(lines))
    assert [row[0] for row in got.rows] == ["Müller", "Höß", "Jürgen", "Zoë"]
    assert got.repair("mixed_encoding").rows == (3,)


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_a_foreign_byte_spoils_no_other_row_whatever_ends_the_rows(tmp_path: Path, end: bytes) -> None:
    names = ["Müller", "Höß", "Zoë", "Jürgen", "Łukasz"]
    lines = [b"name,id", *(f"{name},{i}".encode() for i, name in enumerate(names))]
    lines[4] = "Jürgen,3".encode("cp1252")
    got = read(tmp_path, end.join(lines) + end)
    assert [row[0] for row in got.rows] == names
    assert (got.table.encoding, got.repair("mixed_encoding").rows) == ("utf-8", (4,))


def test_nul_characters_are_removed_and_their_rows_named(tmp_path: Path) -> None:
    got = read(tmp_path, b"first name,second name\nsome text,more text\nso\0me text,more text\n")
    assert got.rows == [["some text", "more text"], ["some text", "more text"]]
    assert got.repair("nul_removed").rows == (2,)


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("id,name,id,name", ("id", "name", "id_2", "name_2")),
        ("id,Name,NAME,x", ("id", "Name", "NAME_2", "x")),
        ("id,,x,", ("id", "column_2", "x", "column_4")),
        ("a,a,a_2,x", ("a", "a_3", "a_2", "x")),
        ("__source_row__,b,c,d", ("__source_row___2", "b", "c", "d")),
        (" id , b,c,d", ("id", "b", "c", "d")),
    ],
)
def test_column_names_become_unique_and_the_change_is_told(
    tmp_path: Path, header: str, columns: tuple[str, ...]
) -> None:
    got = read(tmp_path, f"{header}\n1,2,3,4\n5,6,7,8\n")
    assert got.table.columns == columns
    assert got.repair("renamed_column").count == sum(a != b for a, b in zip(header.split(","), columns, strict=True))


@pytest.mark.parametrize(
    ("content", "has_header"),
    [
        ("id,name\n1,Ann\n2,Bob\n", True),
        ("1,Ann\n2,Bob\n3,Cleo\n", False),
        ("name,city\nAnn,Rome\nBob,Oslo\n", True),
        ("item,2020,2021,2022\nbolts,4,5,6\nnuts,7,8,9\n", True),
        ("name,2020\nbolts,4\nnuts,7\n", True),
        ("0,1\nAnn,Rome\nBob,Oslo\n", True),
        ("city,a,b,c,d\nRome,p,q,r,s\ncity,t,u,v,w\n", True),
        ("1,2,3\n4,5,6\n", False),
        ("Ann,2020\nBob,2021\n", False),
        ("red\nred\nblue\nred\n", False),
        ("2024-01-01,12.5\n2024-01-02,13.0\n", False),
        ("ann@example.com,Ann\nbob@example.com,Bob\n", False),
    ],
)
def test_a_missing_header_is_noticed(tmp_path: Path, content: str, has_header: bool) -> None:
    got = read(tmp_path, content)
    assert ("no_header" in got.kinds) is not has_header
    assert len(got.rows) == content.count("\n") - has_header
    if not has_header:
        assert got.table.columns[0] == "column_1"


@pytest.mark.parametrize(
    "preamble",
    ["Sales report\n\n", "Sales report,,,\n,,,\n", "# made by hand\n# 2024\n", "Report:,Sales\nDate:,2024-01-01\n"],
)
def test_lines_above_the_table_are_skipped_and_told(tmp_path: Path, preamble: str) -> None:
    got = read(tmp_path, preamble + "id,name,city,sum\n1,Ann,Rome,2.5\n2,Bob,Oslo,3.5\n3,Cleo,Bern,1\n")
    assert got.table.columns == ("id", "name", "city", "sum")
    assert re.findall(r"\w+", preamble)[0] in got.repair("preamble_skipped").message
    assert got.numbers == [1, 2, 3]


def test_a_header_one_short_leaves_the_row_names_without_a_name(tmp_path: Path) -> None:
    got = read(tmp_path, "mpg,cyl\nMazda,21,6\nDatsun,22,4\nHornet,21,6\n")
    assert got.table.columns == ("column_1", "mpg", "cyl")
    assert got.table.rejected_rows == 0


def test_rows_wider_than_the_header_widen_the_table(tmp_path: Path) -> None:
    got = read(tmp_path, "make,mpg,cyl\nMazda,21,6,a,p\nMazda,22,4,b,q\nHornet,21,6,c,r\n")
    assert got.table.columns == ("make", "mpg", "cyl", "column_4", "column_5")


def test_delimiters_behind_every_row_make_no_column(tmp_path: Path) -> None:
    got = read(tmp_path, "a,b\n1,2,\n3,4,\n5,6,\n")
    assert (got.table.columns, got.rows[0]) == (("a", "b"), ["1", "2"])


def test_two_thousand_columns_are_read(tmp_path: Path) -> None:
    header = ",".join(f"c{i}" for i in range(2_000))
    got = read(tmp_path, f"{header}\n" + (",".join(["7"] * 2_000) + "\n") * 3)
    assert (len(got.table.columns), got.table.rows) == (2_000, 3)


def test_more_columns_than_the_agents_get_through_are_refused(tmp_path: Path) -> None:
    header = ",".join(f"c{i}" for i in range(10_000))
    with pytest.raises(FileTooLarge, match="10,000 columns"):
        read(tmp_path, f"{header}\n" + ",".join(["7"] * 10_000))


@pytest.mark.parametrize("field", ["x" * (17 * 2**20), '"' + "x\n" * (9 * 2**20)], ids=["one line", "an open quote"])
def test_a_huge_field_is_refused_with_its_row(tmp_path: Path, field: str) -> None:
    before = csv.field_size_limit()
    with pytest.raises(UnreadableFile, match="Row 2 is longer than 16 MiB"):
        read(tmp_path, f"a,b,c\n1,2,3\n4,{field}\n")
    assert csv.field_size_limit() == before


def test_a_field_of_a_megabyte_is_kept(tmp_path: Path) -> None:
    assert len(read(tmp_path, "a,b\n1," + "x" * 2**20 + "\n").rows[0][1]) == 2**20


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b" \n\r\n\t\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\xff\xfe", "empty"),
        (b"id,name\n", "header but no rows"),
        (b"id\n", "header but no rows"),
    ],
)
def test_a_file_without_rows_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableFile, match=sentence):
        read(tmp_path, content)


CELL = st.text(alphabet='ab"\n\r, ;é', max_size=6)


@settings(max_examples=250, deadline=None)
@given(st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=1, max_size=5), st.booleans(), st.booleans())
@example([["a", 'b"'], ["", ""]], True, True)
def test_the_fast_way_gives_the_cells_of_the_csv_module_or_declines(
    rows: list[list[str]], well_written: bool, unix: bool
) -> None:
    content = io.StringIO(newline="")
    ends = "\n" if unix else "\r\n"
    if well_written:
        csv.writer(content, lineterminator=ends).writerows(rows)
    else:
        content.write(ends.join(",".join(row) for row in rows))
    with tempfile.TemporaryDirectory() as folder:
        fast = _fast_rows(Path(folder), content.getvalue())
    if fast is not None:
        careful = csv.reader(io.StringIO(content.getvalue(), newline=""), strict=True)
        assert fast == [row for row in careful if row]


def _fast_rows(folder: Path, content: str) -> list[list[str]] | None:
    import pyarrow.parquet as pq

    path = folder / "upload"
    path.write_text(content, encoding="utf-8", newline="")
    file = SourceFile(path, "data.csv", "primary", folder)
    if read_clean(file, TextTable(as_utf8(file), Dialect(","), 0, ("x", "y"))) is None:
        return None
    return [list(row.values())[:2] for row in pq.read_table(file.table_path).to_pylist()]


def test_a_well_written_file_goes_the_fast_way(tmp_path: Path) -> None:
    assert _fast_rows(tmp_path, 'a,"b ""c"""\r\n"d\ne",\r\n') == [["a", 'b "c"'], ["d\ne", ""]]


@pytest.mark.parametrize("content", ['"a"b,c\n', 'a"b,c\n', '"5 inch,a\n"6 inch,b\n', "a,b,c\n", "a\n", '"a,b\n'])
def test_the_fast_way_declines_what_it_might_misread(tmp_path: Path, content: str) -> None:
    assert _fast_rows(tmp_path, content) is None


def test_a_backslash_is_an_escape_only_where_the_text_needs_it() -> None:
    assert sniff_dialect('a,b\n"x\\"y, z",1\n"p",2\n').escape == "\\"
    assert sniff_dialect('a,b\n"{""k"": ""v\\""w""}",1\n"C:\\",2\n').escape is None


def test_many_rows_are_numbered_without_gaps_across_row_groups(tmp_path: Path) -> None:
    got = read(tmp_path, "a,b\n" + "1,2\n" * 130_000)
    assert got.numbers == list(range(1, 130_001))


def test_no_name_of_a_library_or_a_path_reaches_the_customer(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile) as caught:
        read(tmp_path, b"PK\x03\x04 not really a zip", "data.xlsx")
    assert not re.search(r"/|zipfile|calamine|Traceback", str(caught.value))
    assert caught.value.context["file"] == "data.xlsx"
