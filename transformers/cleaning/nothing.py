"""Cells that stand for nothing: words, and numbers and days that cannot be meant.

A word is taken for nothing where the column's other values leave no doubt; one that could be a code (NA, ND) or an
answer ("none") is only flagged. A number or a day is taken for it on evidence alone: it has the shape people choose
for it (9999, -1, 1900-01-01), it occurs again and again, and it lies far from all that the column holds besides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from transformers.cells.casts import not_a_number
from transformers.cells.columns import NUMERIC, TEMPORAL, TEXTUAL, Column
from transformers.cells.kinds import is_missing as is_missing_text
from transformers.cells.kinds import literal
from transformers.tables import quoted

if TYPE_CHECKING:
    import duckdb

ANSWERS = ("none", "nil")  # an answer to some questions
CODES = ("na", "nd", "nat")  # Namibia, North Dakota, a code of two or three letters
CODE_SHARE = 0.5  # of a column's values that have the word's own shape: from here the word is one of them
WORD_SURE, WORD_AMONG_TEXT = 0.99, 0.95  # confidence that a word is nothing, in a column of numbers and of words
ACTED_ON = 0.9  # confidence from which a sentinel is emptied; below it is flagged
LEAST_TIMES = 3  # a number that occurs once or twice is a value
FAR = 1.0  # spans of the other values (from their 1st to their 99th percentile) between them and a sentinel
ALONE = 0.1  # other values in the outer half of that way, by occurrences of the sentinel: more, and it is a long tail
SENTINEL_NUMBERS = frozenset(
    {float(sign + nines) for sign in ("", "-") for nines in ("99", "999", "9999", "99999", "999999", "9999999")}
    | {float(f"{sign}{nines}") for sign in ("", "-") for nines in ("99999999", "999999999", "9999999999")}
    | {-1.0, -9.0, 99.9, 999.9, 9999.9, 99.99, 999.99, 9999.99, 2147483647.0, -2147483648.0, 1e9, 1e10}
    | {float(digit * times) for digit in ("8", "7") for times in (3, 4, 5, 6)}
)
SENTINEL_DAYS = (
    "0001-01-01", "1111-11-11", "1601-01-01", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1901-01-01",
    "1970-01-01", "2099-12-31", "2999-12-31", "3000-12-31", "9999-12-31", "9999-12-30", "9999-01-01",
)  # fmt: skip
_DAYS = tuple((day, (date.fromisoformat(day) - date(1970, 1, 1)).total_seconds()) for day in SENTINEL_DAYS)
_SECONDS = frozenset(seconds for _, seconds in _DAYS)


@dataclass(frozen=True)
class Sentinel:
    """A value that stands for nothing; `number` is the seconds since 1970 where it is a day."""

    column: str
    value: str
    number: float
    times: int
    confidence: float
    reason: str


def is_blank(cell: str, physical: str) -> str:
    return f"({cell} IS NULL OR trim({cell}) = '')" if physical == "VARCHAR" else f"({cell} IS NULL)"


def is_word(column: Column, cell: str, doubtful: Sequence[str] = ()) -> str:
    """SQL: the cell is a word for nothing, and none of the doubtful ones."""
    text = f"trim({cell})"
    but = f" AND lower({text}) NOT IN ({', '.join(map(literal, doubtful))})" if doubtful else ""
    return f"({text} <> '' AND {is_missing_text(text)}{but})" if column.is_text else "false"


def doubtful_words(db: "duckdb.DuckDBPyConnection", column: Column) -> tuple[str, ...]:
    """Words that may be values of this column. In a column of numbers or dates none is."""
    if column.logical not in TEXTUAL or not column.disguised:
        return ()
    return ANSWERS + tuple(word for word in CODES if _is_code(db, column, word))


def _is_code(db: "duckdb.DuckDBPyConnection", column: Column, word: str) -> bool:
    """Whether most of the other values are letters, as many as the word has."""
    alike = f"regexp_full_match({column.cell}, '[A-Za-z]{{{len(word)}}}')"
    present = f'SELECT DISTINCT {column.cell} AS v, {alike} AS alike FROM "primary" WHERE NOT {column.is_missing}'
    [(share,)] = db.execute(f"SELECT avg(CAST(alike AS INTEGER)) FROM ({present})").fetchall()
    return bool(share is not None and share >= CODE_SHARE)


def sentinels(db: "duckdb.DuckDBPyConnection", column: Column) -> list[Sentinel]:
    """Most certain first."""
    if column.logical not in NUMERIC + TEMPORAL or not column.present:
        return []
    found = _judged(db, column, _number(column, quoted(column.name)))
    return sorted(found, key=lambda one: (-one.confidence, one.number))


def _number(column: Column, cell: str) -> str:
    """SQL: any expression for the column's cell as a DOUBLE; a moment as the seconds of its day since 1970."""
    value = column.value_of(f"trim({cell})") if column.is_text else cell
    if column.logical in TEMPORAL:
        return f"epoch(date_trunc('day', CAST({value} AS TIMESTAMP)))"
    return f"CAST({value} AS DOUBLE)"


def _judged(db: "duckdb.DuckDBPyConnection", column: Column, number: str) -> Iterator[Sentinel]:
    shapes = _SECONDS if column.logical in TEMPORAL else SENTINEL_NUMBERS
    shaped = ", ".join(repr(x) for x in sorted(shapes))
    finite = f'FROM (SELECT {number} AS x FROM "primary") WHERE isfinite(x)'
    candidates = db.execute(
        f"SELECT x, count(*) AS n {finite} AND x IN ({shaped}) GROUP BY x HAVING n >= {LEAST_TIMES} ORDER BY x"
    ).fetchall()
    if not candidates:
        return
    rest = f"{finite} AND x NOT IN ({shaped})"
    [(first, last)] = db.execute(f"SELECT quantile_disc(x, 0.01), quantile_disc(x, 0.99) {rest}").fetchall()
    for x, times in candidates:
        gap = max(first - x, x - last) if first is not None else 0.0
        if gap <= 0:
            continue
        beyond = f"x < {(x + first) / 2!r}" if x < first else f"x > {(x + last) / 2!r}"
        [(crowd,)] = db.execute(f"SELECT count(*) {rest} AND {beyond}").fetchall()
        far = gap > FAR * (last - first or abs(last)) and crowd <= ALONE * times
        if far or (x < 0 <= first):
            yield Sentinel(column.name, _written(column, x), x, times, _confidence(times, sure=far), _reason(times))


def _written(column: Column, number: float) -> str:
    return next(day for day, x in _DAYS if x == number) if column.logical in TEMPORAL else f"{number:.12g}"


def _confidence(times: int, *, sure: bool) -> float:
    """Each further time halves the doubt; where the value is only of the wrong sign, half of the doubt stays."""
    certain = min(0.99, 1 - 0.5 ** (times + 1))
    return round(certain if sure else certain / 2, 4)


def _reason(times: int) -> str:
    return f"Occurs {times:,} times, away from all other values, in a shape that stands for nothing."


def is_sentinel(column: Column, cell: str, found: Sequence[Sentinel]) -> str:
    """SQL on any expression for the column's cell."""
    if not found:
        return "false"
    listed = ", ".join(repr(one.number) for one in found)
    return f"coalesce({_number(column, cell)} IN ({listed}), false)"


@dataclass(frozen=True)
class Nothing:
    """What of a column stands for nothing. `cell` is SQL for its cell, in any state."""

    column: Column
    disguised: bool  # whether it is looked for
    doubtful: tuple[str, ...]
    sentinels: tuple[Sentinel, ...]

    @property
    def sure(self) -> tuple[Sentinel, ...]:
        return tuple(one for one in self.sentinels if one.confidence >= ACTED_ON)

    @property
    def unsure(self) -> tuple[Sentinel, ...]:
        return tuple(one for one in self.sentinels if one.confidence < ACTED_ON)

    def is_word(self, cell: str) -> str:
        """Words, and what is no number in a column of floats."""
        if not self.disguised:
            return "false"
        nan = not_a_number(cell) if self.column.physical in {"FLOAT", "DOUBLE"} else "false"
        return f"coalesce({is_word(self.column, cell, self.doubtful) if self.column.is_text else nan}, false)"

    def is_sentinel(self, cell: str) -> str:
        return is_sentinel(self.column, cell, self.sure)

    @property
    def condition(self) -> str:
        """SQL: the cell, as the table has it, is missing or stands for nothing."""
        cell = quoted(self.column.name)
        return f"({is_blank(cell, self.column.physical)} OR {self.is_word(cell)} OR {self.is_sentinel(cell)})"

    @property
    def may_be_missing(self) -> bool:
        return bool(self.column.missing or self.sure)


def nothing_of(db: "duckdb.DuckDBPyConnection", column: Column, *, disguised: bool) -> Nothing:
    if not disguised:
        return Nothing(column, disguised=False, doubtful=(), sentinels=())
    doubtful = doubtful_words(db, column)
    return Nothing(column, disguised=True, doubtful=doubtful, sentinels=tuple(sentinels(db, column)))
