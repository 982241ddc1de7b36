"""Delimiter, quote and escape of a text, by trying each on a sample and judging the tables that come out.

A good table has rows of one width, more than one column, and cells that hide no other delimiter. (DuckDB's own
sniffer is wrong on half of the messy files; Python's refuses many.)
"""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

NO_DELIMITER = "\x1f"  # ASCII's unit separator: what the csv module splits by in a file of one column
DELIMITERS = {",": 1.0, ";": 1.0, "\t": 1.0, "|": 1.0, "^": 0.8, "~": 0.8, "%": 0.8, "\x01": 0.8, ":": 0.5, " ": 0.5}
WEAK = " :"  # they stand inside dates, times and sentences: every row must agree, and hold figures
STRONG_CELL = re.compile(r"[-+$€£]?\d[\d.,:/%-]*")
OTHER_DELIMITER = re.compile(r"[;\t|\x01]")
LOWEST_SCORE = 0.2  # below it, one column is the better reading: a list of sentences has commas here and there
JUDGED_ROWS = 500


@dataclass(frozen=True)
class Dialect:
    """`delimiter` is None in a file of one column."""

    delimiter: str | None
    quote: str = '"'
    escape: str | None = None
    skips_space: bool = False  # `a, "b, c"`: the quote comes after a space

    def options(self, *, strict: bool) -> dict[str, Any]:
        """For csv.reader."""
        return {
            "delimiter": self.delimiter or NO_DELIMITER,
            "quotechar": self.quote,
            "escapechar": self.escape,
            "skipinitialspace": self.skips_space,
            "strict": strict,
        }


def sniff_dialect(sample: str) -> Dialect:
    quote = _quote(sample)
    scores = {delimiter: _score(sample, delimiter, quote) * prior for delimiter, prior in DELIMITERS.items()}
    best = max(scores, key=lambda delimiter: scores[delimiter])
    if scores[best] < LOWEST_SCORE:
        return Dialect(None, quote)
    spaced = best != " " and re.search(rf"{re.escape(best)} +{quote}", sample) is not None
    plain = Dialect(best, quote, None, spaced)
    return _with_escape(sample, plain)


def parse(sample: str, dialect: Dialect, *, strict: bool = False) -> list[list[str]]:
    """Rows of a sample, blank lines left out; what comes after an error is left out too."""
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(sample, newline=""), **dialect.options(strict=strict))
    try:
        rows.extend(row for row in reader if row and (len(row) > 1 or row[0].strip()))
    except csv.Error:
        if strict:
            raise
    return rows


def _quote(sample: str) -> str:
    """Single quotes only where they open and close cells more often than double ones."""
    singles = len(re.findall(r"(?:^|[,;\t|])\s*'[^'\n]*'(?=\s*(?:[,;\t|]|$))", sample, re.MULTILINE))
    doubles = len(re.findall(r'(?:^|[,;\t|])\s*"[^"\n]*"(?=\s*(?:[,;\t|]|$))', sample, re.MULTILINE))
    return "'" if singles > doubles and doubles == 0 else '"'


def _score(sample: str, delimiter: str, quote: str) -> float:
    if delimiter not in sample:
        return 0.0
    rows = parse(sample, Dialect(delimiter, quote, None, delimiter != " "))[:JUDGED_ROWS]
    widths = Counter(map(len, rows))
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(1, 0))
    if width == 1:
        return 0.0
    consistency = count / len(rows)
    if delimiter in WEAK and not (consistency == 1.0 and _has_figures(rows)):
        return 0.0
    first = 1.2 if len(rows[0]) == width else 1.0  # the header is the row least likely to be ragged
    return consistency * (1 - 1 / width) * _plain_share(rows) * first


def _has_figures(rows: list[list[str]]) -> bool:
    cells = [cell for row in rows[1:] for cell in row]
    return len(rows) > 2 and 2 * sum(STRONG_CELL.fullmatch(cell) is not None for cell in cells) >= len(cells)  # noqa: PLR2004


def _plain_share(rows: list[list[str]]) -> float:
    cells = [cell for row in rows for cell in row]
    return sum(OTHER_DELIMITER.search(cell) is None for cell in cells) / len(cells)


def _with_escape(sample: str, plain: Dialect) -> Dialect:
    r"""`\"` is an escape only where the text cannot be read without it: paths and JSON have backslashes too."""
    if f"\\{plain.quote}" not in sample:
        return plain
    escaped = Dialect(plain.delimiter, plain.quote, "\\", plain.skips_space)
    return escaped if _trouble(sample, escaped) < _trouble(sample, plain) else plain


def _trouble(sample: str, dialect: Dialect) -> int:
    """Rows of another width than most, after a quote out of place the rest of the text too."""
    try:
        rows = parse(sample, dialect, strict=True)
    except csv.Error:
        return len(sample)
    widths = Counter(map(len, rows))
    return len(rows) - max(widths.values(), default=0)
