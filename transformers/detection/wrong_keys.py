"""A wrong key: most of what should belong to it is contradicted by it alone, and supported by whoever else has a say.

Two cells of a row that are wrong by themselves are rarer than one key that is: the key is doubted, and has no vote.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from transformers.dependencies import Dependency
from transformers.detection.workbench import EVIDENCE, Workbench

if TYPE_CHECKING:
    import duckdb

WRONG_KEYS = "wrong_keys"
MIN_CONTRADICTED = 2  # cells of the row
MIN_SHARE = 0.5  # of the columns that the key tells
BEYOND = 0.97  # that a vote of such a key is worth nothing


def look(bench: Workbench, votes: str, doubts: str, dependencies: Sequence[Dependency]) -> None:
    """Adds evidence, and to `doubts` (source_row, place, p)."""
    told = Counter(d.lhs[0] for d in dependencies if len(d.lhs) == 1)
    keys = {int(name[1:]): n for name, n in told.items() if n >= MIN_CONTRADICTED}
    if not keys:
        return
    _find(bench.db, votes, keys)
    bench.add(f"SELECT source_row, place, 'dependency', 'contradicted_key', 1 - 0.5 ** n, NULL, 0.0 FROM {WRONG_KEYS}")
    bench.db.execute(f"INSERT INTO {doubts} SELECT source_row, place, {BEYOND} FROM {WRONG_KEYS}")


def _find(db: "duckdb.DuckDBPyConnection", votes: str, keys: dict[int, int]) -> None:
    """Cells with a value, that no other rule and no other dependency speaks against."""
    known = " ".join(f"WHEN {place} THEN {n}" for place, n in sorted(keys.items()))
    db.execute(f"""
        CREATE OR REPLACE TEMP TABLE {WRONG_KEYS} AS
        SELECT v.source_row, v.lhs[1] AS place, count(*) AS n FROM {votes} v
        WHERE odds > 0 AND filled AND len(lhs) = 1
            AND NOT EXISTS (
                FROM {votes} o WHERE o.source_row = v.source_row AND o.place = v.place AND o.odds > 0
                AND NOT list_contains(o.lhs, v.lhs[1])
            ) AND NOT EXISTS (
                FROM {EVIDENCE} e WHERE e.source_row = v.source_row AND e.place = v.place AND e.confidence >= 0.5
            )
        GROUP BY v.source_row, v.lhs[1]
        HAVING n >= {MIN_CONTRADICTED} AND n >= {MIN_SHARE} * CASE v.lhs[1] {known} ELSE 1e9 END
    """)
