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
CLEAR_VOTE = 4  # one vote against in every four columns: a name may turn up among its column's values by chance
PREAMBLE_ROWS = 50
MOST_HEADERS = 2  # rows below the first that may belong to the header
MOST_FAULTS = 2  # words among a row's figures that are faults and no header
MISSING = re.compile(r"(?i)\W*|n\W?a\.?|null|none|nan|missing|unknown|empty|n/?d|tbd|no data")

Row = Sequence[str]


@dataclass(frozen=True)
class Layout:
    """`header` is None when the first row is data already; the `preamble` stands above either, as text."""

    preamble: tuple[str, ...]
    header: tuple[str, ...] | None
    width: int
    header_rows: int = 1

    @property
    def skipped(self) -> int:
        """Rows before the first row of data."""
        return len(self.preamble) + (self.header_rows if self.header is not None else 0)

    @property
    def wanted_names(self) -> tuple[str, ...]:
        names = self.header or tuple(f"column_{position}" for position in range(1, self.width + 1))
        return names + ("",) * (self.width - len(names))


def lay_out(rows: Sequence[Row]) -> Layout:
    """Rows: the first ones, blank ones left out, at least one."""
    above, table = _preamble(rows), rows[_preamble(rows) :]
    preamble = tuple(" ".join(cell.strip() for cell in row if cell.strip()) for row in rows[:above])
    first, body = table[0], table[1:]
    if not _is_header(first, body):
        return Layout(preamble, None, _width(first, body))
    more = _more_headers(first, body)
    width = _width(first, body[more:])
    header = _joined([first, *body[:more]])
    return Layout(preamble, _with_row_names(header, body[more:], width), width, 1 + more)


def _width(first: Row, body: Sequence[Row]) -> int:
    """Most rows may be wider than the header: R writes row names without a name for them."""
    widths = Counter(map(len, body))
    usual, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    if 2 * count <= len(body) or not any(any(row[len(first) :]) for row in body):
        return len(first)
    return max(len(first), usual)


def _with_row_names(header: tuple[str, ...], body: Sequence[Row], width: int) -> tuple[str, ...]:
    """A header one short belongs to a table whose first column are R's row names: all of them different."""
    first = [row[0] for row in body if row]
    if width == len(header) + 1 and len(first) > 1 and len(set(first)) == len(first):
        return ("", *header)
    return header


def _more_headers(first: Row, body: Sequence[Row]) -> int:
    """How many rows below the first belong to the header: units, or names below the names of groups."""
    for more in range(MOST_HEADERS):
        if len(body) < more + 2 or not _continues_header(first, body[more], body[more + 1 :]):
            return more
    return MOST_HEADERS


def _continues_header(first: Row, row: Row, body: Sequence[Row]) -> bool:
    """Words over columns of figures, and nowhere a figure or one of the column's values."""
    if len(row) != len(first) or row == first:
        return False
    columns = ([below[at].strip() for below in body if at < len(below) and below[at].strip()] for at in range(len(row)))
    votes = [_vote(cell.strip(), column) for cell, column in zip(row, columns, strict=True)]
    says_nothing = all(not any(sign.isalpha() for sign in cell) or MISSING.fullmatch(cell) for cell in row)
    return min(votes) >= 0 and max(votes) > 0 and not says_nothing and _is_fuller(first, row, votes)


def _is_fuller(first: Row, row: Row, votes: list[int]) -> bool:
    """One word among figures is a fault of a row; a header has them over all figures, or names below groups."""
    gaps = _filled(first) < len(first) <= _filled(row) + 1
    words = [cell for cell, vote in zip(row, votes, strict=True) if vote > 0 and not MISSING.fullmatch(cell.strip())]
    return gaps or (
        not _says_one_thing(row, votes, words) and len(words) >= max(MOST_FAULTS, sum(vote > 0 for vote in votes))
    )


def _says_one_thing(row: Row, votes: list[int], words: Sequence[str]) -> bool:
    """Ann, withheld, withheld: a row of data. Units repeat too, but nobody's name stands before them."""
    named = any(cell.strip() and vote == 0 for cell, vote in zip(row, votes, strict=True))
    return named and len({word.strip().casefold() for word in words}) == 1


def _joined(rows: Sequence[Row]) -> tuple[str, ...]:
    """The cells of a column below each other; a group's name reaches over the gaps to its right."""
    if len(rows) == 1:
        return tuple(rows[0])
    reached = [list(rows[0]), *map(list, rows[1:])]
    if _filled(rows[0]) < len(rows[0]):
        for at in range(1, len(reached[0])):
            reached[0][at] = reached[0][at].strip() or reached[0][at - 1]
    return tuple(" ".join(cell.strip() for cell in column if cell.strip()) for column in zip(*reached, strict=True))


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
    """Each column votes; without a clear vote the first row is the header, as in most files."""
    if [cell for cell in first if cell] == [str(number) for number in range(len(first))][: _filled(first)]:
        return len(first) > 1  # 0, 1, 2 …: how pandas names columns without names
    copies = sum(row == first for row in body)
    if 2 * copies < len(body):  # files pasted together repeat their header
        body = [row for row in body if row != first]
    columns = ([row[at].strip() for row in body if at < len(row) and row[at].strip()] for at in range(len(first)))
    votes = sum(_vote(cell.strip(), column) for cell, column in zip(first, columns, strict=True))
    return CLEAR_VOTE * votes > -len(first)


def _vote(cell: str, column: list[str]) -> int:
    """Above 0: the cell is unlike its column; below: it is one of its values; 0: it could be either."""
    if not cell:
        return 0
    if YEAR.fullmatch(cell):
        return -2 if not column or _share(YEAR, column) >= SHAPE_SHARE else 0
    if FIGURE.fullmatch(cell) or VALUE.match(cell):
        return -2
    if cell in column or len(cell) > LONGEST_NAME:
        return -1
    if column and _share(FIGURE, column) >= FIGURE_SHARE:
        return 1
    shape = _shape(cell)
    alike = sum(_shape(value) == shape for value in column) >= SHAPE_SHARE * max(1, len(column))
    return -1 if alike and "9" in shape else 0


def _share(pattern: re.Pattern[str], column: list[str]) -> float:
    return sum(pattern.fullmatch(value) is not None for value in column) / len(column)


def _shape(cell: str) -> str:
    """`C1_395` → `A9_999`: codes of one kind have one shape."""
    return re.sub(r"[^\W\d_]", "A", re.sub(r"\d", "9", cell))
