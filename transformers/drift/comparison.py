"""Two tables, column by column: figures, signals, and what is needed to find the rows behind them."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transformers.cells.columns import LogicalType
from transformers.cells.semantic_types import names_a_key
from transformers.drift import categories, numbers
from transformers.drift.binning import Bins, coarse
from transformers.drift.categories import Words
from transformers.drift.noise import Levels
from transformers.drift.numbers import Counted
from transformers.drift.pairs import Family, Pair, notation
from transformers.drift.signals import (
    Compared,
    Signal,
    compare_numbers,
    compare_share,
    compare_words,
    misfit_share,
    missing_share,
    notation_share,
)
from transformers.findings import Severity
from transformers.row_findings import RANK
from transformers.tables import Table

if TYPE_CHECKING:
    import duckdb

DENSE = 10  # unique whole numbers that fill a tenth of their range number the rows, they measure nothing


@dataclass(frozen=True)
class Limits:
    levels: Levels
    least: int  # present cells, on both sides, below which a column is not judged


@dataclass(frozen=True)
class ColumnDrift:
    pair: Pair
    compared: tuple[Compared, ...]
    bins: Bins | None = None
    words: tuple[Words, ...] = ()
    unjudged: str = ""  # why nothing is said of its values

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The most serious first."""
        every = [signal for one in self.compared for signal in one.signals]
        return tuple(sorted(every, key=lambda signal: RANK[signal.severity]))

    @property
    def drifted(self) -> bool:
        return bool(self.signals) or self.pair.type_changed

    @property
    def severity(self) -> Severity:
        if self.pair.type_changed:
            return Severity.HIGH
        return self.signals[0].severity if self.signals else Severity.INFO

    def kinds(self) -> set[str]:
        return {signal.kind for signal in self.signals}


@dataclass(frozen=True)
class Sides:
    """The two tables, in one database."""

    db: "duckdb.DuckDBPyConnection"
    baseline: Table
    primary: Table


def compare(
    sides: Sides, pairs: tuple[Pair, ...], limits: Limits, tick: Callable[[float], None]
) -> tuple[ColumnDrift, ...]:
    """In the primary's order of columns."""
    found: dict[str, list[ColumnDrift]] = defaultdict(list)
    judged = [pair for pair in pairs if _enough(pair, limits)]
    asked = list(numbers.measures(judged))
    measured = numbers.counted(sides.db, sides.baseline, sides.primary, asked, lambda done: tick(0.5 * done))
    for counted in measured:
        found[counted.measure.pair.name].append(_numbers(counted, limits))
    worded = [pair for pair in judged if pair.family in {Family.TEXT, Family.MOMENT}]
    for place, pair in enumerate(worded, 1):
        found[pair.name] += _words(sides, pair, limits)
        tick(0.5 + 0.5 * place / len(worded))
    return tuple(_together(pair, found[pair.name], sides, limits) for pair in pairs)


def _enough(pair: Pair, limits: Limits) -> bool:
    return min(pair.old.present, pair.new.present) >= max(limits.least, 1) and pair.family is not Family.EMPTY


def _together(pair: Pair, parts: list[ColumnDrift], sides: Sides, limits: Limits) -> ColumnDrift:
    shares = [missing_share((pair.old.missing, pair.new.missing), (sides.baseline.rows, sides.primary.rows))]
    if not pair.type_changed:
        shares.append(misfit_share((pair.old.invalid, pair.new.invalid), (pair.old.present, pair.new.present)))
    written = notation(pair)
    if written:
        shares.append(notation_share(written.name, written.cells, written.of))
    judged = [compare_share(share, limits.levels.other) for share in shares if min(share.of) >= max(limits.least, 1)]
    few = f"Fewer than {limits.least:,} cells are present on one side." if not _enough(pair, limits) else ""
    return ColumnDrift(
        pair=pair,
        compared=(*(one for part in parts for one in part.compared), *judged),
        bins=next((part.bins for part in parts if part.bins), None),
        words=tuple(words for part in parts for words in part.words),
        unjudged=next((part.unjudged for part in parts if part.unjudged), few),
    )


def _numbers(counted: Counted, limits: Limits) -> ColumnDrift:
    pair = counted.measure.pair
    if not counted.old.sum() or not counted.new.sum():
        return ColumnDrift(pair, (), unjudged="No finite value on one side.")
    bins = coarse(counted)
    compared = compare_numbers(counted, bins, limits.levels)
    if counted.measure.aspect == "value" and _counts_rows(counted):
        reason = "A running number: each file has its own."
        return ColumnDrift(pair, (_silent(compared),), bins, unjudged=reason)
    if pair.family is Family.MOMENT:
        compared = _period(compared, counted)
    return ColumnDrift(pair, (compared,), bins if counted.measure.aspect == "value" else None)


def _counts_rows(counted: Counted) -> bool:
    """Unique whole numbers that are named a key, or leave few gaps."""
    import numpy as np

    pair, old, new = counted.measure.pair, counted.old_sample, counted.new_sample
    if pair.old.logical is not LogicalType.INTEGER or pair.new.logical is not LogicalType.INTEGER:
        return False
    unique = len(np.unique(old)) == len(old) and len(np.unique(new)) == len(new)
    dense = counted.high - counted.low < DENSE * pair.old.present
    return unique and (dense or names_a_key(pair.name))


def _silent(compared: Compared) -> Compared:
    return Compared(compared.aspect, compared.n, compared.m, compared.figures)


def _period(compared: Compared, counted: Counted) -> Compared:
    """Two files seldom cover the same days: said, and no more than low."""
    signals = tuple(
        Signal(s.kind, s.figure, s.effect, s.p, Severity.LOW, f"{s.message} Expected of files that cover other days.")
        for s in compared.signals
        if counted.measure.aspect == "value"
    )
    return Compared(compared.aspect, compared.n, compared.m, compared.figures, signals)


def _words(sides: Sides, pair: Pair, limits: Limits) -> Iterator[ColumnDrift]:
    for words in _aspects(sides, pair):
        if words.n and words.m:
            yield ColumnDrift(pair, (compare_words(words, limits.levels),), words=(words,))


def _aspects(sides: Sides, pair: Pair) -> Iterator[Words]:
    if pair.family is Family.MOMENT:
        if pair.old.logical is pair.new.logical is LogicalType.DATETIME:
            yield categories.hours(sides.db, sides.baseline, sides.primary, pair)
        return
    if not categories.is_free_text(sides.db, sides.baseline, pair.old):
        yield categories.words(sides.db, sides.baseline, sides.primary, pair)
    yield categories.shapes(sides.db, sides.baseline, sides.primary, pair)
