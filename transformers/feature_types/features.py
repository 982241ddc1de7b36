"""A column's summary as the row of numbers that the model reads."""

import math

from transformers.feature_types.names import LONGEST, pieces_of, places_of, words_of
from transformers.feature_types.shapes import NUMBER, SHAPE_FEATURES, shape_features, signed_log
from transformers.feature_types.summaries import ColumnSummary

NAME_PLACES = 4096  # of the linear reading of the name
_NAME_ENDINGS = ("id", "code", "number", "no", "num", "year", "date", "name", "type", "flag", "key", "index", "url")


def figures(summary: ColumnSummary) -> list[float]:
    """Everything but the hashed name; FIGURES long."""
    return [*_counts(summary), *_spread(summary), *_name(summary.name), *shape_features(summary.samples)]


def name_places(summary: ColumnSummary) -> list[int]:
    return places_of(pieces_of(summary.name), NAME_PLACES)


def _counts(summary: ColumnSummary) -> list[float]:
    rows, present = max(summary.rows, 1), max(summary.rows - summary.missing, 1)
    return [
        math.log1p(summary.rows),
        math.log1p(summary.missing),
        summary.missing / rows,
        math.log1p(summary.distinct),
        float(min(summary.distinct, 50)),
        summary.distinct / rows,
        summary.distinct / present,
        math.log1p(present / max(summary.distinct, 1)),
        float(summary.distinct == present),
    ]


def _spread(summary: ColumnSummary) -> list[float]:
    mean, deviation, least, most = (_finite(v) for v in (summary.mean, summary.deviation, summary.least, summary.most))
    width = most - least
    whole = all(NUMBER.fullmatch(sample.strip()) for sample in summary.samples if sample.strip())
    return [
        float(whole),
        float(any((mean, deviation, least, most))),
        *map(signed_log, (mean, deviation, least, most, width)),
        *(max(min(value, 1e6), -1e6) for value in (mean, deviation, least, most)),
        min(deviation / max(abs(mean), 1e-9), 1e4),
        min(summary.distinct / max(width + 1, 1e-9), 1e4),
        (mean - least) / width if width > 0 else 0.5,
        min(deviation / width, 1.0) if width > 0 else 0.0,
        float(least == int(least) and most == int(most)),
    ]


def _finite(value: float) -> float:
    return max(min(value, 1e18), -1e18) if math.isfinite(value) else 0.0


def _name(name: str) -> list[float]:
    words = words_of(name)
    letters = max(len(name), 1)
    return [
        float(min(len(name), LONGEST)),
        float(len(words)),
        sum(c.isdigit() for c in name) / letters,
        sum(c.isupper() for c in name) / letters,
        float(name.count("_")),
        float(name.count(".")),
        float(name.count(" ")),
        float(any(word.isdecimal() for word in words)),
        max((int(word[:6]) for word in words if word.isdecimal()), default=-1),
        *(float(bool(words) and words[-1] == ending) for ending in _NAME_ENDINGS),
    ]


FIGURES = 9 + 16 + 9 + len(_NAME_ENDINGS) + SHAPE_FEATURES
