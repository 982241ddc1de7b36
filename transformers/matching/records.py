"""`er_records`: the table as the matching sees it, one row a record, numbered densely in source order.

`r` INTEGER from 0, `s` the source row, `n` how many rows are the same in every field (all stand for one record, the
first of them), `src` whose values are linked (one-to-one), f0 … the normalised fields. `terms` says how common the
values are, two bits a field (see Term). `er_rows` (s, r) is the record of each row of the customer's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from transformers.matching.fields import RARER, Field
from transformers.matching.memory import scratch_file
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb


class Term(IntEnum):
    """What agreeing on a value by chance would take."""

    USUAL = 0
    RARE = 1
    COMMON = 2


def build_records(
    db: "duckdb.DuckDBPyConnection", table: Table, fields: Sequence[Field], across: str | None, apart: Sequence[int]
) -> None:
    """Rows of the list `apart` stand for themselves, though others be the same."""
    source = f"CAST(coalesce(CAST({quoted(across)} AS VARCHAR), '') AS VARCHAR)" if across else "''"
    values = "".join(f", {field.normalised} AS {field.sql}" for field in fields)
    with scratch_file(db, "er_values") as path:
        db.execute(
            f"COPY (SELECT {SOURCE_ROW} AS s, hash({source}) AS src{values} FROM {quoted(table.role)})"
            f" TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 20480)"
        )
        _number(db, path, fields, apart, linking=across is not None)
        _count_terms(db, path, fields)
        named = "".join(f", v.{field.sql}" for field in fields)
        db.execute(
            f"CREATE OR REPLACE TEMP TABLE er_records AS SELECT d.r, v.s, d.n, d.terms, v.src{named}"
            f" FROM read_parquet('{path}') v JOIN er_numbers d ON d.s = v.s"
        )
    db.execute("DROP TABLE er_numbers")


def _number(
    db: "duckdb.DuckDBPyConnection", values: str, fields: Sequence[Field], apart: Sequence[int], *, linking: bool
) -> None:
    """`er_numbers` (r, s, n) and `er_rows` (s, r), by a hash of all fields: narrow, so that millions of rows fit."""
    alike = "true" if fields and not linking else "false"
    told = " OR ".join(f"{field.sql} IS NOT NULL" for field in fields) or "false"
    single = f" AND s NOT IN ({', '.join(map(str, sorted(set(apart))))})" if apart else ""
    named = ", ".join(field.sql for field in fields) or "s"
    db.execute(
        "CREATE OR REPLACE TEMP TABLE er_alike AS SELECT s, CASE WHEN"
        f" {alike} AND ({told}){single} THEN hash({named}) ELSE hash(s, 'alone') END AS h FROM read_parquet('{values}')"
    )
    db.execute(
        "CREATE OR REPLACE TEMP TABLE er_numbers AS SELECT (row_number() OVER (ORDER BY s) - 1)::INTEGER AS r, s, n, h"
        " FROM (SELECT min(s) AS s, count(*)::INTEGER AS n, h FROM er_alike GROUP BY h)"
    )
    db.execute("CREATE OR REPLACE TEMP TABLE er_rows AS SELECT x.s, d.r FROM er_alike x JOIN er_numbers d USING (h)")
    db.execute("DROP TABLE er_alike")


def _count_terms(db: "duckdb.DuckDBPyConnection", values: str, fields: Sequence[Field]) -> None:
    """Add `terms` to `er_numbers`, one field after another."""
    db.execute("CREATE OR REPLACE TEMP TABLE er_terms (r INTEGER, term BIGINT)")
    for field in fields:
        db.execute(
            f"CREATE OR REPLACE TEMP TABLE er_one AS SELECT d.r, hash(v.{field.sql}) AS v"
            f" FROM read_parquet('{values}') v JOIN er_numbers d ON d.s = v.s WHERE v.{field.sql} IS NOT NULL"
        )
        _count_field(db, field)
    db.execute(
        "CREATE OR REPLACE TEMP TABLE er_summed AS SELECT r, sum(term)::BIGINT AS terms FROM er_terms GROUP BY r"
    )
    db.execute(
        "CREATE OR REPLACE TEMP TABLE er_numbers AS SELECT d.r, d.s, d.n, coalesce(t.terms, 0) AS terms"
        " FROM er_numbers d LEFT JOIN er_summed t USING (r)"
    )
    for name in ("er_one", "er_summed", "er_terms"):
        db.execute(f"DROP TABLE IF EXISTS {name}")


def _count_field(db: "duckdb.DuckDBPyConnection", field: Field) -> None:
    """How common its values are, as far as it is not the usual: the counts of all of a million would not fit."""
    [(present,)] = db.execute("SELECT count(*) FROM er_one").fetchall()
    usual = field.usual * present
    rare, common = usual / RARER, usual * RARER
    shift = 4**field.index
    counted = f"SELECT v, count(*) AS n FROM er_one GROUP BY v HAVING count(*) >= {(rare if rare >= 1 else common)!r}"
    otherwise = Term.RARE if rare >= 1 else Term.USUAL
    term = (
        f"CASE WHEN n IS NULL THEN {otherwise.value} WHEN n >= {common!r} THEN {Term.COMMON.value}"
        f" ELSE {Term.USUAL.value} END"
    )
    db.execute(
        f"INSERT INTO er_terms SELECT r, {term} * {shift} FROM er_one LEFT JOIN ({counted}) USING (v)"
        f" WHERE {term} <> {Term.USUAL.value}"
    )


@dataclass(frozen=True)
class Size:
    """How many records there are, pairs of them (across sources, when linking), and how many of them can match.

    `copies` are the rows that are the same as their record: one pair each, of the first and of the copy.
    """

    rows: int
    pairs: int
    most_matches: int
    linking: bool
    copies: int = 0


def size_of(db: "duckdb.DuckDBPyConnection", *, linking: bool) -> Size:
    [(copies,)] = db.execute("SELECT coalesce(sum(n - 1), 0)::BIGINT FROM er_records").fetchall()
    sizes = [n for (n,) in db.execute("SELECT count(*) FROM er_records GROUP BY src ORDER BY 1").fetchall()]
    rows = sum(sizes)
    if not linking:
        every = rows * (rows - 1) // 2 + copies
        return Size(rows, every, every, linking, copies)
    across = (rows * rows - sum(n * n for n in sizes)) // 2
    return Size(rows, across, sum(n * (len(sizes) - 1 - place) for place, n in enumerate(sizes)), linking)
