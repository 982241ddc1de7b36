"""What is written straight opens and shows as what XlsxWriter writes."""

import re
from datetime import datetime
from pathlib import Path
from zipfile import ZipFile

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from transformers.reporting import workbook
from transformers.reporting.workbook import HEADER_STYLE, LONGEST_CELL, Sheet, write_workbook

WHEN = datetime(2026, 11, 21, 2, 30)  # noqa: DTZ001 (as Excel has it)
WORDS = (
    "=1+1",
    "<b> & 'co' \"x\"",
    "tab\there",
    "bell\x07",
    "_x0041_ is no A",
    " around ",
    "two\nlines",
    "",
    "Größe 数据",
)
SHEETS = (
    Sheet("Words", ("Item", "A rather long title of a column"), [(word, number) for number, word in enumerate(WORDS)]),
    Sheet("Figures & more", ("Number",), [(1,), (-0.125,), (1e300,), (1 / 3,), (12345678901,), (None,), (True,)]),
    Sheet("Wide", tuple(f"Column {number}" for number in range(30)), [tuple(range(30))]),
    Sheet("Empty", ("Nothing", "here"), []),
)
PARTS = {
    "widths": r'<col [^>]*width="([0-9.]+)"',
    "panes": r"<pane [^>]*>",
    "filters": r"<autoFilter [^>]*>",
    "spaces": r'xml:space="preserve"',
    "headings": r's="1"',
}


def by_xlsxwriter(path: Path) -> None:
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options | {"constant_memory": True}) as book:
        book.set_properties({"title": "A <title>", "created": WHEN})
        header = book.add_format(HEADER_STYLE)
        for sheet in SHEETS:
            page = book.add_worksheet(sheet.name)
            for column, title in enumerate(sheet.titles):
                wide = max([len(title) + 2, 8, *(len(str(row[column] or "")) + 1 for row in sheet.rows)])
                page.set_column(column, column, min(wide, 60))
                page.write_string(0, column, title, header)
            for line, row in enumerate(sheet.rows, start=1):
                for column, cell in enumerate(row):
                    if isinstance(cell, str):
                        page.write_string(line, column, cell)
                    elif cell is not None:
                        page.write_number(line, column, cell)
            page.freeze_panes(1, 0)
            if sheet.rows:
                page.autofilter(0, 0, len(sheet.rows), len(sheet.titles) - 1)


@pytest.fixture
def both(tmp_path: Path) -> tuple[Path, Path]:
    write_workbook(tmp_path / "ours.xlsx", SHEETS, "A <title>", WHEN)
    by_xlsxwriter(tmp_path / "its.xlsx")
    return tmp_path / "ours.xlsx", tmp_path / "its.xlsx"


def test_every_cell_reads_the_same(both: tuple[Path, Path]) -> None:
    ours, its = (CalamineWorkbook.from_path(str(path)) for path in both)
    assert ours.sheet_names == its.sheet_names
    for name in ours.sheet_names:
        assert ours.get_sheet_by_name(name).to_python() == its.get_sheet_by_name(name).to_python()


def test_what_is_common_to_all_workbooks_is_xlsxwriters(both: tuple[Path, Path]) -> None:
    ours, its = (ZipFile(path) for path in both)
    with ours, its:
        assert set(ours.namelist()) == set(its.namelist()) - {"xl/sharedStrings.xml"}
        for name in ("xl/styles.xml", "xl/theme/theme1.xml", "docProps/app.xml", "docProps/core.xml"):
            assert ours.read(name) == its.read(name)


@pytest.mark.parametrize("part", PARTS)
def test_a_sheet_is_laid_out_the_same(both: tuple[Path, Path], part: str) -> None:
    ours, its = (ZipFile(path) for path in both)
    with ours, its:
        for number in range(1, len(SHEETS) + 1):
            name = f"xl/worksheets/sheet{number}.xml"
            found, expected = (re.findall(PARTS[part], book.read(name).decode()) for book in (ours, its))
            if part == "widths":  # of which XlsxWriter writes equal neighbours together
                found, expected = sorted(set(found)), sorted(set(expected))
            assert found == expected


def test_filters_are_known_under_their_hidden_names(both: tuple[Path, Path]) -> None:
    said = []
    for path in both:
        with ZipFile(path) as book:
            names = re.findall(r"<definedName .*?</definedName>", book.read("xl/workbook.xml").decode())
        said.append(sorted(name.replace("'", "").replace("&amp;", "&") for name in names))
    assert said[0] == said[1]
    assert len(said[0]) == 3


def test_a_cell_beyond_excels_limit_is_cut_and_a_number_that_is_none_left_out(tmp_path: Path) -> None:
    write_workbook(tmp_path / "a.xlsx", [Sheet("A", ("x", "y"), [("z" * 40_000, float("nan"))])], "", WHEN)
    rows = CalamineWorkbook.from_path(str(tmp_path / "a.xlsx")).get_sheet_by_name("A").to_python()
    assert rows[1] == ["z" * LONGEST_CELL, ""]


def test_the_shell_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_workbook(tmp_path / "a.xlsx", SHEETS, "", WHEN)
    monkeypatch.delattr(xlsxwriter, "Workbook")
    write_workbook(tmp_path / "b.xlsx", SHEETS, "", WHEN)
    assert workbook._shell.cache_info().hits
