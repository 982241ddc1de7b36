"""The cleaned table as a workbook: numbers as numbers, text as text, one sheet under its name in the source."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers.cells.columns import NUMERIC, TEMPORAL, Column
from transformers.cleaning.cleaned_file import Cleaned
from transformers.intake.workbooks import shown
from transformers.tables import quoted

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

LONGEST_CELL = 32_767  # characters, Excel's own limit
LONGEST_SHEET = 31  # characters of a sheet's name, Excel's own limit too
UNNAMED_SHEET = "Sheet1"
EXCEL_BEGINS = 1901  # its calendar has a 29 February 1900
ISO_DAY = len("2024-12-31")
Writer = Callable[[int, int, str], None]
Dates = dict[bool, Any]  # formats: of whole days, and of moments
NEVER = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # no clock: the same table gives the same bytes


def write(cleaned: Cleaned, path: Path) -> None:
    import xlsxwriter

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "tmpdir": str(path.parent),
    }
    with xlsxwriter.Workbook(str(path), options) as workbook:
        workbook.set_properties({"created": NEVER})
        sheet = workbook.add_worksheet(_sheet_name(cleaned))
        for place, name in enumerate(cleaned.table.columns):
            sheet.write_string(0, place, name)
        dates = {True: workbook.add_format({"num_format": "yyyy-mm-dd"})}
        dates[False] = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        if cleaned.table.columns:
            _write_rows(cleaned, sheet, dates)


def _sheet_name(cleaned: Cleaned) -> str:
    """The source's, as far as Excel allows it: other programs name sheets as they like."""
    given = cleaned.original.sheet or UNNAMED_SHEET
    plain = re.sub(r"[\[\]:*?/\\]", "_", given).strip("'")
    short = plain.encode("utf-16-le")[: 2 * LONGEST_SHEET].decode("utf-16-le", errors="ignore")  # as Excel counts
    allowed = short.rstrip("'") or UNNAMED_SHEET
    if allowed != given:
        cleaned.notes.append(f"Excel does not allow the sheet's name; the sheet is called {allowed}.")
    return allowed


def _write_rows(cleaned: Cleaned, sheet: "Worksheet", dates: Dates) -> None:
    columns = {column.name: column for column in cleaned.columns}
    writers = [_writer(columns[name], sheet, dates) for name in cleaned.table.columns]
    cells = ", ".join(f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in cleaned.table.columns)
    row, cut = 0, 0
    for batch in cleaned.batches(cells):
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            row += 1
            for place, (write_cell, value) in enumerate(zip(writers, values, strict=True)):
                if value:
                    write_cell(row, place, value)
                    cut += len(value) > LONGEST_CELL
    if cut:
        cleaned.notes.append(f"Cells longer than Excel allows ({LONGEST_CELL:,} characters) were cut: {cut:,}.")


def _writer(column: Column, sheet: "Worksheet", dates: Dates) -> Writer:
    """Numbers, dates and truth as what they are, wherever Excel shows them as the text that is in the table."""

    def number(row: int, place: int, value: str) -> None:
        found = _number(value)
        text(row, place, value) if found is None else sheet.write_number(row, place, found)

    def moment(row: int, place: int, value: str) -> None:
        found = _moment(value)
        whole = len(value) == ISO_DAY
        text(row, place, value) if found is None else sheet.write_datetime(row, place, found, dates[whole])

    def text(row: int, place: int, value: str) -> None:
        if value in {"TRUE", "FALSE"}:
            sheet.write_boolean(row, place, value == "TRUE")
        else:
            sheet.write_string(row, place, value[:LONGEST_CELL])

    if column.logical in NUMERIC:
        return number
    return moment if column.logical in TEMPORAL else text


def _number(value: str) -> float | None:
    """None for what Excel would show otherwise: 1.50, 007, more digits than it keeps."""
    try:
        number = float(value)
    except ValueError:
        return None
    return number if isfinite(number) and shown(number) == value else None


def _moment(value: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo is None and found.year >= EXCEL_BEGINS and shown(found) == value else None
