"""feature_types: what each column is for a model that learns from the table, with how sure that is."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from transformers.feature_types.summaries import ColumnSummary, FeatureType

if TYPE_CHECKING:
    import duckdb

    from transformers.cells.columns import Column
    from transformers.tables import Table


class FeatureTypeGuess(BaseModel):
    """`confidence` is the model's own probability of `kind`; `runner_up` is what it would be otherwise."""

    model_config = ConfigDict(frozen=True)

    kind: FeatureType
    confidence: float
    runner_up: FeatureType
    runner_up_confidence: float


def feature_types(
    db: "duckdb.DuckDBPyConnection", table: "Table", columns: "Sequence[Column]"
) -> Mapping[str, FeatureTypeGuess]:
    """By column name, for columns of the view named after the table's role."""
    from transformers.feature_types.reading import summaries_of

    summaries = summaries_of(db, table, columns)
    return {summary.name: guess for summary, guess in zip(summaries, guesses(summaries), strict=True)}


def guesses(summaries: Sequence[ColumnSummary]) -> list[FeatureTypeGuess]:
    from transformers.feature_types.model import probabilities

    return [_guess([float(p) for p in row]) for row in probabilities(summaries)] if summaries else []


def _guess(chances: Sequence[float]) -> FeatureTypeGuess:
    kinds = list(FeatureType)
    first, second = sorted(range(len(kinds)), key=lambda i: -chances[i])[:2]
    return FeatureTypeGuess(
        kind=kinds[first],
        confidence=round(chances[first], 4),
        runner_up=kinds[second],
        runner_up_confidence=round(chances[second], 4),
    )
