"""Excel workbooks: every sheet, a row of its table a passage of “column: value” lines."""

from collections.abc import Generator, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING

from transformers.documents.office_archive import UNPACKED_LIMIT, check_office_archive
from transformers.documents.passage import Passage
from transformers.documents.table_rows import row_passage
from transformers.intake.layouts import lay_out
from transformers.intake.naming import named_columns
from transformers.intake.reading import SourceFile
from transformers.intake.repairs import RepairLog
from transformers.intake.workbook_archive import check_archive
from transformers.intake.workbook_errors import error_cells
from transformers.intake.workbooks import SAMPLE_ROWS, WorkbookDamage, filled_rows

if TYPE_CHECKING:
    from python_calamine import CalamineSheet


def read_sheets(file: SourceFile) -> Generator[Passage]:
    """Sheets in the workbook's order; hidden ones are not read, what a person cannot see is no text."""
    import python_calamine as calamine

    check_office_archive(file.path, unpacked_limit=UNPACKED_LIMIT, xml_limit=UNPACKED_LIMIT)  # read piece by piece
    check_archive(file.path)
    with WorkbookDamage(), calamine.CalamineWorkbook.from_path(file.path) as workbook:
        shown = [
            sheet.name
            for sheet in workbook.sheets_metadata
            if sheet.visible == calamine.SheetVisibleEnum.Visible and sheet.typ == calamine.SheetTypeEnum.WorkSheet
        ]
        for name in shown:
            yield from _rows(file, workbook.get_sheet_by_name(name))


def _rows(file: SourceFile, sheet: "CalamineSheet") -> Iterator[Passage]:
    rows = filled_rows(sheet, error_cells(file.path, sheet.name))
    sample = list(islice(rows, SAMPLE_ROWS))
    if not sample:
        return
    layout = lay_out([[cell or "" for cell in row] for row in sample])
    names = named_columns(layout, RepairLog())
    for number, row in enumerate(islice(chain(sample, rows), layout.skipped, None), start=1):
        yield row_passage(names, row, number, sheet.name)
