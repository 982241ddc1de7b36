"""Which column of the primary answers which of the baseline, and in what sense the two can be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from transformers.cells.columns import NUMERIC, TEMPORAL, Column, LogicalType
from transformers.cells.kinds import Kind


class Family(StrEnum):
    NUMBER = "number"
    MOMENT = "moment"
    TEXT = "text"
    EMPTY = "empty"


NOTATIONS: Mapping[Family, tuple[tuple[Kind, ...], ...]] = MappingProxyType(
    {  # that mean one value: 1.50 and 1,50; 12 and 12.5 are no two notations
        Family.NUMBER: (
            (Kind.DECIMAL, Kind.INTEGER),
            (Kind.COMMA_DECIMAL,),
            (Kind.GROUPED,),
            (Kind.CURRENCY,),
            (Kind.PERCENT,),
        ),
        Family.MOMENT: ((Kind.DATE,), (Kind.SLASH_DATE,), (Kind.DATETIME,)),
    }
)


@dataclass(frozen=True)
class Pair:
    """A column that both tables have."""

    old: Column
    new: Column

    @property
    def name(self) -> str:
        return self.new.name

    @property
    def family(self) -> Family:
        """In which sense the cells are compared: the baseline's, as far as the primary's cells go along."""
        old, new = family_of(self.old), family_of(self.new)
        if old is new:
            return old
        return Family.EMPTY if Family.EMPTY in {old, new} else Family.TEXT

    @property
    def type_changed(self) -> bool:
        old, new = family_of(self.old), family_of(self.new)
        return old is not new and Family.EMPTY not in {old, new}

    @property
    def type_widened(self) -> bool:
        """Whole numbers became decimal ones, dates got a time: the same family, and worth a word."""
        return (
            not self.type_changed
            and self.family in {Family.NUMBER, Family.MOMENT}
            and self.old.logical is not self.new.logical
        )


@dataclass(frozen=True)
class Notation:
    """A way of writing, and how many of the cells that fit the type have it: (baseline's, primary's)."""

    name: str
    cells: tuple[int, int]
    of: tuple[int, int]

    @property
    def change(self) -> float:
        return abs(self.cells[0] / self.of[0] - self.cells[1] / self.of[1])


def notation(pair: Pair) -> Notation | None:
    """The way of writing whose share changed most."""
    if not (pair.old.is_text and pair.new.is_text) or pair.family not in NOTATIONS:
        return None
    counts = {kinds[0]: (_count(pair.old, kinds), _count(pair.new, kinds)) for kinds in NOTATIONS[pair.family]}
    of = (sum(old for old, _ in counts.values()), sum(new for _, new in counts.values()))
    if not min(of):
        return None
    return max((Notation(kind.value, cells, of) for kind, cells in counts.items()), key=lambda one: one.change)


def _count(column: Column, kinds: tuple[Kind, ...]) -> int:
    return sum(column.kinds.get(kind, 0) for kind in kinds)


@dataclass(frozen=True)
class Matched:
    pairs: tuple[Pair, ...]
    added: tuple[Column, ...]
    missing: tuple[Column, ...]


def matched(old: Sequence[Column], new: Sequence[Column]) -> Matched:
    """By name, as it is written: a renamed column is a missing and a new one, and both are told."""
    before, after = {column.name: column for column in old}, {column.name: column for column in new}
    return Matched(
        pairs=tuple(Pair(before[column.name], column) for column in new if column.name in before),
        added=tuple(column for column in new if column.name not in before),
        missing=tuple(column for column in old if column.name not in after),
    )


def family_of(column: Column) -> Family:
    if column.logical in NUMERIC:
        return Family.NUMBER
    if column.logical in TEMPORAL:
        return Family.MOMENT
    return Family.EMPTY if column.logical is LogicalType.EMPTY else Family.TEXT
