"""The SortingHat benchmark as the product's own summaries: 9,921 labelled columns of 1,240 public tables."""

import csv
import gzip
from collections.abc import Mapping

from scores.public_data import data
from transformers.feature_types import ColumnSummary, FeatureType
from transformers.feature_types.summaries import SAMPLES


def labelled_columns(part: str) -> tuple[list[ColumnSummary], list[FeatureType]]:
    """`part` is train or test."""
    path = data("type-sortinghat", f"data_{part}.csv.gz")
    with gzip.open(path, "rt", encoding="latin-1", newline="") as file:
        rows = list(csv.DictReader(file))
    return [_summary(row) for row in rows], [FeatureType(row["y_act"]) for row in rows]


def _summary(row: Mapping[str, str]) -> ColumnSummary:
    return ColumnSummary(
        name=row["Attribute_name"],
        rows=int(row["total_vals"]),
        missing=int(row["num_nans"]),
        distinct=int(row["num_of_dist_val"]),
        mean=_figure(row["mean"]),
        deviation=_figure(row["std_dev"]),
        least=_figure(row["min_val"]),
        most=_figure(row["max_val"]),
        samples=tuple(row[f"sample_{i}"] for i in range(1, SAMPLES + 1)),
    )


def _figure(text: str) -> float:
    return float(text) if text.strip() else 0.0
