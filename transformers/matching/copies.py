"""Rows that are the same in every field stand for one record: whether they are one entity is judged once a record.

They are, where the model says so of a record beside itself, or where what they share would hardly be shared by any
two rows of the table by chance; a common name without anything else is neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2
from typing import TYPE_CHECKING

from transformers.matching.fields import RARER, Field
from transformers.matching.model import sigmoid
from transformers.matching.records import Size, Term

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.int64]

COPIES = "er_copies"
COPIED = "er_copied"  # compared


@dataclass(frozen=True)
class Copies:
    """Records that stand for `rows` rows; the logit that two of them are one entity; and the information they share."""

    records: "Rows"
    rows: "Rows"
    logits: "Floats"
    bits: "Floats"
    enough: float  # bits that no two rows of the table are expected to share by chance

    @property
    def probabilities(self) -> "Floats":
        """For each copy."""
        import numpy as np

        return np.repeat(sigmoid(self.logits), self.rows - 1)

    def sure(self, bar: float) -> "NDArray[np.bool_]":
        found: NDArray[np.bool_] = (self.logits >= bar) | (self.bits >= self.enough)
        return found


def pair_copies(db: "duckdb.DuckDBPyConnection") -> None:
    """`er_copies`: each record that stands for several rows, beside itself."""
    db.execute(f"CREATE OR REPLACE TEMP TABLE {COPIES} AS SELECT r AS a, r AS b FROM er_records WHERE n > 1 ORDER BY r")


def read_copies(
    db: "duckdb.DuckDBPyConnection", fields: Sequence[Field], size: Size, logits: "tuple[Rows, Floats]"
) -> Copies:
    """`logits` by record."""
    import numpy as np

    told = " + ".join(_information(field) for field in fields) or "0"
    found = db.execute(f"SELECT r, n, ({told})::DOUBLE AS bits FROM er_records WHERE n > 1 ORDER BY r").fetchnumpy()
    records = np.asarray(found["r"], np.int64)
    rows = size.rows + size.copies
    return Copies(
        records,
        np.asarray(found["n"], np.int64),
        logits[1][np.searchsorted(logits[0], records)],
        np.asarray(found["bits"], np.float64),
        log2(max(rows * (rows - 1) / 2, 2)),
    )


def _information(field: Field) -> str:
    """SQL: the bits of a record's value; a common one counts for none."""
    term = f"((terms >> {2 * field.index}) & 3)"
    return (
        f"CASE WHEN {field.sql} IS NULL OR {term} = {Term.COMMON.value} THEN 0.0"
        f" WHEN {term} = {Term.RARE.value} THEN {field.bits + log2(RARER)!r} ELSE {field.bits!r} END"
    )
