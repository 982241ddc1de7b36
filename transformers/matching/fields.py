"""Which columns tell entities apart, and how each is compared: by the evidence of its values, never by its name.

A Field is a column as the matching sees it: normalised text `f{index}` of the table `er_records`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import log2
from typing import TYPE_CHECKING

from transformers.cells.columns import NUMERIC, TEMPORAL, TYPE_SHARE, Column, LogicalType
from transformers.cells.kinds import is_missing as missing
from transformers.cells.kinds import literal
from transformers.cells.semantic_types import SemanticType
from transformers.cells.values import gathered
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

MOST_FIELDS = 12  # compared; those that tell most. Beyond it another field hardly moves a probability
LEAST_BITS = 1.2  # a flag or a sex (1 bit) tells less than it costs, and misleads where matches are few
LEAST_PRESENT = 0.02
RARER = 3.0  # than the usual value: a third of its share; common: three times it
MOST_BITS = 20.0  # a million different values: more do not tell more
ONE_TOKEN = 1.6  # words a value, on average: below it a column holds single names or codes
ALPHABETIC = 0.8  # of the values are letters only: names
WITH_DIGITS = 0.5
CODE_LENGTH = 4.5  # digits, on average, from which a whole number is a code rather than a quantity
SERIAL_DENSITY = 0.9  # unique whole numbers that fill their range are row numbers
MANY_COPIES = 0.1  # of the rows: so many make what is common in them common in the table
FIRST_ROWS = "er_first_rows"
NUMBERS_ROWS = "it numbers the rows: every value is its own"
DATE_OF_DIGITS = r"(18|19|20)[0-9]{2}(0[0-9]|1[0-2])([0-2][0-9]|3[01])"


class FieldKind(StrEnum):
    NAME = "name"
    DATE = "date"
    CODE = "code"
    EMAIL = "email"
    TEXT = "text"
    NUMBER = "number"


@dataclass(frozen=True)
class Field:
    """`bits` is the information of one value (Shannon's lower bound, from the chance that two rows agree)."""

    index: int
    column: Column
    kind: FieldKind
    bits: float
    present: float
    distinct: int

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def usual(self) -> float:
        """The share of a usual value: the chance that two rows agree."""
        return float(2.0**-self.bits)

    @property
    def telling(self) -> float:
        return _telling(self.kind, self.bits, self.present)

    @property
    def sql(self) -> str:
        return f"f{self.index}"

    @property
    def normalised(self) -> str:
        """SQL over the customer's table: the value as it is compared; NULL where there is none."""
        return _NORMALISED[self.kind](self.column)


@dataclass(frozen=True)
class LeftOut:
    column: str
    reason: str


def _plain(column: Column) -> str:
    return f"CASE WHEN NOT {column.is_missing} THEN {_words_of(column.cell)} END"


def _words_of(text: str) -> str:
    """Small letters and digits, one space between words; whatever the script. NULL where nothing is left."""
    letters = f"regexp_replace(lower(strip_accents({text})), '[''’`]', '', 'g')"
    return rf"nullif(trim(regexp_replace({letters}, '[^\pL\pN\pM]+', ' ', 'g')), '')"


def _code(column: Column) -> str:
    compact = rf"regexp_replace(lower({column.cell}), '[^\pL\pN]+', '', 'g')"
    return f"CASE WHEN NOT {column.is_missing} THEN nullif({compact}, '') END"


def _date(column: Column) -> str:
    """yyyymmdd; where only a year can be read, yyyy0000."""
    digits = f"regexp_replace({column.cell}, '[^0-9]+', '', 'g')"
    year = f"nullif(regexp_extract({column.cell}, '(18|19|20)[0-9][0-9]'), '') || '0000'"
    if column.logical in TEMPORAL:
        return f"coalesce(strftime({column.value}, '%Y%m%d'), {year})"
    return f"CASE WHEN regexp_full_match({digits}, {literal(DATE_OF_DIGITS)}) THEN {digits} ELSE {year} END"


def _email(column: Column) -> str:
    return f"CASE WHEN NOT {column.is_missing} THEN lower({column.cell}) END"


def _number(column: Column) -> str:
    value = f"CAST({column.value} AS DOUBLE)"
    return f"CASE WHEN isfinite({value}) THEN CAST({value} AS VARCHAR) END"


_NORMALISED = {
    FieldKind.NAME: _plain,
    FieldKind.TEXT: _plain,
    FieldKind.CODE: _code,
    FieldKind.DATE: _date,
    FieldKind.EMAIL: _email,
    FieldKind.NUMBER: _number,
}


@dataclass(frozen=True)
class _Evidence:
    """Of one column's normalised values. `collisions` is the chance that two present rows agree."""

    present: int
    distinct: int
    collisions: float
    words: float
    length: float
    alphabetic: float
    with_digits: float
    dates: float
    span: float | None
    whole: bool
    within: int  # distinct values counted within each source


def choose_fields(
    db: "duckdb.DuckDBPyConnection",
    table: Table,
    columns: Sequence[Column],
    across: str | None,
    most: int = MOST_FIELDS,
) -> tuple[tuple[Field, ...], tuple[LeftOut, ...]]:
    """The `most` fields that tell most, in the customer's order; and why the others are not compared."""
    asked = [column for column in columns if column.name != across and column.logical is not LogicalType.EMPTY]
    known = _evidence(db, table, asked, across)
    numbers = {column.name for column in asked if column.name in known and _is_row_number(column, known[column.name])}
    if across is None:
        told = [column for column in asked if column.name in known and column.name not in numbers]
        table, known = _without_copies(db, table, told, known)
    found: list[tuple[Column, FieldKind, float, _Evidence]] = []
    left_out: list[LeftOut] = []
    for column in columns:
        if column.name == across:
            continue
        if column.name not in known:
            left_out.append(LeftOut(column.name, "it is empty"))
            continue
        evidence = known[column.name]
        bits = -log2(max(evidence.collisions, 1e-18))
        reason = NUMBERS_ROWS if column.name in numbers else _why_not(table, evidence, bits)
        if reason:
            left_out.append(LeftOut(column.name, reason))
        else:
            found.append((column, _kind(column, evidence), bits, evidence))
    order = {column.name: place for place, column in enumerate(columns)}
    found.sort(key=lambda one: (-_telling(one[1], one[2], one[3].present), order[one[0].name]))
    left_out += [LeftOut(one[0].name, "others tell more") for one in found[most:]]
    kept = sorted(found[:most], key=lambda one: order[one[0].name])
    fields = tuple(
        Field(i, column, kind, bits, evidence.present / max(table.rows, 1), evidence.distinct)
        for i, (column, kind, bits, evidence) in enumerate(kept)
    )
    return fields, tuple(left_out)


def _without_copies(
    db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[Column], known: dict[str, _Evidence]
) -> tuple[Table, dict[str, _Evidence]]:
    """Where many rows are the same: the table of the first of each, as a view, and the evidence of that."""
    cells = ", ".join(f"trim(CAST({quoted(column.name)} AS VARCHAR))" for column in columns)
    if not columns:
        return table, known
    [(rows,)] = db.execute(
        f"CREATE OR REPLACE TEMP TABLE er_firsts AS SELECT min({SOURCE_ROW}) AS s FROM {quoted(table.role)}"
        f" GROUP BY hash({cells})"
    ).fetchall()
    if rows > (1 - MANY_COPIES) * table.rows:
        db.execute("DROP TABLE er_firsts")
        return table, known
    db.execute(
        f"CREATE OR REPLACE TEMP VIEW {FIRST_ROWS} AS SELECT t.* FROM {quoted(table.role)} t"
        f" SEMI JOIN er_firsts f ON f.s = t.{SOURCE_ROW}"
    )
    firsts = table.model_copy(update={"role": FIRST_ROWS, "rows": rows})
    found = known | _evidence(db, firsts, columns, None)
    db.execute(f"DROP VIEW {FIRST_ROWS}")
    db.execute("DROP TABLE er_firsts")
    return firsts, found


def _telling(kind: FieldKind, bits: float, present: float) -> float:
    """How much a column may tell of an entity; a quantity (an amount, a count) has as many values, and says less."""
    return min(bits, MOST_BITS) * present * (0.5 if kind is FieldKind.NUMBER else 1.0)


def _evidence(
    db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[Column], across: str | None
) -> dict[str, _Evidence]:
    """Of every column, by name; many at once where they are short."""
    blanks = r"length(v) - length(regexp_replace(v, '\s', '', 'g'))"
    spelled = f"SELECT c, {_words_of('v')} AS v, {blanks} + 1 AS w, TRY_CAST(v AS DOUBLE) AS x, n FROM cell_values"
    counted = (
        "SELECT c, v, max(w) AS w, max(x) AS x, sum(n)::BIGINT AS n"
        f" FROM ({spelled} WHERE NOT {missing('v')}) WHERE v IS NOT NULL GROUP BY c, v"
    )
    query = f"""SELECT c, sum(n)::BIGINT, count(*), sum(n::DOUBLE * (n - 1)),
        sum(n * w) / sum(n), sum(n * length(v)) / sum(n),
        sum(n) FILTER (regexp_full_match(v, '[\\pL\\pM ]+')) / sum(n),
        sum(n) FILTER (regexp_matches(v, '[0-9]')) / sum(n),
        sum(n) FILTER (regexp_full_match(v, {literal(DATE_OF_DIGITS)})) / sum(n),
        max(x) - min(x), coalesce(bool_and(x = floor(x)) AND count(x) = count(*), false)
        FROM ({counted}) GROUP BY c ORDER BY c"""
    found: dict[str, _Evidence] = {}
    for names in gathered(db, table, [column.name for column in columns]):
        found |= {names[row[0]]: _judged(*row[1:]) for row in db.execute(query).fetchall()}
    if across is None:
        return found
    return {name: _within_sources(db, table, name, across, evidence) for name, evidence in found.items()}


def _judged(present: int, distinct: int, agreeing: float, *shares: float | None) -> _Evidence:
    words, length, alphabetic, with_digits, dates = (float(share or 0) for share in shares[:5])
    return _Evidence(
        present=present,
        distinct=distinct,
        collisions=max(agreeing, 1.0) / max(present * (present - 1.0), 1.0),
        words=words,
        length=length,
        alphabetic=alphabetic,
        with_digits=with_digits,
        dates=dates,
        span=shares[5],
        whole=bool(shares[6]),
        within=distinct,
    )


def _within_sources(
    db: "duckdb.DuckDBPyConnection", table: Table, name: str, across: str, evidence: _Evidence
) -> _Evidence:
    """Each source may number its own rows."""
    if not evidence.whole:
        return evidence
    pair = f"{quoted(across)}, trim(CAST({quoted(name)} AS VARCHAR))"
    [(within,)] = db.execute(f"SELECT count(*) FROM (SELECT DISTINCT {pair} FROM {quoted(table.role)})").fetchall()
    return replace(evidence, within=within)


def _why_not(table: Table, evidence: _Evidence, bits: float) -> str:
    if evidence.present < max(2, table.rows * LEAST_PRESENT):
        return "it is nearly empty"
    if evidence.distinct == 1:
        return "it is constant"
    if bits < LEAST_BITS:
        return "it tells too little: most rows agree by chance"
    return ""


def _is_row_number(column: Column, evidence: _Evidence) -> bool:
    """No value twice (within a source), and it is a code or fills its range: nothing of the entity is in it."""
    if evidence.within < evidence.present:
        return False
    serial = evidence.whole and evidence.span is not None and evidence.present >= SERIAL_DENSITY * (evidence.span + 1)
    if serial:
        return True
    code = evidence.words < ONE_TOKEN and evidence.alphabetic < ALPHABETIC and column.semantic is not SemanticType.EMAIL
    unique = evidence.distinct == evidence.present
    return unique and (code or column.semantic is SemanticType.UUID) and column.logical not in TEMPORAL


def _kind(column: Column, evidence: _Evidence) -> FieldKind:
    if column.semantic is SemanticType.EMAIL:
        return FieldKind.EMAIL
    if column.logical in TEMPORAL or evidence.dates > TYPE_SHARE:
        return FieldKind.DATE
    if column.semantic in {SemanticType.PHONE_NUMBER, SemanticType.POSTCODE}:
        return FieldKind.CODE
    if column.logical in NUMERIC:
        return (
            FieldKind.CODE
            if column.logical is LogicalType.INTEGER and evidence.length >= CODE_LENGTH
            else FieldKind.NUMBER
        )
    if evidence.words >= ONE_TOKEN:
        return FieldKind.TEXT
    return FieldKind.CODE if evidence.with_digits >= WITH_DIGITS else FieldKind.NAME
