"""What is known of a column when its feature type is asked: a name, a few figures over all rows, five of its values.

The figures and the choice of the values are those of the SortingHat benchmark (Shah et al., SIGMOD 2021), so that what
was learned there holds for a customer's column.
"""

from dataclasses import dataclass
from enum import StrEnum

SAMPLES = 5


class FeatureType(StrEnum):
    """What a column can be for a model that learns from the table. The order is that of the model's classes."""

    CATEGORICAL = "categorical"
    CONTEXT_SPECIFIC = "context-specific"  # only who knows the data can say: addresses, codes, coded quantities
    DATETIME = "datetime"
    EMBEDDED_NUMBER = "embedded-number"  # a number in a wrapping: $1,200 or 30 %
    LIST = "list"
    NOT_GENERALIZABLE = "not-generalizable"  # keys, constants: nothing that holds for the next row
    NUMERIC = "numeric"
    SENTENCE = "sentence"
    URL = "url"


@dataclass(frozen=True)
class ColumnSummary:
    """`distinct` leaves missing cells out; the four figures are 0 where a present cell is no number.

    `samples` are the first different values in the order of the file, "" standing for a missing cell; where there are
    fewer, they come again.
    """

    name: str
    rows: int
    missing: int
    distinct: int
    mean: float
    deviation: float
    least: float
    most: float
    samples: tuple[str, ...]
