"""Words and their frequencies side by side: which share each value has in the two tables, which are new or gone.

One column at a time, in DuckDB: a value that both tables have a million of is held once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transformers.cells.columns import Column, LogicalType
from transformers.drift.pairs import Pair
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

KEPT_VALUES = 60  # bins of their own, most frequent in both together (else chance would favour one side)
SAMPLED_ROWS = 50_000  # of free text, whose shapes are looked at
FREE_TEXT_SHARE = 0.5  # distinct values by present cells above which a column is prose or a key, not a vocabulary
FREE_TEXT_VALUES = 100
LONGEST_SHAPED = 40  # characters of a cell whose shape is read
LISTED = 10  # new values that are named


@dataclass(frozen=True)
class Words:
    """Counts by value: those of the labels, then all others; and what only one of the two tables has."""

    pair: Pair
    aspect: str
    labels: tuple[str, ...]
    old: Any
    new: Any
    unseen: tuple[tuple[str, int], ...]  # values that only the primary has, most frequent first, the first of them
    unseen_rows: int
    unseen_values: int
    vanished: tuple[tuple[str, int], ...]
    vanished_values: int
    singletons: int  # the baseline's values that occur once: how many new ones are to be expected (Good-Turing)
    values: int

    @property
    def n(self) -> int:
        return int(self.new.sum())

    @property
    def m(self) -> int:
        return int(self.old.sum())


def text_of(column: Column) -> str:
    """SQL: the cell as a word; NULL where it is missing."""
    if column.logical is LogicalType.BOOLEAN:
        return f"CAST({column.value} AS VARCHAR)"
    return f"CASE WHEN NOT {column.is_missing} THEN {column.cell} END"


def shape_of(column: Column) -> str:
    """SQL: letters as a, digits as 9, runs as one: `ab-12` and `xyz-7` are both `a-9`."""
    text = f"left({text_of(column)}, {LONGEST_SHAPED})"
    steps = ((r"\p{L}+", "a"), (r"\p{N}+", "9"), (r"\s+", " "), (r"(a[ ]?){3,}", "a "))
    for form, shape in steps:
        text = f"regexp_replace({text}, '{form}', '{shape}', 'g')"
    return text


def is_free_text(db: "duckdb.DuckDBPyConnection", table: Table, column: Column) -> bool:
    sample = f"SELECT {text_of(column)} AS v FROM {quoted(table.role)} WHERE {_some_rows(table)}"
    [(distinct, present)] = db.execute(f"SELECT count(DISTINCT v), count(v) FROM ({sample})").fetchall()
    return bool(distinct > FREE_TEXT_VALUES and distinct > FREE_TEXT_SHARE * present)


def words(db: "duckdb.DuckDBPyConnection", baseline: Table, primary: Table, pair: Pair) -> Words:
    return _words(db, pair, "value", [(baseline, text_of(pair.old), "true"), (primary, text_of(pair.new), "true")])


def shapes(db: "duckdb.DuckDBPyConnection", baseline: Table, primary: Table, pair: Pair) -> Words:
    sides = [
        (baseline, shape_of(pair.old), _some_rows(baseline)),
        (primary, shape_of(pair.new), _some_rows(primary)),
    ]
    return _words(db, pair, "pattern", sides)


def hours(db: "duckdb.DuckDBPyConnection", baseline: Table, primary: Table, pair: Pair) -> Words:
    """Of the day: a night's files differ from a day's, whichever days they cover."""
    sides = [(table, hour_of(column), "true") for table, column in ((baseline, pair.old), (primary, pair.new))]
    return _words(db, pair, "hour", sides)


def hour_of(column: Column) -> str:
    return f"lpad(CAST(hour({column.value}) AS VARCHAR), 2, '0')"


def _some_rows(table: Table) -> str:
    every = -(-table.rows // SAMPLED_ROWS) if table.rows else 1
    return f"hash({quoted(SOURCE_ROW)}) % {every} = 0" if every > 1 else "true"


def _words(db: "duckdb.DuckDBPyConnection", pair: Pair, aspect: str, sides: Sequence[tuple[Table, str, str]]) -> Words:
    import numpy as np

    counts = " UNION ALL ".join(
        f"SELECT {text} AS v, {int(not i)} * count(*) AS b, {i} * count(*) AS p FROM {quoted(table.role)}"
        f" WHERE {where} GROUP BY 1"  # by place: a column of the customer's may be called v
        for i, (table, text, where) in enumerate(sides)
    )
    db.execute(
        "CREATE OR REPLACE TEMP TABLE drift_words AS SELECT v, sum(b)::BIGINT AS b, sum(p)::BIGINT AS p"
        f" FROM ({counts}) WHERE v IS NOT NULL GROUP BY v"
    )
    own = db.execute(
        f"SELECT left(v, 200), b, p FROM drift_words ORDER BY b + p DESC, v LIMIT {KEPT_VALUES}"
    ).fetchall()
    [totals] = db.execute(
        "SELECT coalesce(sum(b), 0)::BIGINT, coalesce(sum(p), 0)::BIGINT,"
        " coalesce(sum(p) FILTER (b = 0), 0)::BIGINT, count(*) FILTER (b = 0), count(*) FILTER (p = 0),"
        " count(*) FILTER (b = 1), count(*) FROM drift_words"
    ).fetchall()
    unseen, vanished = _first(db, "p", "b"), _first(db, "b", "p")
    db.execute("DROP TABLE drift_words")
    old = [b for _, b, _ in own]
    new = [p for *_, p in own]
    return Words(
        pair=pair,
        aspect=aspect,
        labels=tuple(v for v, *_ in own),
        old=np.array([*old, totals[0] - sum(old)], dtype=np.int64),
        new=np.array([*new, totals[1] - sum(new)], dtype=np.int64),
        unseen=unseen,
        unseen_rows=totals[2],
        unseen_values=totals[3],
        vanished=vanished,
        vanished_values=totals[4],
        singletons=totals[5],
        values=totals[6],
    )


def _first(db: "duckdb.DuckDBPyConnection", here: str, there: str) -> tuple[tuple[str, int], ...]:
    query = f"SELECT left(v, 200), {here} FROM drift_words WHERE {there} = 0 ORDER BY {here} DESC, v LIMIT {LISTED}"
    return tuple((value, count) for value, count in db.execute(query).fetchall())
