"""Is it safe to open this workbook? An .xlsx is a ZIP of XML: a small file can hold gigabytes, or one far-off cell.

The ZIP's own figures can lie, so every part is unpacked here once, in small pieces, and counted.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from backend.errors import FileTooLarge, UnreadableFile
from transformers.intake.zip_directory import EXCELS_WAYS

UNPACKED_LIMIT = 2 * 2**30  # bytes; a million rows of twenty columns unpack to about one gigabyte
RATIO_LIMIT = 200  # sheets shrink about ten times, at most fifty; a bomb a thousand times
RATIO_MATTERS = 100 * 2**20  # bytes; below this size no ratio does harm
CELLS_LIMIT = 25_000_000  # the reader holds the whole rectangle up to the last cell: about 32 bytes for each
PIECE = 2**20
REFERENCE = re.compile(rb'<(?:c|row)\b[^<>]*?\br="([A-Z]{0,3})(\d{1,7})"')
DAMAGE = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError)
LONGEST_TAG = 256  # bytes kept from the piece before, so that a reference cut in two is seen


def check_archive(path: Path) -> None:
    """Raises FileTooLarge for a bomb, UnreadableFile for a damaged archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            _check_size(sum(part.file_size for part in parts), path)
            for part in parts:
                _check_part(archive, part)
    except DAMAGE as error:
        raise UnreadableFile("The workbook is damaged or incomplete.", detail=repr(error)) from error
    except RuntimeError as error:  # zipfile's way to say that a part is encrypted
        raise UnreadableFile(
            "The workbook is protected by a password. Save it without one and upload it again.", detail=repr(error)
        ) from error


def _check_size(unpacked: int, path: Path) -> None:
    packed = max(1, path.stat().st_size)
    if unpacked > UNPACKED_LIMIT or (unpacked > RATIO_MATTERS and unpacked > RATIO_LIMIT * packed):
        raise FileTooLarge(
            f"The workbook unpacks from {packed / 2**20:,.1f} MiB to {unpacked / 2**20:,.0f} MiB, which is more than "
            "is safe to open. Save the sheet as CSV and upload that.",
            unpacked_bytes=unpacked,
        )


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Python stops at the declared size and then finds the checksum wrong if more was hidden."""
    if part.compress_type not in EXCELS_WAYS:
        raise zipfile.BadZipFile("it is packed in a way that Excel does not know")
    with archive.open(part) as stream:
        if not part.filename.startswith("xl/worksheets/"):
            for _ in iter(lambda: stream.read(PIECE), b""):
                pass
            return
        rows, columns = _extent(stream)
    if rows * columns > CELLS_LIMIT:
        raise FileTooLarge(
            f"A sheet of the workbook reaches to row {rows:,} and column {columns:,}; that is more than can be held. "
            "Delete what is far outside the table, or save the sheet as CSV.",
            rows=rows,
            columns=columns,
        )


def _extent(stream: IO[bytes]) -> tuple[int, int]:
    """The last row and column that any cell names."""
    rows, letters = 1, {b"A"}
    for window in _windows(stream):
        found = REFERENCE.findall(window)
        if found:
            letters.update({column for column, _ in found})
            rows = max(rows, *(int(row) for _, row in found))
    return rows, max(map(column_number, letters))


def _windows(stream: IO[bytes]) -> Iterator[bytes]:
    tail = b""
    while piece := stream.read(PIECE):
        yield tail + piece
        tail = piece[-LONGEST_TAG:]


def column_number(letters: bytes) -> int:
    """A is 1, XFD is 16384."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64  # "A" is 65
    return number
