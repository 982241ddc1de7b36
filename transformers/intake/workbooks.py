"""Excel workbooks: the largest sheet, its cells as a person sees them, by calamine."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from backend.errors import UnreadableFile
from transformers.intake.layouts import lay_out
from transformers.intake.naming import named_columns
from transformers.intake.reading import Reading, SourceFile, check_rows
from transformers.intake.repairs import RepairLog
from transformers.intake.workbook_archive import check_archive
from transformers.intake.writing import TableWriter

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

SAMPLE_ROWS = 500
EXCEL_DIGITS = 15  # Excel holds and shows no more: 274.65999999999997 is 274.66 to whoever typed it
NO_MIDNIGHT = time(0)
ZIP = b"PK"


def read_workbook(file: SourceFile) -> Reading:
    import python_calamine as calamine

    with file.path.open("rb") as stream:
        if stream.read(len(ZIP)) == ZIP:
            check_archive(file.path)
    repairs = RepairLog()
    try:
        with calamine.CalamineWorkbook.from_path(file.path) as workbook:
            sheet = _largest_sheet(workbook, repairs)
            return _read_sheet(file, sheet, repairs)
    except calamine.PasswordError as error:
        raise UnreadableFile(
            "The workbook is protected by a password. Save it without one and upload it again.", detail=repr(error)
        ) from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise UnreadableFile("The workbook is damaged or incomplete.", detail=repr(error)) from error


def _largest_sheet(workbook: "CalamineWorkbook", repairs: RepairLog) -> "CalamineSheet":
    sheets = [workbook.get_sheet_by_name(name) for name in workbook.sheet_names]
    sheets = [sheet for sheet in sheets if sheet.height * sheet.width]
    if not sheets:
        raise UnreadableFile("The file is empty: no sheet of the workbook has a cell with something in it.")
    largest = max(sheets, key=lambda sheet: sheet.height * sheet.width)
    others = [f"“{sheet.name}”" for sheet in sheets if sheet is not largest]
    if others:
        message = f"The table was read from the sheet “{largest.name}”, the largest one. Not read: {', '.join(others)}."
        repairs.tell("sheets_ignored", message, len(others))
    return largest


def _read_sheet(file: SourceFile, sheet: "CalamineSheet", repairs: RepairLog) -> Reading:
    rows = _filled_rows(sheet.iter_rows())
    sample = list(islice(rows, SAMPLE_ROWS))
    if not sample:
        raise UnreadableFile("The file is empty: no sheet of the workbook has a cell with something in it.")
    layout = lay_out([[cell or "" for cell in row] for row in sample])
    columns = named_columns(layout, repairs)
    with TableWriter(file.table_path, columns) as table:
        every = (row for part in (sample, rows) for row in part)
        for number, row in enumerate(islice(every, layout.skipped, None), start=1):
            table.add(number, row, sum(len(cell) for cell in row if cell))
    check_rows(table.rows, 0)
    return Reading(columns, table.rows, repairs.repairs(), sheet=sheet.name)


def _filled_rows(rows: Iterable[list[Any]]) -> Iterator[list[str | None]]:
    """Rows of text, empty ones left out; the sheet's rectangle has no row shorter than another."""
    for row in rows:
        cells = [shown(value) for value in row]
        if any(cells):
            yield cells


def shown(value: Any) -> str | None:  # noqa: PLR0911 (one line for each type a cell can have)
    """A cell's value as Excel shows it when nobody has formatted it; an empty cell is null."""
    match value:
        case "" | None:
            return None
        case str():
            return value
        case bool():
            return "TRUE" if value else "FALSE"
        case float():
            return _figure(value)
        case datetime():
            return value.date().isoformat() if value.time() == NO_MIDNIGHT else value.isoformat(" ")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return _duration(value)
        case _:
            return str(value)


def _figure(value: float) -> str:
    if value.is_integer():
        return str(int(value))
    return repr(float(f"{value:.{EXCEL_DIGITS}g}")).removesuffix(".0")


def _duration(value: timedelta) -> str:
    """Hours may be more than 24: 30:15:00."""
    minutes, seconds = divmod(round(value.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
