"""A workbook of plain sheets, written straight: a heading, rows of text and numbers, a filter. No cell computes.

XlsxWriter makes the shell, once a process for the same sheets: styles, theme, what refers to what. The sheets of a
small report are a few strings then: a fifth of the CPU that XlsxWriter takes for the whole.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from html import escape
from io import BytesIO
from pathlib import Path
from string import ascii_uppercase
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

LONGEST_CELL = 32_767  # characters, Excel's own limit, as that of rows
MOST_ROWS = 1_048_576
WIDTHS = (8, 60)
HEADER_STYLE = {"bold": True, "bg_color": "#E8EEF1", "bottom": 1}

Cell = str | float | int | None

_TITLE, _CREATED = "THE TITLE", datetime(2000, 1, 1)  # noqa: DTZ001 (Excel's times have no zone); in the shell only
_UNFIT = re.compile("[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_SHEET = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    '<dimension ref="{area}"/><sheetViews><sheetView {selected}workbookViewId="0"><pane ySplit="1" topLeftCell="A2"'
    ' activePane="bottomLeft" state="frozen"/><selection pane="bottomLeft"/></sheetView></sheetViews>'
    '<sheetFormatPr defaultRowHeight="15"/><cols>{columns}</cols><sheetData>{rows}</sheetData>{filter}'
    '<pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/></worksheet>'
)


@dataclass(frozen=True, slots=True)
class Sheet:
    name: str
    titles: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    @property
    def end(self) -> tuple[str, int]:
        """The last column and row, which is the heading where there is nothing else."""
        return _letters(len(self.titles) - 1), min(len(self.rows) + 1, MOST_ROWS)


@dataclass(frozen=True, slots=True)
class _Shell:
    """`archive` is whole but for the parts beside it, which differ from workbook to workbook."""

    archive: bytes
    book: str
    properties: str


def write_workbook(path: Path, sheets: Sequence[Sheet], title: str, created: datetime) -> None:
    """The same sheets, title and time give the same bytes."""
    shell = _shell(tuple(sheet.name for sheet in sheets))
    file = BytesIO()
    file.write(shell.archive)
    with ZipFile(file, "a", ZIP_DEFLATED) as archive:
        _put(archive, "docProps/core.xml", _properties(shell, title, created))
        _put(archive, "xl/workbook.xml", shell.book.replace("<calcPr", f"{_filters(sheets)}<calcPr"))
        for number, sheet in enumerate(sheets, start=1):
            _put(archive, f"xl/worksheets/sheet{number}.xml", _sheet(sheet, first=number == 1))
    path.write_bytes(file.getbuffer())


def _put(archive: ZipFile, name: str, words: str) -> None:
    archive.writestr(ZipInfo(name), words.encode(), ZIP_DEFLATED)  # without the time of day


@cache
def _shell(names: tuple[str, ...]) -> _Shell:
    import xlsxwriter

    file = BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as workbook:
        workbook.set_properties({"title": _TITLE, "created": _CREATED})
        header = workbook.add_format(HEADER_STYLE)
        for name in names:
            workbook.add_worksheet(name).write_blank(0, 0, None, header)  # what is not used has no style
    kept = BytesIO()
    with ZipFile(file) as archive, ZipFile(kept, "w", ZIP_DEFLATED) as shell:
        parts = {name: archive.read(name).decode() for name in archive.namelist() if "/sheet" not in name}
        book, properties = parts.pop("xl/workbook.xml"), parts.pop("docProps/core.xml")
        for name, words in parts.items():
            _put(shell, name, words)
    return _Shell(kept.getvalue(), book, properties)


def _properties(shell: _Shell, title: str, created: datetime) -> str:
    there = shell.properties.replace(f"{_CREATED:%Y-%m-%dT%H:%M:%SZ}", f"{created:%Y-%m-%dT%H:%M:%SZ}")
    return there.replace(_TITLE, _text(title))


def _filters(sheets: Sequence[Sheet]) -> str:
    """Excel keeps a filter's area under a hidden name too."""
    names = "".join(
        f'<definedName name="_xlnm._FilterDatabase" localSheetId="{number}" hidden="1">'
        f"'{escape(sheet.name)}'!$A$1:${sheet.end[0]}${sheet.end[1]}</definedName>"
        for number, sheet in enumerate(sheets)
        if sheet.rows
    )
    return f"<definedNames>{names}</definedNames>" if names else ""


def _sheet(sheet: Sheet, *, first: bool) -> str:
    rows = sheet.rows[: MOST_ROWS - 1]
    area = "A1:{}{}".format(*sheet.end)
    letters = [_letters(column) for column in range(len(sheet.titles))]
    lines = [_row(1, letters, sheet.titles, ' s="1"')]
    lines += [_row(number, letters, row, "") for number, row in enumerate(rows, start=2)]
    return _SHEET.format(
        area=area,
        selected='tabSelected="1" ' if first else "",
        columns="".join(_width(column, title, rows) for column, title in enumerate(sheet.titles)),
        rows="".join(lines),
        filter=f'<autoFilter ref="{area}"/>' if rows else "",
    )


def _width(column: int, title: str, rows: Sequence[Sequence[Cell]]) -> str:
    """As wide as its longest cell; Excel counts in 1/256 of a digit, which is 7 pixels wide, and adds 5 pixels."""
    longest = max((len(str(row[column] or "")) for row in rows), default=0)
    width = min(max(len(title) + 2, longest + 1, WIDTHS[0]), WIDTHS[1])
    digits = (width * 7 + 5) * 256 // 7 / 256
    return f'<col min="{column + 1}" max="{column + 1}" width="{digits:.16g}" customWidth="1"/>'


def _row(number: int, letters: Sequence[str], cells: Sequence[Cell], style: str) -> str:
    written = [_cell(f"{letter}{number}", cell, style) for letter, cell in zip(letters, cells, strict=True)]
    return f'<row r="{number}">{"".join(written)}</row>'


def _cell(place: str, cell: Cell, style: str) -> str:
    if isinstance(cell, str):
        space = ' xml:space="preserve"' if cell != cell.strip() else ""
        return f'<c r="{place}"{style} t="inlineStr"><is><t{space}>{_text(cell[:LONGEST_CELL])}</t></is></c>'
    if cell is None or not math.isfinite(cell):
        return ""
    return f'<c r="{place}"{style}><v>{cell:.16G}</v></c>'


def _text(words: str) -> str:
    """What XML does not take is written as Excel does: _x0007_."""
    if not _UNFIT.search(words):
        return words
    return escape(_CONTROLS.sub(lambda found: f"_x{ord(found[0]):04X}_", words), quote=False)


@cache
def _letters(column: int) -> str:
    """A for 0, AA for 26."""
    before, letter = divmod(column, len(ascii_uppercase))
    return (_letters(before - 1) if before else "") + ascii_uppercase[letter]
