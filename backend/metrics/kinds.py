"""The three kinds of metrics, as Prometheus has them, and how their labels are declared.

Names: `agensium_`, what is measured, its base unit (`_seconds`, `_bytes`), and `_total` for what only grows. No label
ever holds an id or a customer's word: the number of series is bounded by our own catalogues.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from backend.metrics.tally import TALLY

# From a hiccup of the store to the longest tool's limit.
MOMENTS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
STRETCHES = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 1800, 3600)
MEBIBYTE = 2**20
SIZES = tuple(MEBIBYTE * size for size in (64, 100, 150, 200, 300, 400, 600, 800, 1200, 2000, 4000, 8000))


@dataclass(frozen=True, slots=True)
class Label:
    """`values`: all there are, so that each series is there, at 0, from the start. None: a catalogue's, at run time."""

    name: str
    values: type[StrEnum] | None = None
    of: str = ""  # what the values are, where they are not listed


@dataclass(frozen=True, slots=True)
class Metric:
    name: str
    help: str
    labels: tuple[Label, ...] = ()

    @property
    def label_names(self) -> tuple[str, ...]:
        return tuple(label.name for label in self.labels)

    def known_series(self) -> Iterable[tuple[str, ...]]:
        """Those that are there from the start: none, where one label's values are only known at run time."""
        if any(label.values is None for label in self.labels):
            return ()
        return product(*([value.value for value in label.values or ()] for label in self.labels))


@dataclass(frozen=True, slots=True)
class Counter(Metric):
    """Only grows, until its process is started anew."""

    def count(self, *labels: str, by: float = 1.0) -> None:
        """`labels` are values, in the order of the declaration."""
        TALLY.add((self.name, labels), by)


@dataclass(frozen=True, slots=True)
class Histogram(Metric):
    """How many were at most so large, for each of some bounds."""

    bounds: Sequence[float] = MOMENTS

    def observe(self, value: float, *labels: str) -> None:
        TALLY.observe((self.name, labels), self.bounds, value)


@dataclass(frozen=True, slots=True)
class Gauge(Metric):
    """How things stand: read when somebody asks."""

    def at(self, value: float, *labels: str) -> "Level":
        return Level(self, labels, value)


@dataclass(frozen=True, slots=True)
class HouseGauge(Gauge):
    """From rows, so that every API process tells the same: take the largest, never the sum."""


@dataclass(frozen=True, slots=True)
class Level:
    """One series of a gauge, as it stands."""

    gauge: Gauge
    labels: tuple[str, ...]
    value: float
