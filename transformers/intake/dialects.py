"""Delimiter, quote and escape of a text: every combination is tried on a sample, and the best table wins.

A good table has rows of one width, more than one column, and cells that hide no other delimiter. (DuckDB's own
sniffer is wrong on half of the messy files; Python's refuses many.)
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

NO_DELIMITER = "\x1f"  # ASCII's unit separator: what the csv module splits by in a file of one column
STAND_IN = "\U0010fffe"  # no character, in no text: what it splits by where a delimiter has several characters
DELIMITERS = {",": 1.0, ";": 1.0, "\t": 1.0, "|": 1.0, "^": 0.8, "~": 0.8, "%": 0.8, "\x01": 0.8, ":": 0.5, " ": 0.5}
WEAK = " :"  # they stand inside dates, times and sentences: the rows must agree, and hold figures or be many
LONG_DELIMITER = re.compile(r"[^\w\s\"'\\.\-()\[\]{}/+$€£]{2,4}|\t{2,4}")
LONG_CANDIDATES = 3
LONG_PRIOR = 1.05  # `~|~` in every row is no `|` between two tildes
STRONG_CELL = re.compile(r"[-+$€£]?\d[\d.,:/%-]*")
OTHER_DELIMITER = re.compile(r"[;\t|\x01]")
LOWEST_SCORE = 0.2  # below it, one column is the better reading: a list of sentences has commas here and there
JUDGED_ROWS = 500
WEAK_CONSISTENCY = 0.95
MANY_ROWS = 8  # of one width, by chance: no list of sentences
SINGLE_QUOTES = 10  # cells in single quotes for each one in double quotes: the double ones are text then


@dataclass(frozen=True)
class Dialect:
    """`delimiter` is None in a file of one column, and may have several characters."""

    delimiter: str | None
    quote: str = '"'
    escape: str | None = None
    skips_space: bool = False  # `a, "b, c"`: the quote comes after a space

    @property
    def is_long(self) -> bool:
        return self.delimiter is not None and len(self.delimiter) > 1

    @property
    def split_by(self) -> str:
        return STAND_IN if self.is_long else self.delimiter or NO_DELIMITER

    def options(self, *, strict: bool) -> dict[str, Any]:
        """For csv.reader, on lines as `prepared` gives them."""
        return {
            "delimiter": self.split_by,
            "quotechar": self.quote,
            "escapechar": self.escape,
            "skipinitialspace": self.skips_space,
            "strict": strict,
        }

    def prepared(self, line: str) -> str:
        r"""What the csv module is shown: it takes one character for a delimiter, and drops the backslash of `\N`."""
        if self.escape and self.escape in line:
            line = re.sub(rf"\\(?![\\\r\n{re.escape(self.quote + (self.delimiter or ''))}])|\\\\", r"\\\\", line)
        return line.replace(self.delimiter or "", STAND_IN) if self.is_long else line

    def restored(self, cells: list[str]) -> list[str]:
        """Cells in which the stand-in was text."""
        if not self.is_long:
            return cells
        return [cell.replace(STAND_IN, self.delimiter or "") for cell in cells]


def sniff_dialect(sample: str) -> Dialect:
    candidates = list(_candidates(sample))
    scores = [_score(sample, dialect) for dialect in candidates]
    best = max(range(len(scores)), key=lambda at: (scores[at], -at), default=None)
    if best is None or scores[best] < LOWEST_SCORE:
        return Dialect(None, _quote(sample, ","))
    found = candidates[best]
    spaced = found.delimiter != " " and re.search(rf"{re.escape(found.delimiter or '')} +{found.quote}", sample)
    return Dialect(found.delimiter, found.quote, found.escape, bool(spaced))


def parse(sample: str, dialect: Dialect, *, strict: bool = False) -> list[list[str]]:
    """Rows of a sample, blank lines left out; what comes after an error is left out too."""
    rows: list[list[str]] = []
    lines = io.StringIO(sample, newline="")
    reader = csv.reader(map(dialect.prepared, lines), **dialect.options(strict=strict))
    try:
        rows.extend(dialect.restored(row) for row in reader if row and (len(row) > 1 or row[0].strip()))
    except csv.Error:
        if strict:
            raise
    return rows


def _candidates(sample: str) -> Iterator[Dialect]:
    for delimiter in (*DELIMITERS, *_long_delimiters(sample)):
        if delimiter in sample:
            quote = _quote(sample, delimiter)
            yield Dialect(delimiter, quote)
            if f"\\{quote}" in sample or f"\\{delimiter}" in sample:
                yield Dialect(delimiter, quote, "\\")


def _long_delimiters(sample: str) -> list[str]:
    """Runs of signs that stand in most lines; `||||` is `||` around an empty cell, so the shorter one counts."""
    lines = [line for line in sample.splitlines()[:JUDGED_ROWS] if line]
    runs = Counter(run for line in lines for run in set(LONG_DELIMITER.findall(line)))
    frequent = [run for run, count in runs.most_common(LONG_CANDIDATES * 3) if 2 * count > len(lines)]
    return sorted(frequent, key=lambda run: (len(run), run))[:LONG_CANDIDATES]


def _quote(sample: str, delimiter: str) -> str:
    """Single quotes only where they open and close cells and double ones (hardly) do."""
    singles, doubles = _quoted_cells(sample, delimiter, "'"), _quoted_cells(sample, delimiter, '"')
    return "'" if singles > SINGLE_QUOTES * doubles else '"'


def _quoted_cells(sample: str, delimiter: str, quote: str) -> int:
    """No blank is a border too: else each border of a run of tabs would look through the rest of the run."""
    border = f"(?:{re.escape(delimiter)}|[,;\\t|])"
    blanks = rf"[^\S\n\t{' ' if delimiter == ' ' else ''}]*"
    cell = rf"(?:^|{border}){blanks}{quote}[^{quote}\n]*{quote}(?={blanks}(?:{border}|$))"
    return sum(1 for _ in re.finditer(cell, sample, re.MULTILINE))


def _score(sample: str, dialect: Dialect) -> float:
    """Between 0 and 1.2. An escape must earn its place: text has backslashes of its own."""
    delimiter = dialect.delimiter or ""
    shown = Dialect(delimiter, dialect.quote, dialect.escape, delimiter != " ")
    rows = parse(sample, shown)[:JUDGED_ROWS]
    widths = Counter(map(len, rows))
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(1, 0))
    if width == 1 or _halves_a_longer_one(rows, width):
        return 0.0
    consistency = count / len(rows)
    if delimiter in WEAK and not _is_no_sentence(rows, width, consistency):
        return 0.0
    first = 1.2 if len(rows[0]) == width else 1.0  # the header is the row least likely to be ragged
    whole = 1.0 if _is_well_quoted(sample, shown) else 0.98
    return consistency * (1 - 1 / width) * _plain_share(rows) * first * whole * DELIMITERS.get(delimiter, LONG_PRIOR)


def _is_well_quoted(sample: str, dialect: Dialect) -> bool:
    """Does the csv module's strict reader get through? The last row may be cut."""
    lines = sample.splitlines(keepends=True)
    try:
        parse("".join(lines[: JUDGED_ROWS // 2]), dialect, strict=True)
    except csv.Error:
        return False
    return True


def _halves_a_longer_one(rows: list[list[str]], width: int) -> bool:
    """`a||b||c` by `|` has an empty column between any two."""
    between = [cell for row in rows if len(row) == width for cell in row[1::2]]
    return width > 2 and width % 2 == 1 and not any(between)  # noqa: PLR2004 (two columns have none between)


def _is_no_sentence(rows: list[list[str]], width: int, consistency: float) -> bool:
    if consistency == 1.0 and _has_figures(rows):
        return True
    many = width > 2 and len(rows) >= MANY_ROWS  # noqa: PLR2004 (pairs of words are frequent)
    return many and consistency >= WEAK_CONSISTENCY and len(rows[0]) == width


def _has_figures(rows: list[list[str]]) -> bool:
    cells = [cell for row in rows[1:] for cell in row]
    return len(rows) > 2 and 2 * sum(STRONG_CELL.fullmatch(cell) is not None for cell in cells) >= len(cells)  # noqa: PLR2004


def _plain_share(rows: list[list[str]]) -> float:
    cells = [cell for row in rows for cell in row]
    return sum(OTHER_DELIMITER.search(cell) is None for cell in cells) / len(cells)
