"""What each column is for a model that learns from the table, within bounds that are told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from transformers.cells.columns import Column, read_columns
from transformers.feature_types import FeatureTypeGuess, feature_types
from transformers.profiling.samples import RULE
from transformers.profiling.table_profile import Sampled
from transformers.tables import Table

if TYPE_CHECKING:
    import duckdb

MOST_COLUMNS = 200  # each costs some milliseconds


@dataclass(frozen=True)
class FoundFeatures:
    guesses: Mapping[str, FeatureTypeGuess] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    sampled: tuple[Sampled, ...] = ()

    def of(self, name: str) -> dict[str, str | float]:
        """The fields of a column's profile."""
        guess = self.guesses.get(name)
        return {"feature_type": guess.kind.value, "feature_type_confidence": guess.confidence} if guess else {}


def found_features(
    db: "duckdb.DuckDBPyConnection", table: Table, sample: Table, columns: Sequence[Column]
) -> FoundFeatures:
    chosen = sample.model_copy(update={"columns": sample.columns[:MOST_COLUMNS]})
    read = columns[:MOST_COLUMNS] if sample is table else read_columns(db, chosen)
    told = Sampled(figure="feature types", rule=RULE, n=sample.rows, of=table.rows)
    return FoundFeatures(
        feature_types(db, chosen, read),
        (f"feature types: the first {MOST_COLUMNS} columns",) if len(columns) > MOST_COLUMNS else (),
        (told,) if sample.rows < table.rows else (),
    )
