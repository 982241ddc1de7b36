"""A ZIP's directory, read only where it is short: how long it is says the file, and Python reads all of it at once."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

MOST_BYTES = 2**20  # of the directory: each entry takes 46 bytes and its name; a workbook has some dozens of entries
EXCELS_WAYS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # of packing; others unpack to gigabytes in one piece


class LongDirectoryError(zipfile.BadZipFile):
    pass


@contextmanager
def opened_archive(file: Path | IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """Raises as ZipFile does, and LongDirectoryError."""
    if isinstance(file, Path):
        with file.open("rb") as stream, zipfile.ZipFile(_InShortPieces(stream)) as archive:
            yield archive
    else:
        with zipfile.ZipFile(_InShortPieces(file)) as archive:
            yield archive


class _InShortPieces:
    """The directory is all that zipfile asks for in one long piece, wherever the file says that it stands."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, length: int = -1, /) -> bytes:
        if length > MOST_BYTES:
            raise LongDirectoryError(f"its directory has {length:,} bytes")
        return self._file.read(length if length >= 0 else MOST_BYTES)
