"""The resolution as temporary tables, by the customer's own row numbers."""

from typing import TYPE_CHECKING

from transformers.matching.copies import Copies
from transformers.matching.model import sigmoid
from transformers.matching.pairs import Pairs

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]

CLUSTERS = "er_clusters"
PAIRS = "er_judged_pairs"
LEAST_PROBABILITY = 0.01  # of a pair that is handed on


def write_resolution(
    db: "duckdb.DuckDBPyConnection", labels: "Rows", pairs: Pairs, copies: Copies | None = None, bar: float = 0.0
) -> int:
    """Fill `er_clusters` and `er_judged_pairs`; how many entities there are.

    A row's probability is that of its likeliest link to a fellow member; alone, that no link of it holds. Copies are
    together where they are sure, or where their record is one of a cluster.
    """
    import numpy as np
    import pyarrow as pa

    within = labels[pairs.a] == labels[pairs.b]
    linked, rival = np.zeros(len(labels)), np.zeros(len(labels))
    for end in (pairs.a, pairs.b):
        np.maximum.at(linked, end[within], pairs.probabilities[within])
        np.maximum.at(rival, end[~within], pairs.probabilities[~within])
    alone = np.bincount(labels, minlength=len(labels))[labels] == 1
    copied, rows, together = np.zeros(len(labels)), np.ones(len(labels), np.int64), ~alone
    if copies is not None:
        copied[copies.records], rows[copies.records] = sigmoid(copies.logits), copies.rows
        together[copies.records] |= copies.sure(bar)
        linked = np.where(together, np.maximum(linked, copied), linked)
        rival = np.where(together, rival, np.maximum(rival, copied))
    known = pa.table(
        {
            "r": np.arange(len(labels), dtype=np.int32),
            "c": labels.astype(np.int32),
            "p": np.where(alone & ~(together & (rows > 1)), 1 - rival, linked),
            "q": copied,
            "together": together,
        }
    )
    db.register("er_labelled_rows", known)
    db.execute("CREATE OR REPLACE TEMP TABLE er_labelled AS SELECT * FROM er_labelled_rows")
    db.unregister("er_labelled_rows")
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {CLUSTERS} AS SELECT x.s AS source_row,"
        " CASE WHEN x.s = m.s OR l.together THEN f.s ELSE x.s END AS cluster, l.p AS probability"
        " FROM er_rows x JOIN er_labelled l ON l.r = x.r JOIN er_records m ON m.r = l.r JOIN er_records f ON f.r = l.c"
        " ORDER BY source_row"
    )
    _write_pairs(db, pairs)
    return len(np.unique(labels)) + int((rows[~together] - 1).sum())


def _write_pairs(db: "duckdb.DuckDBPyConnection", pairs: Pairs) -> None:
    import numpy as np
    import pyarrow as pa

    likely = pairs.probabilities >= LEAST_PROBABILITY
    a, b = (end[likely].astype(np.int32) for end in (pairs.a, pairs.b))
    db.register("er_likely", pa.table({"a": a, "b": b, "p": pairs.probabilities[likely]}))
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {PAIRS} AS SELECT a, b, probability FROM (SELECT l.s AS a, r.s AS b,"
        " p AS probability FROM er_likely x JOIN er_records l ON l.r = x.a JOIN er_records r ON r.r = x.b"
        " UNION ALL SELECT m.s, x.s, l.q FROM er_rows x JOIN er_records m ON m.r = x.r JOIN er_labelled l ON l.r = x.r"
        f" WHERE x.s <> m.s AND l.q >= {LEAST_PROBABILITY!r}) ORDER BY a, b"
    )
    db.unregister("er_likely")
    db.execute("DROP TABLE er_labelled")
