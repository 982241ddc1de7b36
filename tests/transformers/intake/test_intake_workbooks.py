import errno
import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from time import thread_time
from typing import Any

import pyarrow as pa
import pytest
import xlsxwriter
from intake_reading import read, shared

from backend.errors import FileTooLarge, UnreadableFile, UnsupportedFormat
from transformers.intake import workbook_archive
from transformers.intake.workbook_errors import error_cells
from transformers.intake.writing import RowGroupSink


def workbook(**sheets: Sequence[Sequence[Any]]) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"default_date_format": "yyyy-mm-dd hh:mm:ss"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
    return content.getvalue()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (5, "5"),
        (0.1 + 0.2, "0.3"),
        (1.25, "1.25"),
        (1e300, "1e+300"),
        (True, "TRUE"),
        (False, "FALSE"),
        ("007", "007"),
        ("NA", "NA"),
        (date(2024, 1, 2), "2024-01-02"),
        (datetime(2024, 1, 2, 3, 4, 5), "2024-01-02 03:04:05"),  # noqa: DTZ001 (Excel knows no time zones)
        (None, None),
    ],
)
def test_a_cell_is_text_as_a_person_sees_it(tmp_path: Path, value: Any, shown: str | None) -> None:
    content = workbook(S=[["id", "value"], ["x", value]])
    assert read(tmp_path, content, "d.xlsx").rows == [["x", shown]]


def test_times_and_durations_are_text_too() -> None:
    from transformers.intake.workbooks import shown

    assert (shown(time(3, 4, 5)), shown(timedelta(hours=30, minutes=15))) == ("03:04:05", "30:15:00")


def test_an_error_cell_keeps_its_text(tmp_path: Path) -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet("A & B")
        sheet.write_row(2, 1, ["id", "share"])
        sheet.write(3, 1, "x")
        sheet.write_formula(3, 2, "=1/0", None, "#DIV/0!")
    assert read(tmp_path, content.getvalue(), "d.xlsx").rows == [["x", "#DIV/0!"]]


SHEETS = {
    "xl/workbook.xml": b'<sheet name="S" r:id="r1"/>',
    "xl/_rels/workbook.xml.rels": b'<Relationship Id="r1" Target="worksheets/sheet1.xml"/>',
}


def bare_workbook(path: Path, sheet: bytes, way: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", way) as archive:
        for name, part in {**SHEETS, "xl/worksheets/sheet1.xml": sheet}.items():
            archive.writestr(name, part)
    return path


def test_an_error_is_that_of_its_own_cell(tmp_path: Path) -> None:
    sheet = b'<c r="A1" t="e"/><c r="B1"><v>5</v></c><c r="C1" s="1" t="e"><f>1/0</f><v>#DIV/0!</v></c>'
    assert error_cells(bare_workbook(tmp_path / "t.xlsx", sheet), "S") == {(0, 2): "#DIV/0!"}


def test_an_archive_within_an_old_workbook_is_not_opened(tmp_path: Path) -> None:
    """Nobody has checked it for a bomb; Excel itself puts one there, the theme, which may be damaged."""
    path = bare_workbook(tmp_path / "t.xlsx", b'<c r="A1" t="e"><v>#N/A</v></c>')
    assert error_cells(path, "S")
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + path.read_bytes())
    assert zipfile.is_zipfile(path)
    assert error_cells(path, "S") == {}


@pytest.mark.parametrize("piece", [b'<c r="A1" t="e">', b'<c r="A1" t="e"><v>', b'<c r="A1" t="e"/>', b'r="A1" t="e" '])
def test_cells_that_never_end_cost_no_more_than_others(tmp_path: Path, piece: bytes) -> None:
    path = bare_workbook(tmp_path / "t.xlsx", b"<c " + piece * (4 * 2**20 // len(piece)) + b"</c>")
    began = thread_time()
    assert error_cells(path, "S") == {}
    assert thread_time() - began < 1.5


def test_a_workbook_that_excel_would_not_pack_so_is_refused(tmp_path: Path) -> None:
    path = bare_workbook(tmp_path / "t.xlsx", b'<c r="A1"><v>1</v></c>', zipfile.ZIP_BZIP2)
    with pytest.raises(UnreadableFile, match="damaged"):
        workbook_archive.check_archive(path)


def test_the_largest_sheet_is_read_and_the_others_are_named(tmp_path: Path) -> None:
    got = read(tmp_path, workbook(Notes=[["see below"]], Data=[["id", "name"], [1, "Ann"]], Empty=[]), "d.xlsx")
    assert (got.table.sheet, got.rows) == ("Data", [["1", "Ann"]])
    assert "“Notes”" in got.repair("sheets_ignored").message


def test_empty_rows_and_titles_around_the_table_are_left_out(tmp_path: Path) -> None:
    rows: list[list[Any]] = [[], ["Sales 2024"], [], ["id", "name"], [1, "Ann"], [], [2, "Bob"], []]
    got = read(tmp_path, workbook(S=rows), "d.xlsx")
    assert (got.table.columns, got.rows, got.numbers) == (("id", "name"), [["1", "Ann"], ["2", "Bob"]], [1, 2])


def test_a_workbook_named_csv_is_read_as_what_it_is(tmp_path: Path) -> None:
    assert read(tmp_path, workbook(S=[["id", "x"], [1, 2]]), "data.csv").table.format == "xlsx"
    with pytest.raises(UnsupportedFormat, match="XLSX"):
        read(tmp_path, workbook(S=[["id", "x"], [1, 2]]), "data.csv", accepted=("csv",))


@pytest.mark.parametrize(
    ("sheets", "sentence"),
    [({"S": []}, "empty"), ({"S": [["id", "name"]]}, "header but no rows"), ({"S": [[" "]]}, "header but no rows")],
)
def test_a_workbook_without_rows_is_refused(tmp_path: Path, sheets: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UnreadableFile, match=sentence):
        read(tmp_path, workbook(**sheets), "d.xlsx")


def bomb(size: int) -> bytes:
    """A workbook whose sheet is one run of spaces."""
    content = io.BytesIO(workbook(S=[["id", "x"], [1, 2]]))
    with (
        zipfile.ZipFile(content, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet2.xml", "w") as part,
    ):
        for _ in range(size // 2**20):
            part.write(b" " * 2**20)
    return content.getvalue()


def test_a_zip_bomb_in_a_workbook_is_refused_before_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bomb(120 * 2**20)
    assert len(content) < 2**20
    monkeypatch.setattr(workbook_archive, "_check_part", None)  # nothing may be unpacked
    with pytest.raises(FileTooLarge, match=r"unpacks from 0\.1 MiB to 120 MiB"):
        read(tmp_path, content, "d.xlsx")


def test_a_zip_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    content = bytearray(bomb(10 * 2**20))
    declared = (10 * 2**20).to_bytes(4, "little")
    while (at := content.find(declared)) >= 0:
        content[at : at + 4] = (1000).to_bytes(4, "little")
    with pytest.raises(UnreadableFile, match="damaged"):
        read(tmp_path, bytes(content), "d.xlsx")


def test_one_cell_at_the_far_end_of_a_sheet_is_refused(tmp_path: Path) -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", "x"])
        sheet.write(1_048_575, 16_383, "far away")
    with pytest.raises(FileTooLarge, match="row 1,048,576 and column 16,384"):
        read(tmp_path, content.getvalue(), "d.xlsx")


def test_a_truncated_workbook_is_refused(tmp_path: Path) -> None:
    content = workbook(S=[["id", "x"], [1, 2]])
    with pytest.raises(UnreadableFile, match="damaged"):
        read(tmp_path, content[: len(content) // 2], "d.xlsx")


@pytest.mark.parametrize("flipped", range(600, 3000, 300))
def test_a_damaged_old_workbook_never_ends_in_an_internal_error(tmp_path: Path, flipped: int) -> None:
    content = bytearray((shared("csv-messytables-horror") / "simple.xls").read_bytes())
    content[flipped : flipped + 200] = b"\xff" * 200
    try:
        read(tmp_path, bytes(content), "d.xls")
    except (UnreadableFile, UnsupportedFormat) as error:
        assert "calamine" not in str(error)  # noqa: PT017 (being read is right too)


def test_a_workbook_with_a_password_says_so(tmp_path: Path) -> None:
    path = shared("csv-messytables-horror") / "encrypted_no_password.xls"
    with pytest.raises(UnreadableFile, match="password"):
        read(tmp_path, path, "d.xls")


@pytest.mark.parametrize("part", ["word/document.xml", "content.xml", "xl/workbook.bin", "readme.txt"])
def test_another_kind_of_zip_is_refused_by_its_name(tmp_path: Path, part: str) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(part, "x")
    with pytest.raises(UnsupportedFormat, match="looks like"):
        read(tmp_path, content.getvalue(), "d.xlsx")


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), pa.ArrowMemoryError("malloc")])
def test_a_full_disk_or_memory_is_not_blamed_on_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(RowGroupSink, "_flush", fail)
    with pytest.raises(type(failure)):
        read(tmp_path, workbook(s=[["a", "b"], [1, 2]]), "d.xlsx")
