"""The resolution as temporary tables, by the customer's own row numbers.

What is joined is narrow, and every other table of the matching is dropped as soon as nothing asks for it.
"""

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from transformers.matching.copies import Copies
from transformers.matching.memory import NARROW, forget
from transformers.matching.pairs import Pairs
from transformers.matching.row_probabilities import Standing, standing
from transformers.tables import AT_REST, holding

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]

CLUSTERS = "er_clusters"
PAIRS = "er_judged_pairs"
LEAST_PROBABILITY = 0.01  # of a pair that is handed on
AT_ONCE = 100_000  # rows between the arrays and the database


def write_resolution(
    db: "duckdb.DuckDBPyConnection", labels: "Rows", pairs: Pairs, copies: Copies | None = None, bar: float = 0.0
) -> int:
    """Fill `er_clusters` and `er_judged_pairs`; how many entities there are."""
    import numpy as np

    forget(db, all_but=("er_records", "er_rows"))
    with holding(db, AT_REST):
        found = standing(labels, pairs, copies, bar)
    with holding(db, NARROW):
        source = _source_rows(db, len(labels))
        _store(db, "er_likely", _likely(source, pairs))
        _store(db, "er_labelled", _labelled(source, labels, found))
        _write_pairs(db)
        _write_clusters(db)
    return int((labels == np.arange(len(labels))).sum()) + found.apart


def _source_rows(db: "duckdb.DuckDBPyConnection", records: int) -> "Rows":
    """The first source row of each record; the records themselves go."""
    import numpy as np

    source = np.empty(records, np.int64)
    for part in db.sql("SELECT r, s FROM er_records").to_arrow_reader(AT_ONCE):
        r, s = (column.to_numpy() for column in part.columns)
        source[r] = s
    db.execute("DROP TABLE er_records")
    return source


def _labelled(source: "Rows", labels: "Rows", found: Standing) -> "Iterator[pa.RecordBatch]":
    """Each record's number, its first source row and that of its cluster, and how it stands; at least one part."""
    import numpy as np
    import pyarrow as pa

    for first in range(0, max(len(labels), 1), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        yield pa.record_batch(
            {
                "r": np.arange(first, first + len(labels[part]), dtype=np.int32),
                "s": source[part],
                "c": source[labels[part]],
                "p": found.probability[part],
                "q": found.copied[part],
                "together": found.together[part],
            }
        )


def _likely(source: "Rows", pairs: Pairs) -> "Iterator[pa.RecordBatch]":
    """The pairs that are handed on, by source row; at least one part."""
    import numpy as np
    import pyarrow as pa

    likely = np.flatnonzero(pairs.probabilities >= LEAST_PROBABILITY)
    for first in range(0, max(len(likely), 1), AT_ONCE):
        part = likely[first : first + AT_ONCE]
        a, b = source[pairs.a[part]], source[pairs.b[part]]
        yield pa.record_batch({"a": a, "b": b, "p": pairs.probabilities[part]})


def _store(db: "duckdb.DuckDBPyConnection", name: str, parts: "Iterator[pa.RecordBatch]") -> None:
    """A temporary table of the parts, made one after another."""
    import pyarrow as pa

    first = next(parts)
    db.register("er_parts", pa.RecordBatchReader.from_batches(first.schema, chain([first], parts)))
    db.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM er_parts")
    db.unregister("er_parts")


def _write_pairs(db: "duckdb.DuckDBPyConnection") -> None:
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {PAIRS} AS SELECT a, b, p AS probability FROM (FROM er_likely"
        " UNION ALL SELECT l.s, x.s, l.q FROM er_rows x JOIN er_labelled l USING (r)"
        f" WHERE x.s <> l.s AND l.q >= {LEAST_PROBABILITY!r}) ORDER BY a, b"
    )
    db.execute("DROP TABLE er_likely")


def _write_clusters(db: "duckdb.DuckDBPyConnection") -> None:
    """Put in order by itself: a join and a sort at once would need the memory of both."""
    db.execute(
        "CREATE OR REPLACE TEMP TABLE er_clustered AS SELECT x.s AS source_row,"
        " CASE WHEN x.s = l.s OR l.together THEN l.c ELSE x.s END AS cluster, l.p AS probability"
        " FROM er_rows x JOIN er_labelled l USING (r)"
    )
    db.execute("DROP TABLE er_rows; DROP TABLE er_labelled")
    db.execute(f"CREATE OR REPLACE TEMP TABLE {CLUSTERS} AS FROM er_clustered ORDER BY source_row")
    db.execute("DROP TABLE er_clustered")
