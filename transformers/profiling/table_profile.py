"""A profile: what is known of a table and of each of its columns. The unified profiler makes it, the report draws it.

Numbers are rounded to twelve digits: beyond them a float tells how it was added up, not what the data is.
"""

import math
from typing import Any

from pydantic import BaseModel, ConfigDict

SHOWN_CHARACTERS = 120  # of a value; a report is not the place for a novel
SIGNIFICANT_DIGITS = 12


class Described(BaseModel):
    model_config = ConfigDict(frozen=True)


class ValueCount(Described):
    value: str
    count: int
    percent: float


class Bin(Described):
    """Values from `low` up to, not including, `high`; the last bin includes it."""

    low: float
    high: float
    count: int


class NumberSummary(Described):
    """Of the finite values. Moments are the sample's: n - 1 under the variance, adjusted skew and excess kurtosis."""

    minimum: float
    maximum: float
    mean: float
    median: float
    q1: float
    q3: float
    iqr: float
    std: float | None = None
    variance: float | None = None
    skewness: float | None = None
    kurtosis: float | None = None
    zeros: int = 0
    negatives: int = 0
    infinite: int = 0
    total: float = 0.0


class TimeSummary(Described):
    """ISO 8601, without a zone: a zoned source is in UTC."""

    earliest: str
    latest: str
    median: str


class Outliers(Described):
    """Values outside [low, high], which lie `multiplier` interquartile ranges beyond the quartiles."""

    method: str
    multiplier: float
    low: float
    high: float
    count: int
    percent: float


class Lengths(Described):
    minimum: int
    maximum: int
    mean: float


class Sampled(Described):
    """Said wherever a figure rests on a part of the data."""

    figure: str
    rule: str
    n: int
    of: int
    seed: int | None = None


class Quality(Described):
    """100 less the deductions, each with its reason."""

    score: float
    grade: str
    deductions: dict[str, float] = {}


class ColumnProfile(Described):
    name: str
    position: int
    physical_type: str
    logical_type: str
    semantic_type: str | None = None
    feature_type: str | None = None  # what it is for a model that learns from the table
    feature_type_confidence: float | None = None
    count: int
    nulls: int
    disguised_nulls: int
    disguised_values: tuple[ValueCount, ...] = ()
    null_percent: float
    invalid: int
    invalid_percent: float
    distinct: int
    distinct_percent: float
    unique: int
    entropy: float
    constant: bool
    numbers: NumberSummary | None = None
    times: TimeSummary | None = None
    lengths: Lengths | None = None
    top_values: tuple[ValueCount, ...] = ()
    every_value: tuple[str, ...] = ()  # of a categorical column with few of them
    histogram: tuple[Bin, ...] = ()
    patterns: tuple[ValueCount, ...] = ()
    outliers: Outliers | None = None
    quality: Quality


class Correlation(Described):
    left: str
    right: str
    coefficient: float
    rows: int


class CorrelationMatrix(Described):
    columns: tuple[str, ...] = ()
    coefficients: tuple[tuple[float | None, ...], ...] = ()


class KeyCandidate(Described):
    columns: tuple[str, ...]
    distinct_percent: float
    nulls: int


class FoundDependency(Described):
    """Rows that agree on the determinants agree on the dependent, but for a share of `error` (0 where `exact`).

    `support` counts the rows that share their determinants with another row: only they are evidence.
    """

    determinants: tuple[str, ...]
    dependent: str
    exact: bool
    error: float
    support: int
    confidence: float


class DuplicateRows(Described):
    """Rows that repeat an earlier one in every column."""

    count: int
    percent: float
    groups: int


class TableProfile(Described):
    rows: int
    column_count: int
    cells: int
    missing_cells: int
    missing_percent: float
    invalid_cells: int
    logical_types: dict[str, int]
    duplicates: DuplicateRows
    quality: Quality
    key_candidates: tuple[KeyCandidate, ...] = ()
    dependencies: tuple[FoundDependency, ...] = ()
    limits: tuple[str, ...] = ()  # what was not looked at, and why
    correlations: tuple[Correlation, ...] = ()
    matrix: CorrelationMatrix = CorrelationMatrix()
    sampled: tuple[Sampled, ...] = ()
    columns: tuple[ColumnProfile, ...] = ()


def percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 4) if whole else 0.0


def steady(number: Any) -> float | None:
    """A finite float with no more digits than the data can vouch for; None where there is none."""
    if number is None or not math.isfinite(number):
        return None
    return float(f"{float(number):.{SIGNIFICANT_DIGITS}g}")


def shown(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


GRADES = ((90, "A"), (80, "B"), (70, "C"), (60, "D"))


def graded(deductions: dict[str, float]) -> Quality:
    kept = {reason: round(points, 2) for reason, points in deductions.items() if points >= 0.005}  # noqa: PLR2004  half a hundredth
    score = round(max(0.0, 100 - sum(kept.values())), 2)
    grade = next((letter for least, letter in GRADES if score >= least), "F")
    return Quality(score=score, grade=grade, deductions=kept)
