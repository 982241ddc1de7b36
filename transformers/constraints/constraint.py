"""What a constraint is: a rule about one or more columns, how much it rests on, and how sure it is."""

import math
from enum import StrEnum
from typing import Any

from pydantic import Field

from transformers.profiling.table_profile import Described

Z = 1.96  # two-sided 95 %


class ConstraintKind(StrEnum):
    """What `arguments` hold, by kind, is said at each."""

    TYPE = "type"  # logical_type
    NOT_NULL = "not_null"
    UNIQUE = "unique"  # of one column, or of several together
    RANGE = "range"  # minimum, maximum: numbers, or dates as ISO 8601
    ALLOWED_VALUES = "allowed_values"  # values
    PATTERN = "pattern"  # shape, pattern (RE2, of the whole trimmed cell)
    LENGTH = "length"  # minimum, maximum, in characters
    DEPENDENCY = "dependency"  # determines: the last of `columns` follows from the others


class Constraint(Described):
    """`support`: cells or rows it rests on. `violations`: those among them that break it.

    `confidence` is a lower bound of the share of further cells that will keep it, as far as these cells tell.
    """

    kind: ConstraintKind
    columns: tuple[str, ...]
    support: int
    violations: int = 0
    confidence: float
    arguments: dict[str, Any] = Field(default_factory=dict)
    reason: str = ""

    @property
    def column(self) -> str:
        return self.columns[-1]

    @property
    def mostly(self) -> float:
        """The share of the support that keeps it, rounded down: a rule for it must pass on this very table."""
        return math.floor(10_000 * (1 - self.violations / self.support)) / 10_000 if self.support else 1.0


def kept_by(kept: int, n: int) -> float:
    """Wilson's lower bound of a share of which `kept` of `n` were seen."""
    if not n:
        return 0.0
    share, z2 = kept / n, Z * Z
    reach = Z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return round((share + z2 / (2 * n) - reach) / (1 + z2 / n), 6)


def within_ends(n: int) -> float:
    """How probably one more value lies between the least and the greatest of n, wherever they come from."""
    return round((n - 1) / (n + 1), 6) if n > 1 else 0.0


def seen_before(n: int, once: int) -> float:
    """How probably one more value is among those seen (Good and Turing): `once` of them were seen once only."""
    return round(max(0.0, 1 - (once + 1) / n), 6) if n else 0.0
