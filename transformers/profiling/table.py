"""Puts the figures together: one `ColumnProfile` a column, one `TableProfile`. Pure, no database."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from transformers.cells.columns import NUMERIC, TEMPORAL, TEXTUAL, Column, LogicalType
from transformers.cells.semantic_types import SemanticType, names_a_key
from transformers.profiling.correlations import correlation_limits
from transformers.profiling.found_dependencies import NO_DEPENDENCIES, FoundDependencies
from transformers.profiling.found_features import FoundFeatures
from transformers.profiling.numbers import NumberFigures, Quantiles, is_code
from transformers.profiling.table_profile import (
    Bin,
    ColumnProfile,
    Correlation,
    CorrelationMatrix,
    DuplicateRows,
    KeyCandidate,
    NumberSummary,
    Outliers,
    Quality,
    TableProfile,
    TimeSummary,
    graded,
    percent,
    steady,
)
from transformers.profiling.values import ValueFigures
from transformers.tables import Table

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Thresholds(Protocol):
    """What of the agent's form the profile depends on."""

    @property
    def categorical_threshold(self) -> int: ...
    @property
    def categorical_ratio_threshold(self) -> float: ...
    @property
    def outlier_iqr_multiplier(self) -> float: ...


@dataclass(frozen=True)
class RepeatedRows:
    count: int
    groups: int


def profile_of(
    table: Table,
    columns: Sequence[Column],
    *,
    values: Mapping[str, ValueFigures],
    numbers: Mapping[str, NumberFigures],
    correlated: tuple[tuple[Correlation, ...], CorrelationMatrix],
    dependencies: FoundDependencies = NO_DEPENDENCIES,
    repeated: RepeatedRows,
    composite: Sequence[KeyCandidate] = (),
    features: FoundFeatures,
    limits: Thresholds,
) -> TableProfile:
    profiles = tuple(
        _column(place, column, values[column.name], numbers.get(column.name), limits).model_copy(
            update=features.of(column.name)
        )
        for place, column in enumerate(columns, start=1)
    )
    cells = table.rows * len(columns)
    missing = sum(p.nulls + p.disguised_nulls for p in profiles)
    correlations, matrix = correlated
    return TableProfile(
        rows=table.rows,
        column_count=len(columns),
        cells=cells,
        missing_cells=missing,
        missing_percent=percent(missing, cells),
        invalid_cells=sum(p.invalid for p in profiles),
        logical_types=dict(sorted(Counter(p.logical_type for p in profiles).items())),
        duplicates=DuplicateRows(
            count=repeated.count, percent=percent(repeated.count, table.rows), groups=repeated.groups
        ),
        quality=_table_quality(profiles, repeated.count, table.rows),
        key_candidates=_keys(profiles) or tuple(composite),
        dependencies=dependencies.listed,
        limits=correlation_limits(columns, numbers) + dependencies.limits + features.limits,
        correlations=correlations,
        matrix=matrix,
        sampled=tuple(sample for column in columns for sample in values[column.name].sampled)
        + dependencies.sampled
        + features.sampled,
        columns=profiles,
    )


def _column(
    place: int, column: Column, values: ValueFigures, numbers: NumberFigures | None, limits: Thresholds
) -> ColumnProfile:
    logical = refined(column, values, limits)
    outliers = _outliers(column, numbers, limits.outlier_iqr_multiplier)
    return ColumnProfile(
        name=column.name,
        position=place,
        physical_type=column.physical,
        logical_type=logical.value,
        semantic_type=column.semantic.value if column.semantic else None,
        count=column.present,
        nulls=column.nulls,
        disguised_nulls=column.disguised,
        disguised_values=values.disguised,
        null_percent=percent(column.missing, column.rows),
        invalid=column.invalid,
        invalid_percent=percent(column.invalid, column.present),
        distinct=values.distinct,
        distinct_percent=percent(values.distinct, column.present),
        unique=values.unique,
        entropy=values.entropy,
        constant=values.distinct == 1 and column.present > 1,
        numbers=_numbers(numbers) if numbers and column.logical in NUMERIC else None,
        times=_times(numbers.known) if numbers and column.logical in TEMPORAL else None,
        lengths=values.lengths,
        top_values=values.top,
        every_value=values.every if logical is LogicalType.CATEGORICAL else (),
        histogram=_histogram(numbers),
        patterns=values.patterns,
        outliers=outliers,
        quality=_quality(column, values, outliers),
    )


def refined(column: Column, values: ValueFigures, limits: Thresholds) -> LogicalType:
    """Text that repeats itself is categorical; what is different in every row and named so identifies it."""
    if not column.present or column.logical in TEMPORAL:
        return column.logical
    all_differ = values.distinct == column.present == column.rows and column.rows > 1
    if all_differ and (column.semantic is SemanticType.UUID or names_a_key(column.name)):
        return LogicalType.IDENTIFIER if column.logical in (*TEXTUAL, LogicalType.INTEGER) else column.logical
    repeats = values.distinct < column.present
    few = values.distinct <= max(limits.categorical_threshold, limits.categorical_ratio_threshold * column.present)
    if column.logical is LogicalType.TEXT and repeats and few:
        return LogicalType.CATEGORICAL
    return column.logical


def _numbers(figures: NumberFigures) -> NumberSummary:
    known, moments = figures.known, figures.moments
    variance = moments.variance
    return NumberSummary(
        minimum=steady(known.minimum) or 0.0,
        maximum=steady(known.maximum) or 0.0,
        mean=steady(moments.mean) or 0.0,
        median=steady(known.median) or 0.0,
        q1=steady(known.q1) or 0.0,
        q3=steady(known.q3) or 0.0,
        iqr=steady(known.q3 - known.q1) or 0.0,
        std=steady(variance**0.5) if variance is not None else None,
        variance=steady(variance),
        skewness=steady(moments.skewness),
        kurtosis=steady(moments.kurtosis),
        zeros=figures.zeros,
        negatives=figures.negatives,
        infinite=known.infinite,
        total=steady(moments.mean * moments.n) or 0.0,
    )


def _times(known: Quantiles) -> TimeSummary:
    return TimeSummary(earliest=_moment(known.minimum), latest=_moment(known.maximum), median=_moment(known.median))


def _moment(seconds: float) -> str:
    """ISO 8601; a year Python does not know is told in seconds."""
    try:
        return (EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
    except OverflowError:
        return f"{seconds:.0f} s after 1970"


def _histogram(figures: NumberFigures | None) -> tuple[Bin, ...]:
    bins = figures.bins if figures else ()
    return tuple(Bin(low=steady(b.low) or 0.0, high=steady(b.high) or 0.0, count=b.count) for b in bins)


def _outliers(column: Column, figures: NumberFigures | None, multiplier: float) -> Outliers | None:
    if figures is None or column.logical not in NUMERIC or is_code(column):
        return None
    low, high = figures.known.fences(multiplier)
    judged = figures.known.q3 > figures.known.q1
    return Outliers(
        method="iqr" if judged else "not judged: half of the values are equal",
        multiplier=multiplier,
        low=steady(low) or 0.0,
        high=steady(high) or 0.0,
        count=figures.outliers,
        percent=percent(figures.outliers, figures.moments.n),
    )


def _quality(column: Column, values: ValueFigures, outliers: Outliers | None) -> Quality:
    """Missing cells cost most, then broken ones; a column that says one thing only informs little."""
    return graded(
        {
            "missing": 60 * column.missing / max(column.rows, 1),
            "invalid": 100 * column.invalid / max(column.present, 1),
            "outliers": min(10.0, (outliers.percent if outliers else 0.0)),
            "constant": 5.0 if values.distinct == 1 and column.present > 1 else 0.0,
            "ambiguous dates": 5.0 if column.ambiguous_dates else 0.0,
        }
    )


def _table_quality(profiles: Sequence[ColumnProfile], repeated: int, rows: int) -> Quality:
    if not profiles or not rows:
        return graded({"no data": 100.0})
    mean = sum(p.quality.score for p in profiles) / len(profiles)
    return graded({"columns": 100 - mean, "duplicate rows": min(20.0, 50 * repeated / rows)})


def _keys(profiles: Sequence[ColumnProfile]) -> tuple[KeyCandidate, ...]:
    """Columns that are there and different in every row; a measured number or a moment is so by chance only."""
    unlikely = {LogicalType.DECIMAL.value, LogicalType.DATETIME.value, LogicalType.TIME.value}
    return tuple(
        KeyCandidate(columns=(p.name,), distinct_percent=100.0, nulls=0)
        for p in sorted(profiles, key=lambda p: (p.logical_type != LogicalType.IDENTIFIER.value, p.position))
        if p.count > 1 and not p.nulls + p.disguised_nulls and p.distinct == p.count and p.logical_type not in unlikely
    )
