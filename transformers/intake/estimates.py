"""How many rows a file has, before it is read: a few looks into it, by whoever wants to know what the work will cost.

Text is told from the mean length of its records: the first 256 KiB say how records and lines go together (quoted line
ends), three looks further on whether lines are as long there. Only a Parquet file says it exactly.
"""

import json
import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO

from transformers.intake.dialects import parse, sniff_dialect
from transformers.intake.encodings import marked_encoding
from transformers.intake.layouts import lay_out
from transformers.intake.parquet_footer import rows_of
from transformers.intake.zip_directory import EXCELS_WAYS, opened_archive

LOOK = 256 * 1024
FURTHER_LOOK = 64 * 1024
FURTHER = (1 / 3, 2 / 3, 1)  # where, of the file
DIALECT_BYTES = 32 * 1024  # every dialect is tried on it
LAYOUT_ROWS = 100
LAYOUT_COLUMNS = 2_000
SHEET = re.compile(r"xl/worksheets/sheet\d+\.xml")
MOST_SHEETS = 20  # each is a look of its own
SHEET_HEAD = 2048
DIMENSION = re.compile(rb'<dimension ref="[A-Z]+\d+:[A-Z]+(\d{1,7})"')
_LIST_OPENS = re.compile(r"\s*\[\s*")
_BETWEEN = re.compile(r"\s*,?\s*")


@dataclass(frozen=True, slots=True)
class Rows:
    estimate: int
    exact: bool = False


@dataclass(frozen=True, slots=True)
class _Look:
    """What the first bytes show, whole records only. `line_end` is empty where lines say nothing."""

    size: int
    lines: int
    records: int
    skipped: int = 0  # records that are no rows: the header, and what stands above it
    line_end: bytes = b""


def rows_in(file: IO[bytes], file_format: str) -> Rows | None:
    """None where only reading it tells: old workbooks, and JSON that is no list."""
    if file_format == "parquet":
        rows = rows_of(file)
        return None if rows is None else Rows(rows, exact=True)
    if file_format == "xlsx":
        return _rows_of_workbook(file)
    if file_format not in ("csv", "tsv", "json", "jsonl"):
        return None
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(LOOK)
    encoding, start = marked_encoding(head)
    look = _look(head[start:], encoding or "latin-1", file_format, is_cut=size > LOOK)
    if look is None or not look.records:
        return None
    if size <= LOOK:
        return Rows(max(0, look.records - look.skipped))
    record = _mean_line(file, size, look) * look.lines / look.records
    return Rows(max(0, round((size - start) / record) - look.skipped))


def _rows_of_workbook(file: IO[bytes]) -> Rows | None:
    """What the largest sheet says of itself; a header is taken for granted."""
    try:
        with opened_archive(file) as archive:
            sheets = [part for part in archive.infolist() if SHEET.fullmatch(part.filename)]
            rows = [_sheet_rows(archive, sheet) for sheet in sheets[:MOST_SHEETS]]
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError):
        return None  # intake says what is wrong with it
    return Rows(max(0, max(rows) - 1)) if any(rows) else None


def _sheet_rows(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    if part.compress_type not in EXCELS_WAYS:
        return 0
    with archive.open(part) as sheet:
        said = DIMENSION.search(sheet.read(SHEET_HEAD))
    return int(said[1]) if said else 0


def _look(body: bytes, encoding: str, file_format: str, *, is_cut: bool) -> _Look | None:
    """Bytes in an encoding that nothing marks are as many characters: only the ASCII among them matters."""
    text = body.decode(encoding, errors="replace").replace("\0", "")
    if file_format == "json":
        match = _LIST_OPENS.match(text)
        return _look_at_list(text, match.end(), encoding) if match else None
    line_end = "\n" if "\n" in text else "\r"
    if is_cut:
        text = text[: text.rfind(line_end) + 1] or text
    size, lines = len(text.encode(encoding, errors="replace")), text.count(line_end) or 1
    if file_format == "jsonl":
        records = sum(bool(line.strip()) for line in text.split(line_end))
        return _Look(size, lines, records, line_end=line_end.encode())
    rows = parse(text, sniff_dialect(text[:DIALECT_BYTES]))
    if not rows:
        return None
    layout = lay_out([row[:LAYOUT_COLUMNS] for row in rows[:LAYOUT_ROWS]])
    return _Look(size, lines, len(rows), layout.skipped, line_end.encode())


def _look_at_list(text: str, at: int, encoding: str) -> _Look | None:
    """Values one after the other; the last one may be cut."""
    decoder, records = json.JSONDecoder(), 0
    while at < len(text):
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        records, match = records + 1, _BETWEEN.match(text, end)
        at = match.end() if match else end
    return _Look(len(text[:at].encode(encoding, errors="replace")), records, records) if records else None


def _mean_line(file: IO[bytes], size: int, look: _Look) -> float:
    """Bytes; over all looks."""
    means = [look.size / look.lines]
    for share in FURTHER if look.line_end else ():
        file.seek(int((size - FURTHER_LOOK) * share))
        piece = file.read(FURTHER_LOOK)
        if lines := piece.count(look.line_end):
            means.append(len(piece) / lines)
    return sum(means) / len(means)
