"""Polluted files with a known truth: real tables, written with one fault a file (after the fashion of Pollock).

Every file is a function of its base table and the seed. Cells are as they were written, but for the spaces around
them; `spare` are cells above or below the table, which a reader must tell of.
"""

import csv
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from scores.public_data import data

ROWS = 60
BASES = (  # what is public, of text and figures, with commas, quotes and colons in the cells
    ("err-beers/clean.csv", ",", "utf-8"),
    ("err-flights/clean.csv", ",", "utf-8"),
    ("err-hospital/clean.csv", ",", "utf-8"),
    ("er-dblp-acm/dblpclean.csv", "%", "latin-1"),
    ("er-splink-fake1000/fake_1000.csv", ",", "utf-8"),
)
Rows = list[list[str]]


@dataclass(frozen=True)
class Polluted:
    name: str
    content: bytes
    delimiter: str
    header: list[str] | None
    rows: Rows
    spare: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Base:
    name: str
    header: list[str]
    rows: Rows
    dice: random.Random

    def some_row(self) -> int:
        return self.dice.randrange(5, len(self.rows) - 5)

    @property
    def numeric(self) -> int:
        """A column of figures, not the first."""
        share = [sum(row[at].replace(".", "").isdigit() for row in self.rows) for at in range(len(self.header))]
        return max(range(1, len(share)), key=lambda at: share[at])


@dataclass(frozen=True)
class Hand:
    """How a file is written."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""  # else marks are doubled
    every: bool = False  # every cell is quoted
    newline: str = "\n"
    trailing: str = ""
    final: bool = True

    def cell(self, text: str) -> str:
        needs = any(part in text for part in (self.delimiter, self.quote, "\n", "\r") if part) or text != text.strip()
        if not self.quote or not (needs or self.every):
            return text
        doubled = text.replace(self.quote, (self.escape or self.quote) + self.quote)
        return f"{self.quote}{doubled}{self.quote}"

    def line(self, row: list[str]) -> str:
        return self.delimiter.join(map(self.cell, row)) + self.trailing

    def text(self, rows: Rows) -> str:
        return self.newline.join(map(self.line, rows)) + (self.newline if self.final else "")


def polluted_files(seed: int) -> Iterator[Polluted]:
    for base in _bases(seed):
        for name, make in POLLUTIONS.items():
            yield replace(make(base), name=f"{base.name} {name}")


def _bases(seed: int) -> Iterator[Base]:
    for place, delimiter, encoding in BASES:
        with data(*place.split("/")).open(encoding=encoding, newline="") as stream:
            header, *rows = [row for row, _ in zip(csv.reader(stream, delimiter=delimiter), range(400), strict=False)]
        dice = random.Random(f"{seed} {place}")
        chosen = sorted(dice.sample(range(len(rows)), ROWS))
        yield Base(place.split("/")[0], header, _seasoned([rows[at] for at in chosen], dice), dice)


def _seasoned(rows: Rows, dice: random.Random) -> Rows:
    """Some cells that need quotes: a comma, a line break, a quotation, an accent."""
    column = max(range(len(rows[0])), key=lambda at: len({row[at] for row in rows}) * (not rows[0][at].isdigit()))
    for words in ("Portland, Oregon", "first line\nsecond line", 'the "old" one', "Café Zürich, naïve", "O'Neil's"):
        rows[dice.randrange(len(rows))][column] = words
    return rows


def _written(base: Base, hand: Hand, **known: object) -> Polluted:
    text = hand.text([base.header, *base.rows])
    return Polluted("", text.encode(), hand.delimiter, base.header, base.rows, **known)  # type: ignore[arg-type]


def _by(**habits: object) -> Callable[[Base], Polluted]:
    return lambda base: _written(base, Hand(**habits))  # type: ignore[arg-type]


def _plain(base: Base, *without: str) -> Base:
    """No cell holds what would need a quotation mark."""
    table = str.maketrans(dict.fromkeys(without, " "))
    return replace(base, rows=[[cell.translate(table) for cell in row] for row in base.rows])


def _unquoted(delimiter: str) -> Callable[[Base], Polluted]:
    return lambda base: _written(_plain(base, delimiter, "\n", '"', "'"), Hand(delimiter, quote=""))


def _escaped_delimiters(base: Base) -> Polluted:
    base = _plain(base, "\n", '"', "\\")
    lines = [",".join(cell.replace(",", "\\,") for cell in row) for row in (base.header, *base.rows)]
    return Polluted("", ("\n".join(lines) + "\n").encode(), ",", base.header, base.rows)


def _encoded(encoding: str) -> Callable[[Base], Polluted]:
    return lambda base: replace(made := _written(base, Hand()), content=made.content.decode().encode(encoding))


def _mixed_newlines(base: Base) -> Polluted:
    lines = [Hand().line(row) for row in (base.header, *base.rows)]
    ends = ["\n", "\r\n", "\r"]
    text = "".join(line + base.dice.choice(ends) for line in lines)
    return Polluted("", text.encode(), ",", base.header, base.rows)


def _around(above: str, below: str, spare: list[str], **habits: object) -> Callable[[Base], Polluted]:
    def made(base: Base) -> Polluted:
        hand = Hand(**habits)  # type: ignore[arg-type]
        wide = hand.delimiter * (len(base.header) - 1)
        text = above.replace("@", wide) + hand.text([base.header, *base.rows]) + below.replace("@", wide)
        return Polluted("", text.encode(), hand.delimiter, base.header, base.rows, spare)

    return made


def _no_header(base: Base) -> Polluted:
    return Polluted("", Hand().text(base.rows).encode(), ",", None, base.rows)


def _two_headers(*, units: bool) -> Callable[[Base], Polluted]:
    def made(base: Base) -> Polluted:
        over = ["" if at % 3 else f"Group {at // 3}" for at in range(len(base.header))]
        under = [f"unit {at}" for at in range(len(base.header))]
        heads = [base.header, under] if units else [over, base.header]
        text = Hand().text([*heads, *base.rows])
        spare = [cell for head in heads for cell in head if cell]
        return Polluted("", text.encode(), ",", None, base.rows, spare)

    return made


def _repeated_header(base: Base) -> Polluted:
    at = base.some_row()
    return replace(_lines(base, {at: Hand().line(base.header) + "\n" + Hand().line(base.rows[at])}), spare=[])


def _same_names(base: Base) -> Polluted:
    header = [base.header[at - (at % 2)] for at in range(len(base.header))]
    return replace(_written(replace(base, header=header), Hand()), header=None, spare=[])


def _lines(base: Base, changed: dict[int, str], truth: dict[int, list[str]] | None = None) -> Polluted:
    """Some lines as given; their cells as `truth` says, where they are not what they were."""
    lines = [Hand().line(base.header), *(changed.get(at, Hand().line(row)) for at, row in enumerate(base.rows))]
    rows = [(truth or {}).get(at, row) for at, row in enumerate(base.rows)]
    return Polluted("", ("\n".join(lines) + "\n").encode(), ",", base.header, rows)


def _short_rows(base: Base) -> Polluted:
    rows = {base.some_row(): base.dice.randrange(1, 3) for _ in range(3)}
    cut = {at: base.rows[at][:-n] for at, n in rows.items()}
    return _lines(base, {at: Hand().line(row) for at, row in cut.items()}, cut)


def _long_rows(surplus: str) -> Callable[[Base], Polluted]:
    def made(base: Base) -> Polluted:
        at = base.some_row()
        row = [*base.rows[at], surplus]
        return _lines(base, {at: Hand().line(row)}, {at: row})

    return made


def _merged_cells(base: Base) -> Polluted:
    base = _plain(base, '"', "\n", ",")
    at, column = base.some_row(), base.dice.randrange(len(base.header) - 1)
    row = base.rows[at]
    merged = [*row[:column], row[column] + row[column + 1], *row[column + 2 :]]
    return _lines(base, {at: Hand().line(merged)}, {at: merged})


def _extra_separator(base: Base) -> Polluted:
    at, column = base.some_row(), base.dice.randrange(1, len(base.header))
    row = [*base.rows[at][:column], "", *base.rows[at][column:]]
    return _lines(base, {at: Hand().line(row)}, {at: row})


def _other_delimiter(delimiter: str) -> Callable[[Base], Polluted]:
    def made(base: Base) -> Polluted:
        at = base.some_row()
        return _lines(base, {at: Hand(delimiter).line(base.rows[at])})

    return made


def _stray_quote(form: str) -> Callable[[Base], Polluted]:
    """One cell as `form` says, @ being its text."""

    def made(base: Base) -> Polluted:
        base = _plain(base, '"', "\n", ",")
        at, column = base.some_row(), base.dice.randrange(len(base.header))
        row = list(base.rows[at])
        row[column] = form.replace("@", row[column] or "x")
        shown = list(row)
        if form == '"@"@':
            shown[column] = (base.rows[at][column] or "x") * 2
        return _lines(base, {at: ",".join(row)}, {at: shown})

    return made


def _blank_lines(blank: str) -> Callable[[Base], Polluted]:
    def made(base: Base) -> Polluted:
        places = [base.some_row() for _ in range(3)]
        return _lines(base, {at: f"{blank}\n" + Hand().line(base.rows[at]) for at in places})

    return made


def _trailing_in_rows(base: Base) -> Polluted:
    lines = [Hand().line(base.header), *(Hand(trailing=",").line(row) for row in base.rows)]
    return Polluted("", ("\n".join(lines) + "\n").encode(), ",", base.header, base.rows)


def _padded(base: Base) -> Polluted:
    width = [max(map(len, column)) for column in zip(base.header, *base.rows, strict=True)]
    base = _plain(base, ",", '"', "\n")
    lines = [
        ", ".join(cell.ljust(min(30, n)) for cell, n in zip(row, width, strict=True))
        for row in (base.header, *base.rows)
    ]
    return Polluted("", ("\n".join(lines) + "\n").encode(), ",", base.header, base.rows)


def _hard_cells(words: str) -> Callable[[Base], Polluted]:
    """A tenth of the rows has such a cell in its last column."""

    def made(base: Base) -> Polluted:
        chosen = set(base.dice.sample(range(len(base.rows)), len(base.rows) // 10))
        rows = [[*row[:-1], words] if at in chosen else row for at, row in enumerate(base.rows)]
        return _written(replace(base, rows=rows), Hand())

    return made


REPORT = ["Quarterly report", "Source: the office", "12 March 2024", "Prepared by Ann; not for publication"]
POLLUTIONS: dict[str, Callable[[Base], Polluted]] = {
    **{f"delimiter {name!r}": _by(delimiter=name) for name in (",", ";", "\t", "|", ":", " ", "^", "~", "\x01")},
    **{f"delimiter {name!r}": _by(delimiter=name) for name in ("||", "::", ", ", ";;", "~|~", "@#@", "\t\t")},
    **{f"unquoted {name!r}": _unquoted(name) for name in (",", ";", "\t", "|")},
    "quote '": _by(quote="'"),
    "quote ' everywhere": _by(quote="'", every=True),
    'quote " everywhere': _by(every=True),
    'quote " everywhere, ;': _by(every=True, delimiter=";"),
    "escape \\": _by(escape="\\"),
    "escape \\ everywhere": _by(escape="\\", every=True),
    "escaped delimiters": _escaped_delimiters,
    "newline CR": _by(newline="\r"),
    "newline CRLF": _by(newline="\r\n"),
    "newlines mixed": _mixed_newlines,
    "no final newline": _by(final=False),
    "two final newlines": _around("", "\n", []),
    **{f"encoding {name}": _encoded(name) for name in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")},
    **{f"encoding {name}": _encoded(name) for name in ("latin-1", "cp1252", "mac_roman")},
    "preamble of one line": _around(f"{REPORT[0]}\n", "", REPORT[:1]),
    "preamble and blank line": _around(f"{REPORT[0]}\n\n", "", REPORT[:1]),
    "preamble of three lines": _around("\n".join(REPORT[:3]) + "\n", "", REPORT[:3]),
    "preamble as wide as the table": _around(f"{REPORT[0]}@\n@\n", "", REPORT[:1]),
    "preamble of comments": _around(f"# {REPORT[0]}\n# {REPORT[2]}\n", "", [f"# {REPORT[0]}", f"# {REPORT[2]}"]),
    "preamble that names the separator": _around("sep=;\n", "", [], delimiter=";"),
    "footer of one line": _around("", f"{REPORT[1]}\n", REPORT[1:2]),
    "footer after a blank line": _around("", f"\n{REPORT[1]}\n{REPORT[3]}\n", [REPORT[1], REPORT[3]]),
    "footer as wide as the table": _around("", f"{REPORT[1]}@\n", REPORT[1:2]),
    "no header": _no_header,
    "header of two rows": _two_headers(units=False),
    "header with units below": _two_headers(units=True),
    "header repeated": _repeated_header,
    "header with equal names": _same_names,
    "short rows": _short_rows,
    "row with an empty surplus": _long_rows(""),
    "row with a surplus": _long_rows("surplus"),
    "row without a separator": _merged_cells,
    "row with a separator too many": _extra_separator,
    **{f"row with {name!r}": _other_delimiter(name) for name in (";", "\t", "|", " ")},
    "stray quote opens": _stray_quote('"@'),
    "stray quote within": _stray_quote('@ 5" @'),
    "stray quote closes": _stray_quote('@"'),
    "text after a quoted cell": _stray_quote('"@"@'),
    "blank lines": _blank_lines(""),
    "lines of spaces": _blank_lines("   "),
    "trailing delimiters": _by(trailing=","),
    "trailing delimiters in rows": _trailing_in_rows,
    "padded cells": _padded,
    "cells with all delimiters": _hard_cells("a,b;c|d\te:f g"),
    "cells with many lines": _hard_cells("one\n\ntwo, three\nfour"),
    "cells with JSON": _hard_cells('{"k": ["v", 1], "w": "x;y"}'),
    "cells with backslashes": _hard_cells("C:\\temp\\"),
}
