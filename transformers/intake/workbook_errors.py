"""The cells of a sheet that hold an error (#DIV/0!, #N/A), which calamine leaves empty.

A lookup that failed is not an empty cell, so the sheet's XML is asked once more, and only where it has such cells.
"""

import re
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path

from transformers.intake.encodings import head_of
from transformers.intake.formats import ZIP
from transformers.intake.workbook_archive import PIECE, column_number

MARK = b't="e"'
CELL_TAG = re.compile(rb"<c\s([^<>]*)>")
IS_ERROR = re.compile(rb'\bt="e"')
REFERENCE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
SHOWN = re.compile(rb"<v>([^<]*)</v>")
SHEET = re.compile(rb"<sheet\b[^<>]*>")
RELATION = re.compile(rb"<Relationship\b[^<>]*>")
ERRORS_KEPT = 1_000_000  # cells; each costs about 200 bytes

Errors = dict[tuple[int, int], str]


def error_cells(path: Path, sheet: str) -> Errors:
    """By row and column, from 0. Empty for an .xls file, whose errors calamine does not tell.

    One may hold an archive, as its theme or behind its end, that nobody has checked: its first bytes say what it is.
    """
    if not head_of(path).startswith(ZIP):
        return {}
    with zipfile.ZipFile(path) as archive:
        part = _part_of(archive, sheet)
        return dict(_errors_in(archive, part)) if part in archive.namelist() else {}


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """The file of a sheet, by way of the workbook's list of relations."""
    names = (_attributes(tag) for tag in SHEET.findall(_head(archive, "xl/workbook.xml")))
    relation = next((found.get("r:id") for found in names if found.get("name") == sheet), None)
    relations = (_attributes(tag) for tag in RELATION.findall(_head(archive, "xl/_rels/workbook.xml.rels")))
    target = next((found.get("Target", "") for found in relations if found.get("Id") == relation), "")
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _head(archive: zipfile.ZipFile, part: str) -> bytes:
    if part not in archive.namelist():
        return b""
    with archive.open(part) as stream:
        return stream.read(PIECE)  # thousands of sheets


def _attributes(tag: bytes) -> dict[str, str]:
    return {name: unescape(value) for name, value in re.findall(r'([\w:]+)="([^"]*)"', tag.decode(errors="replace"))}


def _errors_in(archive: zipfile.ZipFile, part: str) -> Iterator[tuple[tuple[int, int], str]]:
    found = 0
    for cells in _whole_cells(archive, part):
        if MARK not in cells:
            continue
        for error in filter(None, map(_error, cells.split(b"</c>"))):
            found += 1
            if found > ERRORS_KEPT:
                return
            yield error


def _error(xml: bytes) -> tuple[tuple[int, int], str] | None:
    """Of the cell that ends here; its tag is the last one, those before it are of empty cells."""
    if MARK not in xml:
        return None
    *_, tag = [None, *CELL_TAG.finditer(xml)]
    if tag is None or not IS_ERROR.search(tag[1]):
        return None
    at, text = REFERENCE.search(tag[1]), SHOWN.search(xml, tag.end())
    if at is None or text is None:
        return None
    return (int(at[2]) - 1, column_number(at[1]) - 1), unescape(text[1].decode(errors="replace"))


def _whole_cells(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """The XML in pieces that end where a cell ends."""
    rest = b""
    with archive.open(part) as stream:
        while piece := stream.read(PIECE):
            whole, mark, tail = (rest + piece).rpartition(b"</c>")
            yield whole + mark
            rest = tail[-PIECE:]  # more of it are empty cells: one that shows something is shorter
