"""Rows of a delimited text to the columns of its table: kept, mended or set aside, and which of them is told.

Nothing is guessed that loses a cell: a row that can be read in one way only is read so, any other is set aside whole.
"""

import csv
from collections.abc import Iterator

from transformers.intake.arrow_csv import TextTable
from transformers.intake.dialects import DELIMITERS, WEAK, Dialect
from transformers.intake.layouts import FIGURE
from transformers.intake.records import Record
from transformers.intake.repairs import RepairLog
from transformers.intake.writing import RejectWriter, TableWriter

NARROWEST = 3  # columns a table has before a row of one cell is no short row but a remark, or written otherwise
STRONG = tuple(delimiter for delimiter in DELIMITERS if delimiter not in WEAK)
LEARNED_ROWS = 200
MIXED, ALIKE = 0.2, 0.8  # the share of figures in a column of words, and in one of figures
MOST_REMARKS = 20  # lines below a table
BELOW = "A line below the table that is not part of it."
REPEATED = "The row repeats the header."

Held = tuple[int, Record, set[str]]


class RowFitter:
    """Takes every row in turn, then `finish`. `seen` are the kinds of repair that a row has had already."""

    def __init__(self, table: TextTable, kept: TableWriter, rejects: RejectWriter, repairs: RepairLog) -> None:
        self._width = len(table.columns)
        self._dialect = table.dialect
        self._header = [cell.strip() for cell in table.header or ()]
        self._kept, self._rejects, self._repairs = kept, rejects, repairs
        self._figures: dict[int, float] = {}
        self._learned = 0
        self._held: list[Held] = []  # rows of one cell: remarks, if no other row follows
        self._expects_remarks = self._width >= NARROWEST

    def add(self, number: int, record: Record, seen: set[str]) -> None:
        if len(record.cells) < self._width >= NARROWEST or self._is_torn(record):
            if cells := self._otherwise(record):
                record = Record(cells, record.raw)
                seen.add("foreign_delimiter")
            elif self._expects_remarks and len(record.cells) == 1:
                self._hold(number, record, seen)
                return
        self._keep_held()
        self._fit(number, record, seen)

    def _is_torn(self, record: Record) -> bool:
        """It fits, but by marks within its cells and words among figures: the delimiter may be another one."""
        fits = len(record.cells) == self._width >= NARROWEST
        return (
            fits and any(self._dialect.quote in cell for cell in record.cells) and not self._looks_right(record.cells)
        )

    def _hold(self, number: int, record: Record, seen: set[str]) -> None:
        self._held.append((number, record, set(seen)))
        if len(self._held) > MOST_REMARKS:
            self._keep_held()

    def finish(self) -> None:
        for number, record, seen in self._held:
            self._set_aside(number, BELOW, record, seen | {"below_table"})

    def _keep_held(self) -> None:
        """Another row follows, so they were short rows; there may be more of them anywhere."""
        held, self._held = self._held, []
        for number, record, seen in held:
            self._expects_remarks = False
            self._fit(number, record, seen)

    def _fit(self, number: int, record: Record, seen: set[str]) -> None:
        cells: list[str | None] = record.cells  # type: ignore[assignment]  # a list that only this reader holds
        if record.mended:
            seen.add("broken_quote")
        if self._header and record.cells[0].strip() == self._header[0] and self._repeats_header(record):
            self._set_aside(number, REPEATED, record, seen | {"repeated_header"})
            return
        if len(cells) > self._width and any(cells[self._width :]):
            reason = f"The row has {len(cells)} cells; the table has {self._width} columns."
            self._set_aside(number, reason, record, seen | {"rejected"})
            return
        if len(cells) != self._width:
            seen.add("ragged_short" if len(cells) < self._width else "ragged_long")
            cells = (cells + [None] * (self._width - len(cells)))[: self._width]
        self._learn(cells)
        self._kept.add(number, cells, len(record.raw))
        self._note(number, seen)

    def _repeats_header(self, record: Record) -> bool:
        return len(record.cells) > 1 and [cell.strip() for cell in record.cells] == self._header

    def _set_aside(self, number: int, reason: str, record: Record, seen: set[str]) -> None:
        self._rejects.add(number, reason, record.raw.rstrip("\r\n"))
        self._note(number, seen)

    def _note(self, number: int, seen: set[str]) -> None:
        for kind in sorted(seen):
            self._repairs.note(kind, number)

    def _otherwise(self, record: Record) -> list[str] | None:
        """The cells by the first other delimiter that makes as many as there are columns, and of their kinds."""
        readings = self._readings(record.raw.rstrip("\r\n"), record_is_whole=len(record.cells) in (1, self._width))
        return next((cells for cells in readings if len(cells) == self._width and self._looks_right(cells)), None)

    def _readings(self, line: str, *, record_is_whole: bool) -> Iterator[list[str]]:
        for delimiter in DELIMITERS if record_is_whole else STRONG:
            if delimiter != self._dialect.delimiter and delimiter in line:
                options = Dialect(delimiter, self._dialect.quote, self._dialect.escape).options(strict=True)
                try:
                    yield next(csv.reader([line], **options))
                except (csv.Error, StopIteration):
                    continue

    def _looks_right(self, cells: list[str]) -> bool:
        """Figures in the columns of figures, and words in those of words: words have blanks too."""
        known = [
            (FIGURE.fullmatch(cell.strip()), self._figures.get(at)) for at, cell in enumerate(cells) if cell.strip()
        ]
        judged = [
            (found is not None, share > ALIKE)
            for found, share in known
            if share is not None and not MIXED < share < ALIKE
        ]
        return 4 * sum(is_figure != should for is_figure, should in judged) <= len(judged)  # a cell may be at fault

    def _learn(self, cells: list[str | None]) -> None:
        """How often the first cells of each column are figures."""
        if self._learned < LEARNED_ROWS:
            self._learned += 1
            for at, cell in enumerate(cells):
                if cell and cell.strip():
                    is_figure = FIGURE.fullmatch(cell.strip()) is not None
                    before = self._figures.get(at, float(is_figure))
                    self._figures[at] = before + (is_figure - before) / self._learned
