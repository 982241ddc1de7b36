"""Where the table begins: lines above it, its header or the lack of one, its width.

Serves delimited text and workbooks alike; sees only the first rows.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_high

FIGURE = re.compile(r"[-+(]?[$€£¥]?\s?\d[\d\s.,:/%'TZ+-]*\)?%?")  # numbers, dates and times: anything without a word
YEAR = re.compile(r"(1[89]|20|21)\d\d")
VALUE = re.compile(r"https?://|[^@\s]+@[^@\s]+\.\w")  # no header is called like this
LONGEST_NAME = 200  # characters; a longer first cell is a sentence
FIGURE_SHARE = 0.7  # of a column's cells: NA, ? and - stand between the numbers
SHAPE_SHARE = 0.8
PREAMBLE_ROWS = 50

Row = Sequence[str]


@dataclass(frozen=True)
class Layout:
    """`header` is None when the first row is data already; `preamble` rows come before either."""

    preamble: int
    header: tuple[str, ...] | None
    width: int

    @property
    def skipped(self) -> int:
        """Rows before the first row of data."""
        return self.preamble + (self.header is not None)

    @property
    def wanted_names(self) -> tuple[str, ...]:
        names = self.header or tuple(f"column_{position}" for position in range(1, self.width + 1))
        return names + ("",) * (self.width - len(names))


def lay_out(rows: Sequence[Row]) -> Layout:
    """Rows: the first ones, blank ones left out, at least one."""
    preamble = _preamble(rows)
    first, body = rows[preamble], rows[preamble + 1 :]
    header = tuple(first) if _is_header(first, body) else None
    return Layout(preamble, header, _width(first, body))


def _width(first: Row, body: Sequence[Row]) -> int:
    """Most rows may be wider than the header: R writes row names without a name for them."""
    widths = Counter(map(len, body))
    usual, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    return max(len(first), usual if 2 * count > len(body) else 0)


def _preamble(rows: Sequence[Row]) -> int:
    """Titles and remarks: rows emptier than the table that stand above a row which looks like a header."""
    usual = median_high(map(_filled, rows))
    width = Counter(map(len, rows)).most_common(1)[0][0]
    if usual < 2:  # noqa: PLR2004 (a title cannot be told from a table of one column)
        return 0
    for position, row in enumerate(rows[:PREAMBLE_ROWS]):
        if not _is_remark(row, width, usual):
            return position if _stands_above(rows, position, width) else 0
    return 0


def _is_remark(row: Row, width: int, usual: float) -> bool:
    if len(row) == width:
        return _filled(row) <= max(1, usual / 4)
    return _filled(row) <= usual / 2 or row[0].startswith("#")


def _stands_above(rows: Sequence[Row], position: int, width: int) -> bool:
    """Remarks as wide as the table may also be a header with gaps; then the next row must look like one."""
    narrow = all(len(row) != width for row in rows[:position])
    return narrow or _is_header(rows[position], rows[position + 1 :])


def _filled(row: Row) -> int:
    return sum(1 for cell in row if cell.strip())


def _is_header(first: Row, body: Sequence[Row]) -> bool:
    """Each column votes; without a vote the first row is the header, as in most files."""
    copies = sum(row == first for row in body)
    if 2 * copies < len(body):  # files pasted together repeat their header
        body = [row for row in body if row != first]
    years = _is_row_of_years(first)
    columns = ([row[at].strip() for row in body if at < len(row) and row[at].strip()] for at in range(len(first)))
    return sum(_vote(cell.strip(), column, years=years) for cell, column in zip(first, columns, strict=True)) >= 0


def _is_row_of_years(first: Row) -> bool:
    figures = [cell.strip() for cell in first if FIGURE.fullmatch(cell.strip())]
    return len(figures) > 1 and len(set(figures)) == len(figures) and all(YEAR.fullmatch(cell) for cell in figures)


def _vote(cell: str, column: list[str], *, years: bool) -> int:
    """+1: the cell is unlike its column; -1: it is one of its values; 0: it could be either."""
    if not cell or (years and YEAR.fullmatch(cell)):
        return 0
    if cell in column or FIGURE.fullmatch(cell) or VALUE.match(cell) or len(cell) > LONGEST_NAME:
        return -1
    if not column:
        return 0
    if sum(FIGURE.fullmatch(value) is not None for value in column) >= FIGURE_SHARE * len(column):
        return 1
    shape = _shape(cell)
    alike = sum(_shape(value) == shape for value in column) >= SHAPE_SHARE * len(column)
    return -1 if alike and "9" in shape else 0


def _shape(cell: str) -> str:
    """`C1_395` → `A9_999`: codes of one kind have one shape."""
    return re.sub(r"[^\W\d_]", "A", re.sub(r"\d", "9", cell))
