"""Pairs with their logits: every pair of a pattern has the same, so that the model speaks once a pattern."""

from typing import TYPE_CHECKING

from transformers.matching.model import Model
from transformers.matching.patterns import read_patterns

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.int64]

READ_AT_ONCE = 100_000
RANDOM_PAIRS = 300_000  # a level that one pair of strangers in ten thousand reaches is still seen thirty times


def score(db: "duckdb.DuckDBPyConnection", compared: str, model: Model, at_least: float) -> "tuple[Rows, Rows, Floats]":
    """a, b and z (the logit) of the pairs in `compared` that matter, in their order; read and sorted outside the
    database, which would hold them twice.
    """
    import numpy as np
    import pyarrow as pa

    patterns = read_patterns(db, f"(SELECT code, 1 AS n FROM {compared})", len(model.m))
    logits = model.logits(patterns)
    enough = logits >= at_least
    db.register("er_patterns", pa.table({"code": patterns.codes[enough], "z": logits[enough]}))
    found = db.sql(f"SELECT a, b, z FROM {compared} JOIN er_patterns USING (code)").to_arrow_reader(READ_AT_ONCE)
    ends: list[Rows] = []
    others: list[Rows] = []
    zs: list[Floats] = []
    for part in found:
        a, b, z = (column.to_numpy() for column in part.columns)
        ends.append(a)
        others.append(b)
        zs.append(z)
    db.unregister("er_patterns")
    if not ends:
        return np.array([], np.int64), np.array([], np.int64), np.array([], np.float64)
    a, b = np.concatenate(ends), np.concatenate(others)
    ends.clear()
    others.clear()
    order = np.lexsort((b, a))
    return a[order].astype(np.int64), b[order].astype(np.int64), np.concatenate(zs)[order]


def draw_random_pairs(db: "duckdb.DuckDBPyConnection", rows: int, *, linking: bool, seed: int) -> None:
    """Fill `er_random` (a < b) with pairs drawn anyhow: nearly all of them are of two entities."""
    import numpy as np
    import pyarrow as pa

    drawn = np.sort(np.random.default_rng(seed).integers(0, rows, (2, RANDOM_PAIRS)), axis=0).astype(np.int32)
    db.register("er_drawn", pa.table({"a": drawn[0], "b": drawn[1]}))
    differ = (
        " JOIN er_records l ON l.r = a JOIN er_records r ON r.r = b WHERE l.src <> r.src AND" if linking else "WHERE"
    )
    db.execute(f"CREATE OR REPLACE TEMP TABLE er_random AS SELECT DISTINCT a, b FROM er_drawn {differ} a < b")
    db.unregister("er_drawn")


def register_pairs(db: "duckdb.DuckDBPyConnection", name: str, a: "Rows", b: "Rows") -> None:
    """The pairs as a temporary table (a, b)."""
    import numpy as np
    import pyarrow as pa

    db.register("er_given", pa.table({"a": a.astype(np.int32), "b": b.astype(np.int32)}))
    db.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT a, b FROM er_given")
    db.unregister("er_given")
