"""`er_records`: the table as the matching sees it, one row a record, numbered densely in source order.

`r` INTEGER from 0, `s` the source row, `src` whose values are linked (one-to-one), f0 … the normalised fields, and
q0 … how common each value is (its share of the present ones), which is what agreeing on it by chance would take.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transformers.matching.fields import RARER, Field
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb


def build_records(db: "duckdb.DuckDBPyConnection", table: Table, fields: Sequence[Field], across: str | None) -> None:
    source = f"CAST(coalesce(CAST({quoted(across)} AS VARCHAR), '') AS VARCHAR)" if across else "''"
    values = "".join(f", {field.normalised} AS {field.sql}" for field in fields)
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE er_values AS SELECT {SOURCE_ROW} AS s, hash({source}) AS src{values}"
        f" FROM {quoted(table.role)}"
    )
    for field in fields:
        _count_values(db, field, table.rows)
    named = "".join(
        f", x.{field.sql}, coalesce(c{field.index}.q, {_otherwise(field, table.rows)!r})::FLOAT AS q{field.index}"
        for field in fields
    )
    joined = " ".join(f"LEFT JOIN er_count{i} c{i} ON c{i}.v = x.{f}" for i, f in ((f.index, f.sql) for f in fields))
    db.execute(
        "CREATE OR REPLACE TEMP TABLE er_records AS SELECT (row_number() OVER (ORDER BY x.s) - 1)::INTEGER AS r,"
        f" x.s, x.src{named} FROM er_values x {joined} ORDER BY x.s"
    )
    for name in ("er_values", *(f"er_count{field.index}" for field in fields)):
        db.execute(f"DROP TABLE {name}")


def _count_values(db: "duckdb.DuckDBPyConnection", field: Field, rows: int) -> None:
    """How common a value is, of those that are not rare: the table of all of a million would not fit."""
    f, present = field.sql, max(field.present * rows, 1.0)
    least = field.usual / RARER if _has_rare_values(field, rows) else field.usual * RARER
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE er_count{field.index} AS SELECT {f} AS v, (count(*) / {present!r})::FLOAT AS q"
        f" FROM er_values WHERE {f} IS NOT NULL GROUP BY {f} HAVING count(*) >= {least * present!r}"
    )


def _has_rare_values(field: Field, rows: int) -> bool:
    return field.usual / RARER * field.present * rows >= 1


def _otherwise(field: Field, rows: int) -> float:
    """The share of a value that is not counted: it is rare, or where none can be, it is as all are."""
    return 0.0 if _has_rare_values(field, rows) else field.usual


@dataclass(frozen=True)
class Size:
    """How many rows there are, how many pairs (across sources, when linking), and how many of them can match."""

    rows: int
    pairs: int
    most_matches: int
    linking: bool


def size_of(db: "duckdb.DuckDBPyConnection", *, linking: bool) -> Size:
    sizes = [n for (n,) in db.execute("SELECT count(*) FROM er_records GROUP BY src ORDER BY 1").fetchall()]
    rows = sum(sizes)
    if not linking:
        every = rows * (rows - 1) // 2
        return Size(rows, every, every, linking)
    across = (rows * rows - sum(n * n for n in sizes)) // 2
    return Size(rows, across, sum(n * (len(sizes) - 1 - place) for place, n in enumerate(sizes)), linking)
