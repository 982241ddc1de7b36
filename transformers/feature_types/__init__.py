"""What a column is for a model that learns from the table: numeric, categorical, a date, a key, a sentence …"""

from transformers.feature_types.guesses import FeatureTypeGuess, feature_types, guesses
from transformers.feature_types.summaries import ColumnSummary, FeatureType

__all__ = ["ColumnSummary", "FeatureType", "FeatureTypeGuess", "feature_types", "guesses"]
