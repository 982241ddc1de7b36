"""Foreign keys by inclusion: the values of one column are found in a key of another table, or of the same one.

Small whole numbers are included in every table's numbers from 1 to n, so inclusion alone proves little there: then the
names must agree, or, within one table, follow a word for a parent without ever coming round in a circle.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transformers.cells.columns import TEMPORAL, LogicalType
from transformers.constraints.constraint import kept_by
from transformers.keys.key import ForeignKey, KeyColumn
from transformers.keys.names import likeness, points_upwards
from transformers.profiling.table_profile import percent
from transformers.tables import Table, quoted

if TYPE_CHECKING:
    import duckdb

CHANCE = 0.001  # that as many values lie in the other column by accident: below it inclusion is evidence
LEAST_VALUES = 5  # for evidence by inclusion alone
SURE_OVERLAP = 95.0  # percent: the same
REFERENCES_TRIED = 200
PARENTS_FOLLOWED = 40  # generations: deeper trees are rare, circles are endless


@dataclass(frozen=True)
class Referable:
    """A key column that others may point to. `source` is a relation with the column `v`, its distinct values."""

    table: str
    column: str
    source: str
    distinct: int
    whole: bool = False
    spread: float = 1.0  # numbers between its least and its greatest value, for each value: 1 for 1 to n


def referable(db: "duckdb.DuckDBPyConnection", role: str, table: str, key: KeyColumn, name: str) -> Referable:
    """A column of a table that is there; its values go to a temporary table called `name`."""
    values = f"SELECT DISTINCT {key.value} AS v FROM {quoted(role)}"
    return from_values(db, table, key.name, f"SELECT v FROM ({values}) WHERE v IS NOT NULL", name)


def from_values(db: "duckdb.DuckDBPyConnection", table: str, column: str, query: str, name: str) -> Referable:
    db.execute(f"CREATE OR REPLACE TEMP TABLE {quoted(name)} AS {query}")
    number = "TRY_CAST(v AS BIGINT)"
    asked = f"SELECT count(*), count({number}), min({number}), max({number}) FROM {quoted(name)}"
    [(n, whole, low, high)] = db.execute(asked).fetchall()
    is_whole = n > 0 and whole == n
    spread = (int(high) - int(low) + 1) / n if is_whole else math.inf
    return Referable(table, column, quoted(name), int(n), whole=is_whole, spread=spread)


def foreign_keys(
    db: "duckdb.DuckDBPyConnection",
    table: Table,
    columns: Sequence[KeyColumn],
    targets: Sequence[Referable],
    fk_overlap: float,
) -> tuple[list[ForeignKey], list[ForeignKey]]:
    """(those that are claimed, those that are only possible), the surest first. One claim a column."""
    claimed: dict[str, ForeignKey] = {}
    possible: list[ForeignKey] = []
    for column, target in _pairs(columns, targets):
        found, is_claim = _judged(db, table, column, target, fk_overlap)
        if found and is_claim and found.confidence > (claimed[column.name].confidence if column.name in claimed else 0):
            claimed[column.name] = found
        elif found and not is_claim:
            possible.append(found)
    rest = [f for f in possible if f.column not in claimed]
    order = lambda f: (-f.confidence, f.column, f.table, f.references)  # noqa: E731  used twice, below
    return sorted(claimed.values(), key=order), sorted(rest, key=order)


def _pairs(columns: Sequence[KeyColumn], targets: Sequence[Referable]) -> list[tuple[KeyColumn, Referable]]:
    """Of the same sort, not with itself; the names that agree first, since the number of trials is bounded."""
    pairs = [
        (c, t)
        for c in columns
        if c.distinct and not c.is_measured and c.column.logical not in TEMPORAL
        for t in targets
        if (c.column.logical is LogicalType.INTEGER) == t.whole
        and not (not t.table and t.column == c.name)
        and t.distinct > 1
    ]
    return sorted(pairs, key=lambda p: -likeness(p[0].name, p[1].table, p[1].column))[:REFERENCES_TRIED]


def _judged(
    db: "duckdb.DuckDBPyConnection", table: Table, column: KeyColumn, target: Referable, fk_overlap: float
) -> tuple[ForeignKey | None, bool]:
    included, orphans = _included(db, table, column, target)
    overlap = percent(included, column.distinct)
    if not included or overlap < fk_overlap:
        return None, False
    chance = (1 / target.spread) ** included if target.whole else 0.0
    alike = likeness(column.name, target.table, target.column)
    upwards = not target.table and points_upwards(column.name) and _is_a_tree(db, table, column, target)
    proven = chance < CHANCE and included >= LEAST_VALUES and overlap >= SURE_OVERLAP and not _is_key_like(column)
    reasons = {
        f"{included:,} of {column.distinct:,} values are there": True,
        "the names agree": alike > 0,
        "so many values are not there by chance": proven,
        "a word for a parent, and no row is its own ancestor": upwards,
    }
    evidence = max(alike, 0.9 if upwards else 0.0, 0.7 if proven else 0.0)
    found = ForeignKey(
        column=column.name,
        table=target.table,
        references=target.column,
        values=column.distinct,
        overlap=overlap,
        orphans=orphans,
        confidence=round(kept_by(included, column.distinct) * (0.2 + 0.8 * evidence), 6),
        reasons=tuple(reason for reason, holds in reasons.items() if holds),
    )
    is_claim = evidence > 0 and (bool(target.table) or upwards or (proven and not alike))
    return found, is_claim


def _is_key_like(column: KeyColumn) -> bool:
    return column.distinct == column.column.rows


def _included(db: "duckdb.DuckDBPyConnection", table: Table, column: KeyColumn, target: Referable) -> tuple[int, int]:
    """How many of the column's values the target has, and how many rows hold another one."""
    every = f"SELECT {column.value} AS v FROM {quoted(table.role)}"
    values = f"SELECT v, count(*) AS n FROM ({every}) GROUP BY v"
    [(included, orphans)] = db.execute(
        f"SELECT count(*) FILTER (there), coalesce(sum(n) FILTER (NOT there), 0)::BIGINT"
        f" FROM (SELECT n, v IN (SELECT v FROM {target.source}) AS there FROM ({values}) WHERE v IS NOT NULL)"
    ).fetchall()
    return int(included), int(orphans)


def _is_a_tree(db: "duckdb.DuckDBPyConnection", table: Table, column: KeyColumn, target: Referable) -> bool:
    """Following the column from row to row ends; a map without gaps comes round somewhere."""
    own = f"{quoted(target.column)}::VARCHAR"
    edges = f"SELECT trim({own}) AS child, {column.value} AS parent FROM {quoted(table.role)}"
    db.execute(f"CREATE OR REPLACE TEMP TABLE climbing AS SELECT * FROM ({edges}) WHERE parent IS NOT NULL")
    db.execute("CREATE OR REPLACE TEMP TABLE steps AS FROM climbing")
    for _ in range(PARENTS_FOLLOWED):
        again = "SELECT a.child, b.parent FROM climbing AS a JOIN steps AS b ON a.parent = b.child"
        db.execute(f"CREATE OR REPLACE TEMP TABLE higher AS {again}")
        db.execute("CREATE OR REPLACE TEMP TABLE climbing AS FROM higher")
        if not db.execute("SELECT count(*) FROM climbing").fetchall()[0][0]:
            return True
    return False


def of_given_values(
    db: "duckdb.DuckDBPyConnection", given: Mapping[str, Mapping[str, Sequence[str]]]
) -> list[Referable]:
    """The reference tables of the agent's form: table → column → values."""
    found = []
    for i, (table, columns) in enumerate(given.items()):
        for k, (column, values) in enumerate(columns.items()):
            name = f"reference_{i}_{k}"
            db.execute(f"CREATE OR REPLACE TEMP TABLE {name}_given (v VARCHAR)")
            db.execute(f"INSERT INTO {name}_given SELECT trim(unnest(?::VARCHAR[]))", [list(values)])
            query = f"SELECT DISTINCT v FROM {name}_given WHERE v <> ''"
            found.append(from_values(db, table, column, query, name))
    return found
