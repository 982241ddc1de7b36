"""A pattern is the levels of agreement of a pair, over all fields; many pairs share one.

In the database a pattern is one whole number: the level + 1 of each field as a digit, 0 for a missing value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BASE = 16  # more than any field has levels; twelve fields then take 48 bits


@dataclass(frozen=True)
class Patterns:
    """Distinct patterns (a row of levels each, -1 where a value is missing), and how many pairs show them."""

    codes: "NDArray[np.int64]"
    levels: "NDArray[np.int8]"
    counts: "Floats"


def code_of(levels: Mapping[int, str]) -> str:
    """SQL: the pattern's number, from an expression of the level of each field."""
    return " + ".join(f"({level} + 1)::BIGINT * {BASE**i}" for i, level in levels.items()) or "0::BIGINT"


def read_patterns(db: "duckdb.DuckDBPyConnection", compared: str, fields: int) -> Patterns:
    """Of the pairs in `compared` (code, and n: how many pairs a row stands for), in the order of their numbers."""
    import numpy as np

    found = db.execute(f"SELECT code, sum(n)::DOUBLE AS n FROM {compared} GROUP BY code ORDER BY code").fetchnumpy()
    codes = np.asarray(found["code"], dtype=np.int64)
    levels = np.empty((len(codes), fields), dtype=np.int8)
    for i in range(fields):
        levels[:, i] = codes // BASE**i % BASE - 1
    return Patterns(codes, levels, np.asarray(found["n"], dtype=np.float64))


@dataclass(frozen=True)
class Seen:
    """Patterns, with how many pairs are believed to show them."""

    patterns: Patterns
    counts: "Floats"

    def by_level(self, field: int, size: int) -> "Floats":
        """How the pairs that have a value spread over a field's levels."""
        import numpy as np

        levels = self.patterns.levels[:, field]
        known = levels >= 0
        found: Floats = np.bincount(levels[known], weights=self.counts[known], minlength=size).astype(np.float64)
        return found
