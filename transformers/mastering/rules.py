"""The rules a customer can name: which of a cluster's rows gives a field its value.

Each takes the cluster's rows as they stand in order and gives the place of one that has a value. Of equals the first
in the file wins, but for `last`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from transformers.mastering.consensus import Cell, majority


class Rule(StrEnum):
    FRESHNESS = "freshness"
    QUALITY_SCORE = "quality_score"
    COMPLETENESS = "completeness"
    SOURCE_PRIORITY = "source_priority"
    FREQUENCY = "frequency"
    RICHNESS = "richness"
    VALIDATION = "validation"
    MIN = "min"
    MAX = "max"
    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True)
class Rows:
    """One field of one cluster. All sequences are as long as the cluster; `None` is a missing cell."""

    cells: Sequence[Cell]
    filled: Sequence[int]  # how many cells each row has
    ranks: Sequence[int]  # of each row's source: 0 is the most trusted
    times: Sequence[Any]  # each row's time stamp, None where it has none
    keys: Sequence[Any]  # the cells as the column's type says, None where they do not fit

    def told(self) -> list[int]:
        return [i for i, cell in enumerate(self.cells) if cell is not None]


def _freshest(rows: Rows) -> int:
    dated = [i for i in rows.told() if rows.times[i] is not None]
    return max(dated, key=lambda i: (rows.times[i], -i)) if dated else rows.told()[0]


def _most_complete(rows: Rows) -> int:
    return max(rows.told(), key=lambda i: (rows.filled[i], -i))


def _most_trusted(rows: Rows) -> int:
    return min(rows.told(), key=lambda i: (rows.ranks[i], i))


def _most_frequent(rows: Rows) -> int:
    return rows.cells.index(majority(rows.cells))


def _richest(rows: Rows) -> int:
    return max(rows.told(), key=lambda i: (len(rows.cells[i] or ""), -i))


def _valid(rows: Rows) -> int:
    """The most frequent of those that fit the column's type."""
    fit = [cell if key is not None else None for cell, key in zip(rows.cells, rows.keys, strict=True)]
    return rows.cells.index(majority(fit) or majority(rows.cells))


def _least(rows: Rows) -> int:
    return min(_keyed(rows), key=lambda i: (rows.keys[i], i), default=rows.told()[0])


def _greatest(rows: Rows) -> int:
    keyed = _keyed(rows)
    return max(keyed, key=lambda i: (rows.keys[i], -i)) if keyed else rows.told()[0]


def _keyed(rows: Rows) -> list[int]:
    return [i for i in rows.told() if rows.keys[i] is not None]


PICK: Mapping[Rule, Callable[[Rows], int]] = MappingProxyType(
    {
        Rule.FRESHNESS: _freshest,
        Rule.COMPLETENESS: _most_complete,
        Rule.SOURCE_PRIORITY: _most_trusted,
        Rule.FREQUENCY: _most_frequent,
        Rule.RICHNESS: _richest,
        Rule.VALIDATION: _valid,
        Rule.MIN: _least,
        Rule.MAX: _greatest,
        Rule.FIRST: lambda rows: rows.told()[0],
        Rule.LAST: lambda rows: rows.told()[-1],
    }
)


def agreement(cells: Sequence[Cell], value: Cell) -> float:
    """The share of the rows with a value that say this one."""
    said = Counter(cell for cell in cells if cell is not None)
    return said[value or ""] / said.total() if said else 1.0
