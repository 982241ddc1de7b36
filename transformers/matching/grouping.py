"""From judged pairs to clusters: one-to-one where sources are linked, else components taken apart and grown again."""

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from transformers.matching.calibration import Cut, best_cut
from transformers.matching.clusters import refine
from transformers.matching.components import MOST_MEMBERS, components, split_components
from transformers.matching.copies import Copies
from transformers.matching.judging import Judge
from transformers.matching.linking import competing, one_to_one
from transformers.matching.pairs import Pairs
from transformers.matching.records import Size
from transformers.tables import AT_REST, holding

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]

CROWD = 3  # members: two are one or they are not
MOST_INNER_PAIRS = 2_000_000  # within components: bounds what is judged a second time


@dataclass(frozen=True)
class Grouping:
    """For each row the smallest of its cluster; the pairs, with those judged on the way; what stayed too large."""

    labels: "Rows"
    pairs: Pairs
    cut: Cut
    too_large: int = 0
    copies: Copies | None = None

    @property
    def bar(self) -> float:
        """The threshold as a logit."""
        return _bar(self.cut)


def _bar(cut: Cut) -> float:
    return log(cut.threshold / (1 - cut.threshold)) if 0 < cut.threshold < 1 else 30.0


def link(db: "duckdb.DuckDBPyConnection", rows: int, pairs: Pairs, threshold: float | None) -> Grouping:
    """One-to-one links between sources."""
    import numpy as np

    names = db.execute("SELECT src FROM er_records ORDER BY r").fetchnumpy()["src"]
    with holding(db, AT_REST):
        source = np.unique(names, return_inverse=True)[1].astype(np.int64)
        pairs = pairs.with_probabilities(competing(pairs.a, pairs.b, source, pairs.logits))
        cut = best_cut(pairs.probabilities, threshold)
        kept = one_to_one(pairs.a, pairs.b, source, pairs.probabilities, cut.threshold)
        return Grouping(components(rows, pairs.a[kept], pairs.b[kept]), pairs, cut)


def group(judge: Judge, size: Size, pairs: Pairs, threshold: float | None) -> Grouping:
    """Clusters of any size within one table."""
    import numpy as np

    copies = judge.copies(size)
    with holding(judge.db, AT_REST):
        cut = best_cut(np.concatenate([pairs.probabilities, copies.probabilities]), threshold)
        bar = _bar(cut)
        labels, too_large = split_components(size.rows, pairs.a, pairs.b, pairs.logits, bar)
    inner = judge.judge(_inner_pairs(judge.db, labels, pairs))
    with holding(judge.db, AT_REST):
        pairs = inner.and_also(pairs)
        return Grouping(refine(labels, pairs.a, pairs.b, pairs.logits, bar), pairs, cut, too_large, copies)


def _inner_pairs(db: "duckdb.DuckDBPyConnection", labels: "Rows", pairs: Pairs) -> str:
    """A table of the pairs within components of three and more that blocking did not propose."""
    import numpy as np
    import pyarrow as pa

    with holding(db, AT_REST):
        sizes = np.bincount(labels, minlength=len(labels))
        asked = np.flatnonzero((sizes[labels] >= CROWD) & (sizes[labels] <= _largest(sizes)))
        inside = labels[pairs.a] == labels[pairs.b]
        a, b = (end[inside].astype(np.int32) for end in (pairs.a, pairs.b))
        db.register("er_members", pa.table({"r": asked.astype(np.int32), "c": labels[asked].astype(np.int32)}))
        db.register("er_seen", pa.table({"a": a, "b": b}))
        del sizes, inside, a, b
    db.execute(
        "CREATE OR REPLACE TEMP TABLE er_inner AS SELECT l.r AS a, r.r AS b FROM er_members l"
        " JOIN er_members r ON l.c = r.c AND l.r < r.r ANTI JOIN er_seen s ON s.a = l.r AND s.b = r.r"
    )
    db.unregister("er_members")
    db.unregister("er_seen")
    return "er_inner"


def _largest(sizes: "Rows") -> int:
    """The size up to which all components can be judged pair by pair."""
    import numpy as np

    by_size = np.bincount(sizes[sizes >= CROWD], minlength=MOST_MEMBERS + 1)[: MOST_MEMBERS + 1]
    size = np.arange(len(by_size))
    return int(np.flatnonzero(np.cumsum(by_size * size * (size - 1) // 2) <= MOST_INNER_PAIRS).max(initial=0))
