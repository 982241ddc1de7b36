"""Excel workbooks: the largest sheet, its cells as a person sees them, by calamine."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Any

from backend.errors import UnreadableFile
from transformers.intake.layouts import lay_out
from transformers.intake.naming import named_columns
from transformers.intake.reading import Reading, SourceFile, blames_the_machine, check_rows
from transformers.intake.repairs import RepairLog
from transformers.intake.workbook_archive import check_archive
from transformers.intake.workbook_errors import Errors, error_cells
from transformers.intake.writing import TableWriter

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

SAMPLE_ROWS = 500
EXCEL_DIGITS = 15  # Excel holds and shows no more: 274.65999999999997 is 274.66 to whoever typed it
LARGEST_PLAIN = 1e21  # above it, 1e+21 reads better than its zeros
MIDNIGHT = time(0)
ZIP = b"PK"


def read_workbook(file: SourceFile) -> Reading:
    import python_calamine as calamine

    with file.path.open("rb") as stream:
        if stream.read(len(ZIP)) == ZIP:
            check_archive(file.path)
    repairs = RepairLog()
    with WorkbookDamage(), calamine.CalamineWorkbook.from_path(file.path) as workbook:
        return _read_sheet(file, _largest_sheet(workbook, repairs), repairs)


class WorkbookDamage:
    """Whatever stops calamine is the file's fault: its errors, and Rust's panics, which are no `Exception`."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import python_calamine as calamine

        if error is None or blames_the_machine(error):
            return
        if isinstance(error, calamine.PasswordError):
            raise UnreadableFile(
                "The workbook is protected by a password. Save it without one and upload it again.", detail=repr(error)
            ) from error
        panicked = type(error).__name__ == "PanicException"
        if panicked or isinstance(error, (calamine.CalamineError, OSError, ValueError)):
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
    rows = filled_rows(sheet, error_cells(file.path, sheet.name))
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


def filled_rows(sheet: "CalamineSheet", errors: Errors) -> Iterator[list[str | None]]:
    """Rows of text, empty ones left out. calamine begins at the sheet's first row, but at the table's first column."""
    _, left = sheet.start or (0, 0)
    rows_with_errors = {row for row, _ in errors}
    for at, row in enumerate(sheet.iter_rows()):
        cells = [shown(value) for value in row]
        if at in rows_with_errors:
            cells = [cell or errors.get((at, column)) for column, cell in enumerate(cells, start=left)]
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
            return value.date().isoformat() if value.time() == MIDNIGHT else value.isoformat(" ")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return _duration(value)
        case _:
            return str(value)


def _figure(value: float) -> str:
    rounded = float(f"{value:.{EXCEL_DIGITS}g}")
    if rounded.is_integer() and abs(rounded) < LARGEST_PLAIN:
        return str(int(rounded))
    return repr(rounded)


def _duration(value: timedelta) -> str:
    """Hours may be more than 24: 30:15:00."""
    minutes, seconds = divmod(round(value.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
