"""Judged pairs in memory: dense row numbers a < b, the logit that they are one entity, and its probability."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from transformers.matching.model import MOST_LOGIT, sigmoid

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.int64]

Label = tuple[int, int, bool]  # two source rows, and whether a steward says that they are one


@dataclass(frozen=True)
class Pairs:
    a: "Rows"
    b: "Rows"
    logits: "Floats"
    probabilities: "Floats"

    @classmethod
    def of(cls, a: "Rows", b: "Rows", logits: "Floats") -> "Pairs":
        return cls(a, b, logits, sigmoid(logits))

    def and_also(self, other: "Pairs") -> "Pairs":
        """Both; where a pair is in both, the other's word counts. In the order of a and b."""
        import numpy as np

        if not len(other.a):
            return self
        wide = int(max(self.b.max(initial=0), other.b.max(initial=0))) + 1
        keys, others = self.a * wide + self.b, other.a * wide + other.b
        kept = ~np.isin(keys, others)
        order = np.argsort(np.concatenate([keys[kept], others]), kind="stable")
        del keys, others

        def both(one: "NDArray[Any]", more: "NDArray[Any]") -> "NDArray[Any]":
            return np.concatenate([one[kept], more])[order]

        return Pairs(
            both(self.a, other.a),
            both(self.b, other.b),
            both(self.logits, other.logits),
            both(self.probabilities, other.probabilities),
        )

    def with_probabilities(self, probabilities: "Floats") -> "Pairs":
        return replace(self, probabilities=probabilities)


def no_pairs() -> Pairs:
    import numpy as np

    none = np.array([], dtype=np.int64)
    return Pairs.of(none, none, np.array([], dtype=np.float64))


def judged_pairs(db: "duckdb.DuckDBPyConnection", labels: Sequence[Label]) -> Pairs:
    """What stewards said, as certain pairs; labels of rows that are not there are passed over."""
    import numpy as np
    import pyarrow as pa

    if not labels:
        return no_pairs()
    one, other, same = zip(*labels, strict=True)
    db.register("er_labels", pa.table({"one": one, "other": other, "same": same}))
    found = db.execute(
        "SELECT least(l.r, r.r) AS a, greatest(l.r, r.r) AS b, bool_or(same) AS same FROM er_labels"
        " JOIN er_rows l ON l.s = one JOIN er_rows r ON r.s = other WHERE l.r <> r.r GROUP BY 1, 2 ORDER BY 1, 2"
    ).fetchnumpy()
    db.unregister("er_labels")
    logits = np.where(np.asarray(found["same"], dtype=np.bool_), MOST_LOGIT, -MOST_LOGIT)
    return Pairs.of(np.asarray(found["a"], dtype=np.int64), np.asarray(found["b"], dtype=np.int64), logits)
