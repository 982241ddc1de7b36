"""Cells that stand for nothing: words, and numbers and days that cannot be meant.

A word is taken for nothing where the column's other values leave no doubt; one that could be a code (NA, ND) or an
answer ("none") is only flagged. A number or a day is taken for it on evidence alone: it has the shape people choose
for it (9999, -1, 1900-01-01), it occurs again and again, and it lies far from all that the column holds besides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
FAR = 1.0  # spans of the other values (their 1st to 99th percentile) that lie between them and a sentinel
CANDIDATES = 8  # at either end of a column
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


@dataclass(frozen=True)
class Sentinel:
    """A value that stands for nothing. `condition` is SQL on the cell as the table has it."""

    column: str
    value: str
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
    present = f"SELECT DISTINCT {column.cell} AS v, {alike} AS alike FROM \"primary\" WHERE NOT {column.is_missing}"
    [(share,)] = db.execute(f"SELECT avg(CAST(alike AS INTEGER)) FROM ({present})").fetchall()
    return bool(share is not None and share >= CODE_SHARE)


def sentinels(db: "duckdb.DuckDBPyConnection", column: Column) -> list[Sentinel]:
    """Most certain first."""
    if column.logical in NUMERIC:
        found = _judged(column, _ends(db, column, f"CAST({column.value} AS DOUBLE)"))
    elif column.logical in TEMPORAL:
        found = _judged(column, _ends(db, column, f"epoch(CAST({column.value} AS TIMESTAMP))"))
    else:
        found = iter(())
    return sorted(found, key=lambda one: (-one.confidence, one.value))


@dataclass(frozen=True)
class Ends:
    """The extreme values (number, as written, times) and the span of the values between the two of them."""

    low: tuple[tuple[float, str, int], ...]
    high: tuple[tuple[float, str, int], ...]
    first: float
    last: float


def _ends(db: "duckdb.DuckDBPyConnection", column: Column, number: str) -> Ends | None:
    values = (
        f"SELECT x, any_value(v ORDER BY v) AS v, count(*) AS n FROM (SELECT {number} AS x, {_written(column)} AS v"
        f' FROM "primary") WHERE isfinite(x) GROUP BY x'
    )
    ends = {
        side: tuple(db.execute(f"SELECT x, v, n FROM ({values}) ORDER BY x {side} LIMIT {CANDIDATES}").fetchall())
        for side in ("ASC", "DESC")
    }
    ends = {side: tuple(one for one in found if _has_shape(column, one)) for side, found in ends.items()}
    if not any(ends.values()):
        return None
    shaped = ", ".join(repr(x) for found in ends.values() for x, *_ in found)
    rest = f"SELECT {number} AS x FROM \"primary\""
    [(first, last)] = db.execute(
        f"SELECT quantile_disc(x, 0.01), quantile_disc(x, 0.99) FROM ({rest}) WHERE isfinite(x) AND x NOT IN ({shaped})"
    ).fetchall()
    return None if first is None else Ends(ends["ASC"], ends["DESC"], float(first), float(last))


def _written(column: Column) -> str:
    return f"strftime(CAST({column.value} AS TIMESTAMP), '%Y-%m-%d')" if column.logical in TEMPORAL else column.cell


def _has_shape(column: Column, found: tuple[float, str, int]) -> bool:
    number, written, _ = found
    return written in SENTINEL_DAYS if column.logical in TEMPORAL else number in SENTINEL_NUMBERS


def _judged(column: Column, ends: Ends | None) -> Iterator[Sentinel]:
    if ends is None:
        return
    span = ends.last - ends.first
    for number, written, times in {*ends.low, *ends.high}:
        gap = max(ends.first - number, number - ends.last)
        if times < LEAST_TIMES or gap <= 0:
            continue
        far = gap > FAR * span if span else gap > abs(ends.last)
        negative = number < 0 <= ends.first
        if far or negative:
            yield Sentinel(column.name, written, times, _confidence(times, sure=far), _reason(times))


def _confidence(times: int, *, sure: bool) -> float:
    """Each further time halves the doubt; where the value is only of the wrong sign, half of the doubt stays."""
    certain = min(0.99, 1 - 0.5 ** (times + 1))
    return round(certain if sure else certain / 2, 4)


def _reason(times: int) -> str:
    return f"Occurs {times:,} times, far from all other values, in a shape that stands for nothing."


def is_sentinel(column: Column, cell: str, found: Sequence[Sentinel]) -> str:
    """SQL on any expression for the column's cell."""
    if not found:
        return "false"
    listed = ", ".join(literal(one.value) for one in found)
    if column.logical in TEMPORAL:
        value = column.value_of(f"trim({cell})") if column.is_text else cell
        return f"coalesce(strftime(CAST({value} AS TIMESTAMP), '%Y-%m-%d') IN ({listed}), false)"
    value = column.value_of(f"trim({cell})") if column.is_text else cell
    numbers = ", ".join(f"CAST({literal(one.value)} AS DOUBLE)" for one in found)
    return f"coalesce(CAST({value} AS DOUBLE) IN ({numbers}), false)"


def as_found(column: Column) -> str:
    return quoted(column.name)
