"""Ids of entities that last: an entity whose records had an id before keeps it, whatever row they stand in now.

`golden_ids(cluster, golden_id)`, and `golden_keys(source_row, source_key)`, by which the next run knows its records
again: the value of the table's own key where it has one, else a hash of the row. Both are views of sorted files, so
that a stretch of them is read without the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backend.errors import UnreadableFile
from transformers.cells.columns import Column
from transformers.cells.semantic_types import names_a_key
from transformers.cells.spreadsheet_text import unshielded
from transformers.mastering.clusters import CLUSTERS, text
from transformers.mastering.golden import IDS
from transformers.matching.entity_ids import entity_ids
from transformers.tables import Table, quoted

if TYPE_CHECKING:
    import duckdb

KEYS = "golden_keys"
ROWS_A_GROUP = 20_480  # ten vectors: half a stretch
OURS = {"source_key", "golden_id"}  # what a cross-reference of an earlier run has


@dataclass(frozen=True)
class Identities:
    """`merged` and `split` are earlier ids that no longer stand for the same records."""

    kept: int
    new: int
    merged: int = 0
    split: int = 0
    key: str = ""

    @property
    def summary(self) -> dict[str, int | str]:
        changed = {"kept": self.kept, "new": self.new, "merged": self.merged, "split": self.split}
        return {**changed, "records_known_by": self.key or "the row's content"}


def identify(
    db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[Column], scratch: Path, *, previous: Table | None
) -> Identities:
    """Raises UnreadableFile where the cross-reference given is none of ours."""
    key = _own_key(db, table, columns)
    if previous is not None:
        _check(previous)
        key_said = unshielded("CAST(source_key AS VARCHAR)")
        db.execute(
            f"CREATE OR REPLACE TEMP VIEW known_entities AS SELECT {key_said} AS source_key,"
            f" CAST(golden_id AS VARCHAR) AS entity_id FROM {quoted(previous.role)}"
            " WHERE source_key IS NOT NULL AND golden_id IS NOT NULL"
        )
    found = entity_ids(
        db, table, CLUSTERS, key_columns=[key] if key else [], previous="known_entities" if previous else None
    )
    named = f"SELECT cluster, any_value(entity_id) AS golden_id FROM {found.ids} GROUP BY cluster ORDER BY cluster"
    _to_file(db, scratch, IDS, named)
    _to_file(db, scratch, KEYS, f"SELECT source_row, source_key FROM {found.ids} ORDER BY source_row")
    db.execute(f"DROP TABLE {found.ids}")
    return Identities(found.kept, found.new, found.merged, found.split, key)


def _to_file(db: "duckdb.DuckDBPyConnection", scratch: Path, name: str, query: str) -> None:
    path = scratch / f"{name}.parquet"
    db.execute(f"COPY ({query}) TO {text(path)} (FORMAT parquet, ROW_GROUP_SIZE {ROWS_A_GROUP})")
    db.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM read_parquet({text(path)})")


def _check(previous: Table) -> None:
    missing = sorted(OURS - set(previous.columns))
    if missing:
        raise UnreadableFile(
            f"The cross-reference has no column {missing[0]!r}: give the one that an earlier run has written.",
            columns=list(previous.columns),
        )


def _own_key(db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[Column]) -> str:
    """The first column that by its name and its values numbers the rows; '' where none does."""
    for column in columns:
        if names_a_key(column.name) and not column.missing and column.rows:
            query = f"SELECT count(DISTINCT {column.cell}) FROM {quoted(table.role)}"
            if db.execute(query).fetchall() == [(table.rows,)]:
                return column.name
    return ""
