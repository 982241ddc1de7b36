"""What a spreadsheet would compute in a file of ours, looked for without our own code: csv and the XML itself."""

import csv
import re
import sys
from pathlib import Path
from zipfile import ZipFile

STARTS = tuple("=+-@＝＋－＠\t\r\n")
ONLY_A_FIGURE = re.compile(r"\s*[-+ 0-9.,:/()%]*([eE][-+]?[0-9]+)?\s*")


def is_computed(cell: str) -> bool:
    return (cell.startswith("\t") or cell.lstrip().startswith(STARTS)) and not ONLY_A_FIGURE.fullmatch(cell)


def computed_in(path: Path) -> list[str]:
    """Its cells, headings among them, that would be formulas."""
    if path.suffix == ".csv":
        csv.field_size_limit(sys.maxsize)
        with path.open(newline="", encoding="utf-8") as file:
            return [cell for row in csv.reader(file) for cell in row if is_computed(cell)]
    if path.suffix == ".xlsx":
        with ZipFile(path) as book:
            sheets = [book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets/")]
        return [found for sheet in sheets for found in re.findall(r"<f[ >].*?</f>|<hyperlink[ >].*?>", sheet)]
    return []
