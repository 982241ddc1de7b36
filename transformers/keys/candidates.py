"""Candidate primary keys: single columns, and minimal combinations of columns that tell every row apart.

Combinations are pruned by what their columns can distinguish at most, then by a sample (rows that repeat there repeat
in the table), and the survivors are counted over every row.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod
from typing import TYPE_CHECKING

from transformers.cells.columns import MISSING, TEMPORAL, LogicalType, walk_columns
from transformers.keys.key import EntityKey, KeyColumn, PrimaryKey
from transformers.keys.names import stem_of
from transformers.profiling.table_profile import percent
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

COMBINED = 12  # columns that combinations are made of: 66 pairs and 220 triples
SAMPLED_ROWS = 20_000
COUNTED = 20  # combinations counted over every row
LIKELY = 0.6  # confidence from which a candidate is more than different by chance
TARGETS = 3
LONGEST_KEY = 100  # characters: longer text is content


@dataclass(frozen=True)
class KeyLimits:
    """In percent, as in the agent's form."""

    pk_uniqueness: float = 99
    pk_null: float = 0
    entity_min: float = 50
    entity_max: float = 99
    most_columns: int = 3


def key_columns(
    db: "duckdb.DuckDBPyConnection", table: Table, tick: Callable[[float], None] = lambda _done: None
) -> list[KeyColumn]:
    found: list[KeyColumn] = []
    for some in walk_columns(db, table):
        query = f"SELECT c, count(*) FROM cell_values WHERE k NOT IN {MISSING} GROUP BY c"
        distinct = dict(db.execute(query).fetchall())
        found += [KeyColumn(c, distinct.get(i, 0), len(found) + i) for i, c in enumerate(some)]
        tick(len(found) / len(table.columns))
    return found


def single_keys(columns: Sequence[KeyColumn], table: str, limits: KeyLimits) -> list[PrimaryKey]:
    """The likeliest first."""
    fit = [c for c in columns if not c.is_measured and _is_unique(c.uniqueness, c.missing, limits)]
    keys = [
        PrimaryKey(
            columns=(c.name,),
            distinct=c.distinct,
            uniqueness=c.uniqueness,
            missing=c.missing,
            confidence=confidence,
            reasons=reasons,
        )
        for c in fit
        if c.column.rows > 1
        for confidence, reasons in [_plausibility(c, table)]
    ]
    return sorted(keys, key=lambda key: -key.confidence)


def _is_unique(uniqueness: float, missing: float, limits: KeyLimits) -> bool:
    return uniqueness >= limits.pk_uniqueness and missing <= limits.pk_null


def _plausibility(key: KeyColumn, table: str) -> tuple[float, tuple[str, ...]]:
    """What beside uniqueness speaks for a key, as parts of one hundred."""
    own, said = key.column, stem_of(key.name)
    named_for_table = bool(said) and said == stem_of(table)
    points = {
        "different in every row": 40 if key.distinct == own.rows else 20,
        "named as a key": 20 if key.is_named_so else 0,
        "named for the table": 15 if named_for_table or (key.is_named_so and not said) else 0,
        "the first column": 10 if key.position == 0 else 5 if key.position < 3 else 0,  # noqa: PLR2004  the first three
        "a whole number or a code": 10
        if own.logical not in TEMPORAL and (key.is_named_so or own.is_text is False)
        else 0,
        "no cell missing": 5 if not own.missing else 0,
    }
    if own.logical is LogicalType.INTEGER:
        points["a whole number or a code"] = 10
    reasons = tuple(reason for reason, part in points.items() if part)
    return round(sum(points.values()) / 100, 4), reasons


def worth_pointing_to(keys: Sequence[PrimaryKey]) -> list[PrimaryKey]:
    """The likeliest key and those that stand beside it; addresses that happen to differ are no key to refer to."""
    return [key for i, key in enumerate(keys) if not i or key.confidence >= LIKELY][:TARGETS]


def entity_keys(columns: Sequence[KeyColumn], limits: KeyLimits) -> list[EntityKey]:
    found = [
        c
        for c in columns
        if not c.is_measured
        and c.column.logical not in TEMPORAL
        and limits.entity_min <= c.uniqueness <= limits.entity_max
    ]
    return [
        EntityKey(column=c.name, distinct=c.distinct, uniqueness=c.uniqueness, missing=c.missing)
        for c in sorted(found, key=lambda c: (not c.is_named_so, -c.distinct, c.position))
    ]


def composite_keys(
    db: "duckdb.DuckDBPyConnection",
    table: Table,
    columns: Sequence[KeyColumn],
    limits: KeyLimits,
) -> list[PrimaryKey]:
    """Minimal: no part of one is a key. The fewest columns first, then the likeliest."""
    taking_part = _combinable(db, table, columns, limits)
    if len(taking_part) < 2 or table.rows < 2:  # noqa: PLR2004  it takes two of each
        return []
    known: list[frozenset[str]] = []
    found: list[PrimaryKey] = []
    sample = _sample(db, table, taking_part)
    counted = 0
    for some in _combinations(taking_part, limits, table.rows):
        names = frozenset(c.name for c in some)
        if counted >= COUNTED or any(part <= names for part in known):
            continue
        if _distinct(db, "key_sample", some) * 100 < limits.pk_uniqueness * sample:
            continue
        counted += 1
        distinct = _distinct(db, quoted(table.role), some)
        if percent(distinct, table.rows) >= limits.pk_uniqueness:
            known.append(names)
            found.append(_composite(some, distinct, table.rows))
    db.execute("DROP TABLE key_sample")
    return sorted(found, key=lambda key: (len(key.columns), -key.confidence))


def _combinable(
    db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[KeyColumn], limits: KeyLimits
) -> list[KeyColumn]:
    """Not unique alone, no constants, no measures, no long text; those named as keys first."""
    fit = [
        c
        for c in columns
        if not c.is_measured and c.distinct > 1 and c.missing <= limits.pk_null and c.uniqueness < limits.pk_uniqueness
    ]
    if not fit:
        return []
    lengths = ", ".join(f"avg(length({c.column.cell}))" for c in fit)
    [row] = db.execute(f"SELECT {lengths} FROM {quoted(table.role)}").fetchall()
    short = [c for c, length in zip(fit, row, strict=True) if (length or 0) <= LONGEST_KEY]
    return sorted(short, key=lambda c: (not c.is_named_so, -c.distinct, c.position))[:COMBINED]


def _combinations(columns: Sequence[KeyColumn], limits: KeyLimits, rows: int) -> Iterator[tuple[KeyColumn, ...]]:
    for size in range(2, min(limits.most_columns, len(columns)) + 1):
        for some in combinations(columns, size):
            if prod(c.distinct for c in some) * 100 >= limits.pk_uniqueness * rows:
                yield some


def _sample(db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[KeyColumn]) -> int:
    step = max(1, table.rows // SAMPLED_ROWS)
    cells = ", ".join(c.cell for c in columns)
    chosen = f"WHERE hash({quoted(SOURCE_ROW)}) % {step} = 0"
    db.execute(f"CREATE OR REPLACE TEMP TABLE key_sample AS SELECT {cells} FROM {quoted(table.role)} {chosen}")
    return int(db.execute("SELECT count(*) FROM key_sample").fetchall()[0][0])


def _distinct(db: "duckdb.DuckDBPyConnection", source: str, columns: Sequence[KeyColumn]) -> int:
    cells = ", ".join(c.column.cell for c in columns)
    [(n,)] = db.execute(f"SELECT count(*) FROM (SELECT DISTINCT {cells} FROM {source})").fetchall()
    return int(n)


def _composite(columns: Sequence[KeyColumn], distinct: int, rows: int) -> PrimaryKey:
    """Columns named as keys make a likely key; others tell rows apart by chance as well."""
    ordered = sorted(columns, key=lambda c: c.position)
    named = sum(c.is_named_so for c in columns) / len(columns)
    return PrimaryKey(
        columns=tuple(c.name for c in ordered),
        distinct=distinct,
        uniqueness=percent(distinct, rows),
        missing=0.0,
        confidence=round(0.3 + 0.5 * named + (0.1 if distinct == rows else 0.0), 4),
        reasons=("together different in every row", *(("all named as keys",) if named == 1 else ())),
    )
