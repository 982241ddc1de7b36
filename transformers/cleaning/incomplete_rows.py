"""Rows that say nothing which a fuller row does not say too: the same cells, but for those they miss.

Looked for by pattern of missing cells, the most frequent ones; a row counts only where chance would hardly make such a
pair: as if columns were independent, rows × Π 1/distinct pairs are expected by chance.
"""

from collections.abc import Sequence
from math import prod

from transformers.cleaning.duplicate_groups import DUPLICATES, ROW, Kind, Sameness, digest
from transformers.cleaning.rules import Work

PATTERNS = 20  # of missing cells: each is a scan of the table
LEAST_SHARE = 0.5  # of the columns that must be present
LEAST_SURE = 0.95
SCREENED = "maybe_incomplete"  # source_row, c0, c1 …: what each cell says
WIDEST = 200  # columns; beyond it patterns of missing cells hardly repeat, and cost as many comparisons


def incomplete_rows(work: Work, same: Sameness) -> None:
    """Add them to DUPLICATES, each with the first of the fuller rows."""
    if not any(column.missing for column in same.columns) or len(same.columns) > WIDEST:
        return
    _screen(work, same)
    patterns = _patterns(work, same)
    distinct = _distinct(work, same) if patterns else []
    for pattern in patterns:
        if _sureness(pattern, distinct, work.table.rows) >= LEAST_SURE:
            _of_pattern(work, same, pattern)
    if patterns:
        _follow(work)


def _screen(work: Work, same: Sameness) -> None:
    """Both rows of a pair agree in every column that no row misses: where one is a key, hardly a row is left."""
    full = [same.norm(column) for column in same.columns if not column.missing]
    where = ""
    if full:
        one = digest(full)
        work.db.execute(
            f'CREATE OR REPLACE TEMP TABLE alike AS SELECT h FROM (SELECT {one} AS h FROM "primary")'
            " GROUP BY h HAVING count(*) > 1"
        )
        where = f"WHERE {one} IN (SELECT h FROM alike)"
    said = ", ".join(f"{same.norm(column)} AS c{place}" for place, column in enumerate(same.columns))
    work.db.execute(
        f'CREATE OR REPLACE TEMP TABLE {SCREENED} AS SELECT {ROW} AS source_row, {said} FROM "primary" {where}'
    )


def _patterns(work: Work, same: Sameness) -> list[tuple[int, ...]]:
    """Which columns are missing together, the most frequent patterns."""
    bits = ", ".join(f"CAST(c{place} IS NULL AS INTEGER)" for place in range(len(same.columns)))
    most = int(len(same.columns) * (1 - LEAST_SHARE))
    found = work.db.execute(
        f"SELECT mask, count(*) AS n FROM (SELECT [{bits}] AS mask FROM {SCREENED})"
        f" WHERE list_sum(mask) BETWEEN 1 AND {most} GROUP BY mask ORDER BY n DESC, mask LIMIT {PATTERNS}"
    ).fetchall()
    return [tuple(mask) for mask, _ in found]


def _distinct(work: Work, same: Sameness) -> list[int]:
    counts = ", ".join(f"approx_count_distinct({same.norm(column)})" for column in same.columns)
    [row] = work.db.execute(f'SELECT {counts} FROM "primary"').fetchall()
    return [max(int(count), 1) for count in row]


def _sureness(pattern: Sequence[int], distinct: Sequence[int], rows: int) -> float:
    by_chance = rows * prod(1 / count for count, missing in zip(distinct, pattern, strict=True) if not missing)
    return 1 / (1 + by_chance)


def _of_pattern(work: Work, same: Sameness, pattern: Sequence[int]) -> None:
    shared = [f"c{place}" for place, missing in enumerate(pattern) if not missing]
    absent = [f"c{place}" for place, missing in enumerate(pattern) if missing]
    present = " AND ".join(f"{cell} IS NOT NULL" for cell in shared)
    here = f"{present} AND {' AND '.join(f'{cell} IS NULL' for cell in absent)}"
    fuller = f"{present} AND ({' OR '.join(f'{cell} IS NOT NULL' for cell in absent)})"
    key = f"{digest(shared)} AS h, {digest(['1', *shared])} AS g"
    alike = len(shared) / len(same.columns)
    unknown = f"source_row NOT IN (SELECT source_row FROM {DUPLICATES})"
    work.db.execute(
        f"INSERT INTO {DUPLICATES} SELECT p.source_row, min(f.source_row), '{Kind.MISSING_VALUES}', {alike!r}, false"
        f" FROM (SELECT source_row, {key} FROM {SCREENED} WHERE {here} AND {unknown}) p"
        f" JOIN (SELECT source_row, {key} FROM {SCREENED} WHERE {fuller} AND {unknown}) f USING (h, g)"
        f" GROUP BY p.source_row"
    )


def _follow(work: Work) -> None:
    """The row that a row points to may have a fuller one itself: all point to the one that stays."""
    for _ in range(PATTERNS):
        chained = f"SELECT count(*) FROM {DUPLICATES} WHERE kept_row IN (SELECT source_row FROM {DUPLICATES})"
        if not work.db.execute(chained).fetchall()[0][0]:
            return
        work.db.execute(
            f"UPDATE {DUPLICATES} SET kept_row = fuller.kept_row"
            f" FROM (SELECT source_row AS r, kept_row FROM {DUPLICATES}) fuller WHERE {DUPLICATES}.kept_row = fuller.r"
        )
