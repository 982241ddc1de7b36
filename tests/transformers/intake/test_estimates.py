import io
import json
import random
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from transformers.intake.estimates import LOOK, Rows, rows_in
from transformers.intake.parquet_footer import rows_of

CHANCE = random.Random(11)
QUICK = 1.5  # CPU seconds; the slowest here takes half a second


def estimate(text: str | bytes, file_format: str = "csv") -> Rows | None:
    return rows_in(io.BytesIO(text.encode() if isinstance(text, str) else text), file_format)


def archive_of(count: int) -> bytes:
    """A workbook, and so many empty files beside it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("xl/workbook.xml", "")
        archive.writestr("xl/worksheets/sheet1.xml", '<dimension ref="A1:B9"/>')
        for number in range(count):
            archive.writestr(zipfile.ZipInfo(f"{number:080}"), b"")
    return content.getvalue()


def assert_near(found: Rows | None, rows: int, within: float = 0.05) -> None:
    assert found is not None
    assert not found.exact
    assert abs(found.estimate - rows) <= within * rows, found


def test_a_small_file_is_counted() -> None:
    assert estimate("a,b\n1,2\n3,4\n") == Rows(2)
    assert estimate("a,b\n1,2\n3,4") == Rows(2)
    assert estimate("a,b\n") == Rows(0)
    assert estimate("a;b\r\n1;2\r\n") == Rows(1)
    assert estimate("a,b\r1,2\r3,4\r") == Rows(2)


def test_line_ends_in_quotes_end_no_row() -> None:
    assert estimate('a,b\n1,"x\ny\nz"\n2,"w"\n') == Rows(2)
    rows = ["a,b", *(f'{number},"one\ntwo, three\n"' for number in range(60_000))]
    assert_near(estimate("\n".join(rows)), 60_000)


def test_lines_above_the_table_and_blank_ones_are_no_rows() -> None:
    assert estimate("Report of May\n\nid,name,city\n1,Ada,Rome\n2,Bob,Oslo\n3,Cid,Bern\n") == Rows(3)


def test_rows_of_a_large_file_are_told_from_a_few_looks() -> None:
    lines = [f"{number},{'x' * CHANCE.randrange(40)},{CHANCE.random()}" for number in range(200_000)]
    assert_near(estimate("id,name,value\n" + "\n".join(lines)), 200_000, 0.02)


def test_a_file_whose_lines_grow_is_looked_into_further_on() -> None:
    lines = [f"{number},{'x' * (number // 2_000)}" for number in range(100_000)]
    assert_near(estimate("id,name\n" + "\n".join(lines)), 100_000, 0.15)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1"])
def test_any_encoding_is_counted(encoding: str) -> None:
    text = "id,größe\n" + "".join(f"{number},süß {number % 7}\n" for number in range(50_000))
    assert_near(estimate(text.encode(encoding)), 50_000, 0.03)


def test_json_lines_are_records_and_blank_ones_are_not() -> None:
    assert estimate('{"a": 1}\n\n{"a": 2}\n', "jsonl") == Rows(2)
    assert_near(
        estimate("".join(json.dumps({"a": n, "b": "x" * (n % 50)}) + "\n" for n in range(50_000)), "jsonl"), 50_000
    )


def test_a_json_list_is_counted_by_its_values() -> None:
    values = [{"a": number, "b": [number, {"c": "]"}]} for number in range(30_000)]
    assert estimate(json.dumps(values[:100]), "json") == Rows(100)
    assert_near(estimate(json.dumps(values), "json"), 30_000)
    assert_near(estimate(json.dumps(values, indent=2), "json"), 30_000)


def test_what_only_reading_tells_is_not_guessed() -> None:
    assert estimate('{"data": [1, 2]}', "json") is None
    assert estimate(b"anything", "xls") is None
    assert estimate(b"no archive", "xlsx") is None


def test_nothing_and_nonsense_are_survived() -> None:
    assert estimate("") is None
    assert estimate("[", "json") is None
    assert estimate(CHANCE.randbytes(LOOK + 1000)) is not None
    estimate("x" * (LOOK * 2))


def test_a_workbook_says_how_far_its_largest_sheet_goes(tmp_path: Path) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(tmp_path / "t.xlsx") as workbook:
        for last in (3, 250):
            workbook.add_worksheet().write_column("A1", list(range(last + 1)))
    assert estimate((tmp_path / "t.xlsx").read_bytes(), "xlsx") == Rows(250)


@pytest.mark.parametrize("columns", [1, 40, 1500])
@pytest.mark.parametrize("version", ["1.0", "2.6"])
def test_a_parquet_file_says_its_rows_exactly(tmp_path: Path, columns: int, version: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [f"column with a long name {number}" for number in range(columns)]
    table = pa.table({name: pa.array(range(1234)) for name in names})
    pq.write_table(table, tmp_path / "t.parquet", version=version, row_group_size=100)
    assert estimate((tmp_path / "t.parquet").read_bytes(), "parquet") == Rows(1234, exact=True)


def test_nested_columns_do_not_hide_the_rows(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{"a": [1, 2], "b": {"c": "x", "d": [{"e": 1.5}]}, "f": None}] * 77
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    with (tmp_path / "t.parquet").open("rb") as file:
        assert rows_of(file) == 77


def test_a_footer_that_is_none_is_not_understood(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "t.parquet")
    whole = (tmp_path / "t.parquet").read_bytes()
    for length in (0, 4, 8, 16, 40):
        rows_of(io.BytesIO(whole[:length]))
    for _ in range(300):
        broken = bytearray(whole)
        for _ in range(4):
            broken[CHANCE.randrange(len(whole) // 3, len(whole))] = CHANCE.randrange(256)
        rows_of(io.BytesIO(bytes(broken)))
    assert rows_of(io.BytesIO(b"PAR1" + bytes(20) + (99).to_bytes(4, "little") + b"PAR1")) is None


@pytest.mark.parametrize(
    "text",
    [
        "a" + "\t" * LOOK,
        "a" + " " * LOOK,
        "a" + "\r" * LOOK,
        "a,b\n" + "\n" * LOOK,
        "\n" * 300_000,
        "a" + "\t " * (LOOK // 2),
        "a" + "\t\x0b\xa0" * (LOOK // 4),
        "\t'" * (LOOK // 2),
        "'a'" + " " * LOOK + "x",
        ",'a' " * (LOOK // 5),
        "a," * (LOOK // 4) + "\n" + "1,2\n" * (LOOK // 8),
    ],
    ids=[
        "tabs", "blanks", "returns", "empty lines", "nothing but lines", "tabs and blanks", "odd blanks", "open quotes",
        "blanks behind a quote", "cells in quotes", "one wide row",
    ],
)  # fmt: skip
def test_blanks_borders_and_quotes_cost_no_more_than_other_text(text: str) -> None:
    began = time.thread_time()
    estimate(text)
    assert time.thread_time() - began < QUICK


@pytest.mark.parametrize(
    "body",
    [
        b"\x15" + b"\xff" * 2**20,  # one number without an end
        b"\x19\xf3\xff\xff\x7f" + bytes(2**20),  # a list of two hundred million bytes
        b"\x19\xfc\xff\xff\x7f" + bytes(2**20),  # and of empty structures
    ],
    ids=["number", "list", "structures"],
)
def test_a_footer_that_never_comes_to_its_rows_is_given_up_soon(body: bytes) -> None:
    began = time.thread_time()
    assert rows_of(io.BytesIO(b"PAR1" + body + len(body).to_bytes(4, "little") + b"PAR1")) is None
    assert time.thread_time() - began < QUICK


def test_a_sheet_that_excel_would_not_pack_so_is_not_unpacked() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b'<dimension ref="A1:B9"/>')
    assert estimate(content.getvalue(), "xlsx") is None


def test_an_archive_of_countless_files_is_not_opened() -> None:
    assert estimate(archive_of(9_000), "xlsx") is None
