"""What the customer wants of survivorship, what is decided for one field of one entity, and what decisions are called.

Besides the rules' own names, a decision may be called by one of the names here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from transformers.mastering.rules import Rule

AGREED = "agreed"  # all rows that have a value have this one
ONLY_VALUE = "only_value"  # only one row has any
ONLY_RECORD = "only_record"  # the entity has one row
OF_THE_ROW = "of_the_row"  # tells the row and not the entity (its number, its source): the first row's
TOGETHER = "+together"  # chosen with the fields it belongs to, from one row


@dataclass(frozen=True)
class Policy:
    """What the customer wants: column places, or None."""

    default: Rule
    by_column: Mapping[int, Rule] = field(default_factory=dict)
    source: int | None = None
    timestamp: int | None = None
    priority: Sequence[str] = ()  # sources, the most trusted first
    groups: Sequence[tuple[int, ...]] = ()  # fields that stay together
    of_rows: frozenset[int] = frozenset()  # columns that tell the row and not the entity

    def rule(self, column: int) -> Rule:
        return self.by_column.get(column, self.default)

    def uses(self, rule: Rule) -> bool:
        return rule is self.default or rule in self.by_column.values()


@dataclass(frozen=True)
class Decision:
    """`place` is that of the winning row within the cluster; None where the field stays empty."""

    place: int | None
    rule: str
    confidence: float
    told: int  # rows with a value
    values: int  # different ones
