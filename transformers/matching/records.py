"""`er_records`: the table as the matching sees it, one row a record, numbered densely in source order.

`r` INTEGER from 0, `s` the source row, `src` whose values are linked (one-to-one), f0 … the normalised fields, and
q0 … how common each value is (its share of the present ones), which is what agreeing on it by chance would take.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transformers.matching.fields import Field
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
        f = field.sql
        db.execute(
            f"CREATE OR REPLACE TEMP TABLE er_count{field.index} AS SELECT {f} AS v,"
            f" (count(*) / sum(count(*)) OVER ())::FLOAT AS q FROM er_values WHERE {f} IS NOT NULL GROUP BY {f}"
        )
    named = "".join(f", x.{field.sql}, c{field.index}.q AS q{field.index}" for field in fields)
    joined = " ".join(f"LEFT JOIN er_count{i} c{i} ON c{i}.v = x.{f}" for i, f in ((f.index, f.sql) for f in fields))
    db.execute(
        "CREATE OR REPLACE TEMP TABLE er_records AS SELECT (row_number() OVER (ORDER BY x.s) - 1)::INTEGER AS r,"
        f" x.s, x.src{named} FROM er_values x {joined} ORDER BY x.s"
    )
    for name in ("er_values", *(f"er_count{field.index}" for field in fields)):
        db.execute(f"DROP TABLE {name}")


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
