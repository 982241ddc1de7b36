"""The resolution as temporary tables, by the customer's own row numbers."""

from typing import TYPE_CHECKING

from transformers.matching.pairs import Pairs

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]

CLUSTERS = "er_clusters"
PAIRS = "er_judged_pairs"
LEAST_PROBABILITY = 0.01  # of a pair that is handed on


def write_resolution(db: "duckdb.DuckDBPyConnection", labels: "Rows", pairs: Pairs) -> None:
    """`er_clusters` and `er_judged_pairs`.

    A row's probability is that of its likeliest link to a fellow member; alone, that no link of it holds.
    """
    import numpy as np
    import pyarrow as pa

    within = labels[pairs.a] == labels[pairs.b]
    linked, rival = np.zeros(len(labels)), np.zeros(len(labels))
    for end in (pairs.a, pairs.b):
        np.maximum.at(linked, end[within], pairs.probabilities[within])
        np.maximum.at(rival, end[~within], pairs.probabilities[~within])
    alone = np.bincount(labels, minlength=len(labels))[labels] == 1
    rows = pa.table({"r": np.arange(len(labels)), "c": labels, "p": np.where(alone, 1 - rival, linked)})
    db.register("er_labelled_rows", rows)
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {CLUSTERS} AS SELECT m.s AS source_row, f.s AS cluster, p AS probability"
        " FROM er_labelled_rows x JOIN er_records m ON m.r = x.r JOIN er_records f ON f.r = x.c ORDER BY source_row"
    )
    db.unregister("er_labelled_rows")
    _write_pairs(db, pairs)


def _write_pairs(db: "duckdb.DuckDBPyConnection", pairs: Pairs) -> None:
    import pyarrow as pa

    likely = pairs.probabilities >= LEAST_PROBABILITY
    known = pa.table({"a": pairs.a[likely], "b": pairs.b[likely], "p": pairs.probabilities[likely]})
    db.register("er_likely", known)
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {PAIRS} AS SELECT l.s AS a, r.s AS b, p AS probability FROM er_likely x"
        " JOIN er_records l ON l.r = x.a JOIN er_records r ON r.r = x.b ORDER BY a, b"
    )
    db.unregister("er_likely")
