"""How well rows were put together: F1 over pairs of rows, and B³ over rows, against who they really are."""

import json
from dataclasses import dataclass
from pathlib import Path

from bench.tables import Customers


@dataclass(frozen=True)
class Linkage:
    f1: float
    b_cubed: float

    @property
    def told(self) -> dict[str, float]:
        return {"f1": round(self.f1, 4), "b_cubed": round(self.b_cubed, 4)}


def clusters_of(folder: Path) -> Path:
    """The Parquet file (source_row, cluster) that a run left: a peer's result, or ours by name."""
    said = folder / "said.json"
    if not said.exists():
        return folder / "result"
    return Path(json.loads(said.read_text(encoding="utf-8"))["files"]["clusters"])


def linkage(made: Customers, clusters: Path) -> Linkage:
    import duckdb

    with duckdb.connect(config={"memory_limit": "600MiB", "threads": 2}) as db:
        db.execute(
            "CREATE TEMP TABLE both_said AS SELECT person AS p, cluster AS c, count(*) AS n"
            f" FROM read_parquet('{made.truth}') JOIN read_parquet('{clusters}') USING (source_row) GROUP BY p, c"
        )
        sizes = {of: f"(SELECT {of}, sum(n) AS s FROM both_said GROUP BY {of})" for of in "pc"}
        pairs = {of: f"(SELECT sum(s * (s - 1)) FROM {sizes[of]})" for of in "pc"}
        [(f1,)] = db.execute(f"SELECT 2 * sum(n * (n - 1)) / ({pairs['p']} + {pairs['c']}) FROM both_said").fetchall()
        [(precision, recall)] = db.execute(
            "SELECT sum(n * n / x.s) / sum(n), sum(n * n / y.s) / sum(n) FROM both_said"
            f" JOIN {sizes['c']} x USING (c) JOIN {sizes['p']} y USING (p)"
        ).fetchall()
    return Linkage(f1, 2 * precision * recall / (precision + recall))
