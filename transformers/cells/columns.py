"""A table's columns as they are: physical, logical and semantic type, what is missing, and how to cast.

Types are inferred over every row. Text formats arrive as VARCHAR and are read cell by cell; a Parquet source keeps
its own types. An agent computes on `Column.value`, never on the raw text.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from transformers.cells import casts, semantic_types
from transformers.cells.casts import is_missing
from transformers.cells.kinds import DATE_KINDS, NUMBER_KINDS, Kind, position
from transformers.cells.semantic_types import SEMANTIC_SHARE, SemanticType, tests_for, text_test
from transformers.cells.values import chunks, gathered_as_written
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

TYPE_SHARE = 0.9  # one cell in ten may be broken before a column is no longer what the others say it is
COLUMNS_A_QUERY = 40  # columns in one wide query: beyond it DuckDB plans longer than it scans
SCREENED_VALUES = 5000  # of a chunk: enough that a test which four in five cells pass shows itself
CODE_SHARE = 0.01  # more leading zeros than this are meant: such a column is text, not numbers
MISSING = (position(Kind.EMPTY), position(Kind.DISGUISED))
DAY_AND_MONTH = "'^([0-9]{1,2})[-/.]([0-9]{1,2})[-/.][0-9]'"


class LogicalType(StrEnum):
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    TEXT = "text"
    CATEGORICAL = "categorical"
    IDENTIFIER = "identifier"
    EMPTY = "empty"


NUMERIC = (LogicalType.INTEGER, LogicalType.DECIMAL)
TEMPORAL = (LogicalType.DATE, LogicalType.DATETIME)
TEXTUAL = (LogicalType.TEXT, LogicalType.CATEGORICAL, LogicalType.IDENTIFIER)


class Column(BaseModel):
    """One column. `nulls` are NULL or blank, `disguised` are words for nothing, `invalid` do not fit the type."""

    model_config = ConfigDict(frozen=True)

    name: str
    physical: str
    logical: LogicalType
    semantic: SemanticType | None = None
    rows: int
    nulls: int = 0
    disguised: int = 0
    invalid: int = 0
    day_first: bool = False
    ambiguous_dates: bool = False  # no cell tells whether the day or the month comes first
    padded: bool = True  # a cell may begin or end with a space
    kinds: dict[Kind, int] = Field(default={}, repr=False)

    def __hash__(self) -> int:
        return hash(self.name)  # names are unique within a table

    @property
    def missing(self) -> int:
        return self.nulls + self.disguised

    @property
    def present(self) -> int:
        return self.rows - self.missing

    @property
    def is_text(self) -> bool:
        """Whether cells are stored as text, whatever they mean."""
        return self.physical == "VARCHAR"

    @property
    def date_forms(self) -> tuple[Kind, ...]:
        """The ways in which a column of dates is written."""
        return tuple(kind for kind in DATE_KINDS if self.kinds.get(kind)) if self.logical in TEMPORAL else ()

    @property
    def typed_share(self) -> float:
        """The share of a text column's present cells that are numbers or dates."""
        typed = sum(self.kinds.get(kind, 0) for kind in (*NUMBER_KINDS, *DATE_KINDS, Kind.DATETIME))
        return typed / self.present if self.present else 0.0

    @property
    def cell(self) -> str:
        """SQL: the cell as text, trimmed where it is stored as text; NULL where there is none."""
        return f"trim({quoted(self.name)})" if self.is_text else f"CAST({quoted(self.name)} AS VARCHAR)"

    @property
    def own_cell(self) -> str:
        """SQL: the same of the very table that the column was read from: trimmed only where a cell needs it."""
        return self.cell if self.padded or not self.is_text else quoted(self.name)

    @property
    def own_value(self) -> str:
        """SQL: the value of such a cell."""
        return self.value_of(self.own_cell) if self.is_text else self.value

    @property
    def is_missing(self) -> str:
        """SQL: true where the cell is NULL, blank, a word for nothing, or not a number."""
        return casts.is_missing(quoted(self.name), self.physical)

    @property
    def value(self) -> str:
        """SQL: the cell as the logical type says; NULL where it is missing or does not fit.

        The cast is for the table that the column was read from: what none of its cells is, is not looked for.
        """
        return self.value_of(self.cell) if self.is_text else casts.native_value(quoted(self.name), self.physical)

    def value_of(self, text: str) -> str:
        """SQL: the same of a cell of this column that another expression gives, trimmed."""
        return casts.text_value(text, self.logical.value, self.kinds, day_first=self.day_first)

    @property
    def is_invalid(self) -> str:
        """SQL: true where a present cell does not fit the logical type."""
        if not self.invalid:
            return "false"
        return f"(({self.value}) IS NULL AND NOT {self.is_missing})"  # most cells end at the cast


def read_columns(db: "duckdb.DuckDBPyConnection", table: Table) -> tuple[Column, ...]:
    """Every column of the view named after the table's role, in the customer's order."""
    return tuple(column for some in walk_columns(db, table) for column in some)


def walk_columns(db: "duckdb.DuckDBPyConnection", table: Table) -> Iterator[tuple[Column, ...]]:
    """The same, some at a time: meanwhile `cell_values` holds their distinct cells, so nothing is read twice."""
    physical = {name: str(kind) for name, kind, *_ in db.execute(f"DESCRIBE {quoted(table.role)}").fetchall()}
    for names, padded in gathered_as_written(db, table, [name for name in table.columns if name != SOURCE_ROW]):
        native = [name for name in names if physical[name] != "VARCHAR"]
        known = {c.name: c for some in chunks(native, COLUMNS_A_QUERY) for c in _native(db, table, some, physical)}
        kinds = _kinds(db)
        read = [known.get(name) or _judged(name, kinds.get(i, {}), table.rows) for i, name in enumerate(names)]
        yield tuple(
            column.model_copy(update={"padded": place in padded})
            for place, column in enumerate(_finished(db, table, read))
        )


def _finished(db: "duckdb.DuckDBPyConnection", table: Table, read: list[Column]) -> list[Column]:
    """What the cells' kinds leave open: which of 01/02 is the day, and what a text or a number means."""
    ordered = _with_day_order(db, read)
    text = _meanings_of_text(db, ordered)
    numbers = dict(_meanings_of_numbers(db, table, ordered))
    return [
        c.model_copy(update={"semantic": text.get(i) or _meaning_of_amounts(c) or numbers.get(c.name)})
        for i, c in enumerate(ordered)
    ]


def _kinds(db: "duckdb.DuckDBPyConnection") -> dict[int, dict[Kind, int]]:
    every = list(Kind)
    found: dict[int, dict[Kind, int]] = defaultdict(dict)
    query = "SELECT c, k, sum(n)::BIGINT FROM cell_values GROUP BY c, k ORDER BY c, k"
    for place, kind, n in db.execute(query).fetchall():
        found[place][every[kind]] = n
    return found


def _judged(name: str, kinds: dict[Kind, int], rows: int) -> Column:
    """The logical type most cells agree on, and how many do not fit it."""
    nulls, disguised = kinds.get(Kind.EMPTY, 0), kinds.get(Kind.DISGUISED, 0)
    present = rows - nulls - disguised
    logical, fits = _logical_type(kinds, present)
    invalid = 0 if logical is LogicalType.TEXT else present - sum(kinds.get(kind, 0) for kind in fits)
    return Column(
        name=name,
        physical="VARCHAR",
        logical=logical,
        rows=rows,
        nulls=nulls,
        disguised=disguised,
        invalid=invalid,
        kinds=kinds,
    )


def _logical_type(kinds: dict[Kind, int], present: int) -> tuple[LogicalType, tuple[Kind, ...]]:
    if not present:
        return LogicalType.EMPTY, ()
    if kinds.get(Kind.CODE, 0) > present * CODE_SHARE:
        return LogicalType.TEXT, ()
    candidates = {
        LogicalType.INTEGER: (Kind.INTEGER,),
        LogicalType.DECIMAL: NUMBER_KINDS,
        LogicalType.BOOLEAN: (Kind.BOOLEAN,),
        LogicalType.DATE: DATE_KINDS,
        LogicalType.DATETIME: (*DATE_KINDS, Kind.DATETIME),
        LogicalType.TIME: (Kind.TIME,),
    }
    shares = {logical: sum(kinds.get(kind, 0) for kind in fits) for logical, fits in candidates.items()}
    best = max(shares, key=lambda logical: shares[logical])  # the first of equals is the narrowest
    if shares[best] < present * TYPE_SHARE:
        return LogicalType.TEXT, ()
    return best, candidates[best]


def _with_day_order(db: "duckdb.DuckDBPyConnection", read: list[Column]) -> list[Column]:
    """31/01 tells that the day comes first; a column of 01/02s tells nothing, and says so."""
    asked = {
        i: c
        for i, c in enumerate(read)
        if c.is_text and c.logical in TEMPORAL and c.kinds.keys() & {Kind.SLASH_DATE, Kind.DATETIME}
    }
    if not asked:
        return read
    above = [f"TRY_CAST(regexp_extract(v, {DAY_AND_MONTH}, {part}) AS INTEGER) > 12" for part in (1, 2)]
    votes = db.execute(
        f"SELECT c, {', '.join(f'coalesce(sum(n) FILTER ({test}), 0)::BIGINT' for test in above)}"
        f" FROM cell_values WHERE c IN ({', '.join(map(str, asked))})"
        f" AND k IN ({position(Kind.SLASH_DATE)}, {position(Kind.DATETIME)})"
        f" AND regexp_matches(v, {DAY_AND_MONTH}) GROUP BY c"
    ).fetchall()
    found = {place: (day_first, month_first) for place, day_first, month_first in votes}
    return [_ordered(c, *found.get(i, (0, 0))) if i in asked else c for i, c in enumerate(read)]


def _ordered(column: Column, day_first: int, month_first: int) -> Column:
    known = bool(day_first or month_first)
    return column.model_copy(
        update={
            "day_first": day_first > month_first,
            "ambiguous_dates": not known and bool(column.kinds.get(Kind.SLASH_DATE)),
            "invalid": column.invalid + min(day_first, month_first),
        }
    )


def _native(
    db: "duckdb.DuckDBPyConnection", table: Table, names: Sequence[str], physical: dict[str, str]
) -> list[Column]:
    counts = ", ".join(f"count(*) FILTER ({is_missing(quoted(name), physical[name])})" for name in names)
    row = _one_row(db, f"SELECT {counts} FROM {quoted(table.role)}")
    return [
        Column(
            name=name,
            physical=physical[name],
            logical=LogicalType.EMPTY if nulls == table.rows else _native_type(physical[name]),
            rows=table.rows,
            nulls=nulls,
        )
        for name, nulls in zip(names, row, strict=True)
    ]


def _native_type(physical: str) -> LogicalType:
    if physical.endswith("INT") or physical in {"INTEGER", "UINTEGER", "BIGNUM"}:
        return LogicalType.INTEGER
    if physical in {"FLOAT", "DOUBLE"} or physical.startswith("DECIMAL"):
        return LogicalType.DECIMAL
    if physical.startswith("TIMESTAMP"):
        return LogicalType.DATETIME
    if physical.startswith("TIME"):
        return LogicalType.TIME
    return {"BOOLEAN": LogicalType.BOOLEAN, "DATE": LogicalType.DATE}.get(physical, LogicalType.TEXT)


def _meanings_of_text(db: "duckdb.DuckDBPyConnection", judged: Sequence[Column]) -> dict[int, SemanticType]:
    """Screened on some values of each column; what passes there is then proved on every one."""
    asked = {
        (place, test)
        for place, column in enumerate(judged)
        if column.is_text and column.logical is LogicalType.TEXT
        for test in tests_for(column.name)
    }
    for source in (f"cell_values WHERE hash(v) % {_screen(db)} = 0", "cell_values WHERE true"):
        passed = _shares(db, asked, source)
        asked = {pair for pair in asked if passed.get(pair, 0) >= SEMANTIC_SHARE}
    every = list(SemanticType)  # the most telling first: it is the one that stays
    return dict(sorted(asked, key=lambda pair: every.index(pair[1]), reverse=True))


def _screen(db: "duckdb.DuckDBPyConnection") -> int:
    return max(1, int(_one_row(db, "SELECT count(*) FROM cell_values")[0]) // SCREENED_VALUES)


def _shares(
    db: "duckdb.DuckDBPyConnection", asked: set[tuple[int, SemanticType]], source: str
) -> dict[tuple[int, SemanticType], float]:
    """How much of the present cells passes each test."""
    tests = sorted({test for _, test in asked})
    if not tests:
        return {}
    counts = ", ".join(
        f"coalesce(sum(CASE WHEN c IN ({', '.join(str(place) for place, t in sorted(asked) if t is test)})"
        f" AND ({text_test('v', test)}) THEN n END), 0)::BIGINT"  # CASE, not FILTER: it stops at the first false
        for test in tests
    )
    present = f"{source} AND k NOT IN {MISSING}"
    rows = db.execute(f"SELECT c, sum(n)::BIGINT, {counts} FROM {present} GROUP BY c").fetchall()
    return {(row[0], test): n / row[1] for row in rows for test, n in zip(tests, row[2:], strict=True)}


def _meanings_of_numbers(
    db: "duckdb.DuckDBPyConnection", table: Table, read: list[Column]
) -> Iterator[tuple[str, SemanticType | None]]:
    for place, column in enumerate(read):
        if column.logical in NUMERIC and semantic_types.may_mean_something(column.name):
            value = column.value_of("v") if column.is_text else column.value
            source = f"cell_values WHERE c = {place}" if column.is_text else quoted(table.role)
            low, high = _one_row(db, f"SELECT min(x), max(x) FROM (SELECT ({value})::DOUBLE AS x FROM {source})")
            yield column.name, semantic_types.meaning_of_number(column.name, low, high)


def _meaning_of_amounts(column: Column) -> SemanticType | None:
    for kind, semantic in (
        (Kind.CURRENCY, SemanticType.CURRENCY_AMOUNT),
        (Kind.PERCENT, SemanticType.PERCENTAGE),
    ):
        if column.logical in NUMERIC and column.kinds.get(kind, 0) >= column.present * 0.5:
            return semantic
    return None


def _one_row(db: "duckdb.DuckDBPyConnection", query: str) -> tuple[Any, ...]:
    [row] = db.execute(query).fetchall()
    return tuple(row)
