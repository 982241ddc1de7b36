"""What the readers of one format share: the file they are given, the limits they keep, what they hand back.

Each reader turns one customer's file into a Parquet file of text and a `Reading`; it knows no other format.
"""

import errno
from dataclasses import dataclass
from pathlib import Path

from backend.errors import FileTooLarge, UnreadableFile
from transformers.tables import Repair

# The widest table that every profile agent gets through in an agent's memory (2,000 × 3 rows: 25 s, 640 MB; 3,000 do
# not). Wider is mostly a mistaken delimiter or transposed data.
COLUMNS_LIMIT = 2_000
ROW_LIMIT = 16 * 2**20  # characters in one row; what is longer is a quote that never closes, or no table
MACHINE_FAULTS = {
    errno.ENOSPC,
    errno.EFBIG,
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.EACCES,
    errno.EROFS,
}
REJECTED_SHARE = 0.5  # a file more than half of whose rows do not fit was not understood: say so, deliver nothing


@dataclass(frozen=True)
class SourceFile:
    """A customer's file on local disk, and where its table goes."""

    path: Path
    name: str
    role: str
    folder: Path

    @property
    def table_path(self) -> Path:
        return self.folder / f"{self.role}.parquet"

    @property
    def rejects_path(self) -> Path:
        return self.folder / f"{self.role}.rejects.parquet"

    @property
    def spool_path(self) -> Path:
        """Scratch for the same text in UTF-8; removed when the table is written."""
        return self.folder / f"{self.role}.utf8"


@dataclass(frozen=True)
class Reading:
    """What a reader found. `rows` are those in the table, without the rejected ones."""

    columns: tuple[str, ...]
    rows: int
    repairs: tuple[Repair, ...] = ()
    rejected_rows: int = 0
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None


def blames_the_machine(error: BaseException) -> bool:
    """A full disk or memory while a table is written says nothing about the customer's file."""
    return isinstance(error, MemoryError) or getattr(error, "errno", None) in MACHINE_FAULTS


def check_width(columns: int) -> None:
    """Raises FileTooLarge for more columns than a table may have."""
    if columns > COLUMNS_LIMIT:
        raise FileTooLarge(
            f"The file has {columns:,} columns; a table may have {COLUMNS_LIMIT:,}. "
            "If that number surprises you, the columns may be separated by another character than it seems.",
            columns=columns,
        )


def check_rows(kept: int, rejected: int, why: str = "do not fit the columns of the header") -> None:
    """Raises UnreadableFile when nothing is left, or when more was rejected than kept."""
    if rejected > REJECTED_SHARE * (kept + rejected):
        raise UnreadableFile(
            f"{rejected:,} of {kept + rejected:,} rows {why}, so the file was not read.",
            rows=kept + rejected,
            rejected_rows=rejected,
        )
    if not kept:
        raise UnreadableFile("The file has a header but no rows.")
