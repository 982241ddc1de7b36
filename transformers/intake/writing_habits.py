"""How whoever wrote a delimited text wrote it: what they quoted, how lines end, what stands between cells.

Habits are read off the first records. Nothing depends on their being right but the size of a recipe (recipe.py).
"""

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from transformers.intake.dialects import Dialect, sniff_dialect
from transformers.intake.records import Record, RecordReader, long_cells

SAMPLE_BYTES = 256 * 1024
SAMPLE_RECORDS = 1_000


class Habits(BaseModel):
    """`quotes` and `quotes_empty` say of each column whether cells that need no quotes have them."""

    model_config = ConfigDict(frozen=True)

    columns: tuple[str, ...]
    encoding: str
    delimiter: str  # empty in a file of one column
    between: str  # the delimiter, with the blanks that follow it
    quote: str
    escape: str | None
    newline: str
    behind: str  # what stands between the last cell and the line's end
    quotes: tuple[bool, ...]
    quotes_empty: tuple[bool, ...]

    @property
    def special(self) -> tuple[str, ...]:
        """What makes a cell need quotes."""
        return tuple(filter(None, (self.delimiter, self.quote, "\n", "\r")))

    def quoted(self, cell: str) -> str:
        return self.quote + cell.replace(self.quote, (self.escape or self.quote) + self.quote) + self.quote


def habits_of(source: Path, columns: Sequence[str], encoding: str, delimiter: str | None) -> Habits:
    with source.open("rb") as stream:
        sample = stream.read(SAMPLE_BYTES).decode(encoding, errors="replace").lstrip("\ufeff")
    found = sniff_dialect(sample.replace("\0", ""))
    dialect = found if found.delimiter == delimiter else Dialect(delimiter)
    seen = _Seen(dialect, len(columns))
    with long_cells():
        for record in _records(sample, dialect, len(columns)):
            seen.watch(record)
    return Habits(
        columns=tuple(columns),
        encoding=encoding,
        delimiter=delimiter or "",
        between=(delimiter or "") + (" " if seen.spaced else ""),
        quote=dialect.quote,
        escape=dialect.escape,
        newline=seen.newlines.most_common(1)[0][0] if seen.newlines else "\n",
        behind=seen.behind.most_common(1)[0][0] if seen.behind else "",
        quotes=tuple(count > 0 for count in seen.plain),
        quotes_empty=tuple(count > 0 for count in seen.empty),
    )


def _records(sample: str, dialect: Dialect, width: int) -> Iterator[Record]:
    lines = iter(io.StringIO(sample, newline=""))
    for _, record in zip(range(SAMPLE_RECORDS), RecordReader(lines, dialect, width), strict=False):
        yield record


class _Seen:
    """Votes: for every cell that could stand without quotes, one for them or one against."""

    def __init__(self, dialect: Dialect, width: int) -> None:
        self._dialect, self._width = dialect, width
        self._delimiter = dialect.delimiter or ""
        self.plain, self.empty = [0] * width, [0] * width
        self.newlines, self.behind = Counter[str](), Counter[str]()
        self._blanks = 0

    @property
    def spaced(self) -> bool:
        return self._blanks > 0

    def watch(self, record: Record) -> None:
        text = record.raw.rstrip("\r\n")
        self.newlines[record.raw[len(text) :]] += bool(record.raw[len(text) :])
        if len(record.cells) >= self._width and not record.mended:
            self._walk(text, record.cells[: self._width])

    def _walk(self, text: str, cells: list[str]) -> None:
        """Along the record, cell by cell; what is not written as expected says nothing."""
        at, quote = 0, self._dialect.quote
        for column, cell in enumerate(cells):
            if column:
                if not text.startswith(self._delimiter, at):
                    return
                at += len(self._delimiter)
                blanks = len(text[at : at + 2]) - len(text[at : at + 2].lstrip(" ")) if self._dialect.skips_space else 0
                self._blanks += 1 if blanks else -1
                at += blanks
            is_quoted = text.startswith(quote, at)
            inner = cell.replace(quote, (self._dialect.escape or quote) + quote)
            written = quote + inner + quote if is_quoted else cell
            if not text.startswith(written, at):
                return
            at += len(written)
            self._vote(column, cell, 1 if is_quoted else -1)
        self.behind[text[at:]] += 1

    def _vote(self, column: int, cell: str, vote: int) -> None:
        if not cell:
            self.empty[column] += vote
        elif not any(sign in cell for sign in (self._delimiter or "\n", self._dialect.quote, "\n", "\r")):
            self.plain[column] += vote
