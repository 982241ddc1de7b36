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
WIDEST = 200  # columns; beyond it patterns of missing cells hardly repeat, and cost as many comparisons


def incomplete_rows(work: Work, same: Sameness) -> None:
    """Add them to DUPLICATES, each with the first of the fuller rows."""
    if not any(column.missing for column in same.columns) or len(same.columns) > WIDEST:
        return
    bits = ", ".join(f"CASE WHEN {same.norm(column)} IS NULL THEN 1 ELSE 0 END" for column in same.columns)
    patterns = (
        f'SELECT mask, count(*) AS n FROM (SELECT [{bits}] AS mask FROM "primary") WHERE list_sum(mask) BETWEEN 1 AND'
        f" {int(len(same.columns) * (1 - LEAST_SHARE))} GROUP BY mask ORDER BY n DESC, mask LIMIT {PATTERNS}"
    )
    found = [tuple(one) for one, _ in work.db.execute(patterns).fetchall()]
    distinct = _distinct(work, same) if found else []
    for pattern in found:
        _of_pattern(work, same, pattern, _sureness(pattern, distinct, work.table.rows))
    if found:
        _follow(work)


def _distinct(work: Work, same: Sameness) -> list[int]:
    counts = ", ".join(f"approx_count_distinct({same.norm(column)})" for column in same.columns)
    [row] = work.db.execute(f'SELECT {counts} FROM "primary"').fetchall()
    return [max(int(count), 1) for count in row]


def _sureness(pattern: Sequence[int], distinct: Sequence[int], rows: int) -> float:
    by_chance = rows * prod(1 / count for count, missing in zip(distinct, pattern, strict=True) if not missing)
    return 1 / (1 + by_chance)


def _of_pattern(work: Work, same: Sameness, pattern: Sequence[int], sure: float) -> None:
    if sure < LEAST_SURE:
        return
    sides = list(zip(same.columns, pattern, strict=True))
    shared = [same.norm(column) for column, missing in sides if not missing]
    absent = [same.norm(column) for column, missing in sides if missing]
    here = " AND ".join([*(f"{cell} IS NOT NULL" for cell in shared), *(f"{cell} IS NULL" for cell in absent)])
    fuller = " AND ".join(
        [*(f"{cell} IS NOT NULL" for cell in shared), f"({' OR '.join(f'{cell} IS NOT NULL' for cell in absent)})"]
    )
    key = f"{digest(shared)} AS h, {digest(['1', *shared])} AS g"
    alike = len(shared) / len(same.columns)
    work.db.execute(
        f"INSERT INTO {DUPLICATES} SELECT p.source_row, min(f.source_row), '{Kind.MISSING_VALUES}', {alike!r}, false"
        f' FROM (SELECT {ROW} AS source_row, {key} FROM "primary" WHERE {here}) p'
        f' JOIN (SELECT {ROW} AS source_row, {key} FROM "primary" WHERE {fuller}) f USING (h, g)'
        f" WHERE p.source_row NOT IN (SELECT source_row FROM {DUPLICATES})"
        f" AND f.source_row NOT IN (SELECT source_row FROM {DUPLICATES}) GROUP BY p.source_row"
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
