"""The rows of a delimited text, by Python's csv module, held to the rules of quoting.

A quotation mark out of place (`"5 inch,…`) would swallow the rows that follow into one cell. So the reader is strict;
where it stumbles, the line is read on its own and the lines after it again from the start.
"""

import csv
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from transformers.intake.dialects import Dialect
from transformers.intake.reading import ROW_LIMIT

LINE_COST = 50  # bytes that Python adds to each string: a row of millions of short lines is long too


class EndlessRowError(Exception):
    """A row longer than ROW_LIMIT; whoever counts the rows says which."""


class Record(NamedTuple):
    cells: list[str]
    raw: str
    mended: bool = False  # a quotation mark stood out of place

    @property
    def is_blank(self) -> bool:
        """A line of nothing but spaces (or DOS's end of file); a row of empty cells is none."""
        return len(self.cells) < 2 and not self.raw.strip(" \t\r\n\x1a")  # noqa: PLR2004


class RecordReader:
    """Iterate over it within `long_cells()`. Blank lines come as records without cells."""

    def __init__(self, lines: Iterator[str], dialect: Dialect, width: int) -> None:
        self._lines = lines
        self._width = width
        self._dialect = dialect
        self._strict = dialect.options(strict=True)
        self._lenient = dialect.options(strict=False)
        self._pushed: deque[str] = deque()
        self._taken: list[str] = []
        self._characters = 0

    def __iter__(self) -> Iterator[Record]:
        while True:
            try:
                for cells in csv.reader(self._feed(), **self._strict):
                    if len(self._taken) > 1 and len(cells) != self._width and self._lines_fit():
                        break
                    yield Record(self._dialect.restored(cells), self._finish())
                else:
                    return
            except csv.Error:
                pass
            yield self._mended()

    def _feed(self) -> Iterator[str]:
        """Lines for the csv module, remembered until their record is whole."""
        while True:
            line = self._pushed.popleft() if self._pushed else next(self._lines, None)
            if line is None:
                return
            self._taken.append(line)
            self._characters += len(line) + (LINE_COST if len(self._taken) > 1 else 0)
            if self._characters > ROW_LIMIT:
                raise csv.Error("a row without an end")
            yield self._dialect.prepared(line)

    def _finish(self) -> str:
        raw = self._taken[0] if len(self._taken) == 1 else "".join(self._taken)
        self._taken, self._characters = [], 0
        return raw

    def _lines_fit(self) -> bool:
        """A row over several lines does not fit, but each of its lines does: a mark swallowed them."""
        return all(len(self._unquoted(line)) == self._width for line in self._taken)

    def _mended(self) -> Record:
        """The first line alone if it fits; else the whole row read leniently; else the first line as it is."""
        first, too_long = self._taken[0], self._characters > ROW_LIMIT
        if len(first) > ROW_LIMIT:
            raise EndlessRowError
        alone = next((cells for cells in self._readings(first) if len(cells) == self._width), None)
        if alone is None and too_long:
            raise EndlessRowError
        self._push_back(self._taken)
        if alone is None and (whole := self._lenient_record()):
            return whole
        self._pushed.popleft()
        return Record(alone or self._unquoted(first), first, mended=True)

    def _readings(self, line: str) -> Iterator[list[str]]:
        try:
            rows = list(csv.reader([self._dialect.prepared(line)], **self._strict))
        except csv.Error:
            rows = []
        if not rows and not self._opens(line):
            rows = list(csv.reader([self._dialect.prepared(line)], **self._lenient))
        yield from map(self._dialect.restored, rows)
        yield self._unquoted(line)

    def _opens(self, line: str) -> bool:
        """Does the line leave a quotation mark open?"""
        quote = self._strict["quotechar"]
        return bool(line.count(quote) % 2)

    def _unquoted(self, line: str) -> list[str]:
        return line.rstrip("\r\n").split(self._dialect.delimiter or self._dialect.split_by)

    def _lenient_record(self) -> Record | None:
        try:
            cells = next(csv.reader(self._feed(), **self._lenient))
        except (csv.Error, StopIteration):
            cells = []
        if len(cells) == self._width:
            return Record(self._dialect.restored(cells), self._finish(), mended=True)
        self._push_back(self._taken)
        return None

    def _push_back(self, lines: list[str]) -> None:
        self._pushed.extendleft(reversed(lines))
        self._taken, self._characters = [], 0


@contextmanager
def long_cells() -> Iterator[None]:
    """The csv module's limit on a cell (128 KB) is one for the whole process, so it is put back."""
    before = csv.field_size_limit(ROW_LIMIT)
    try:
        yield
    finally:
        csv.field_size_limit(before)
