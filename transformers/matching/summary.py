"""What a resolution was made of, for the report: rules, levels, prior, threshold, and what was limited."""

from pydantic import BaseModel, ConfigDict


class Said(BaseModel):
    model_config = ConfigDict(frozen=True)


class RuleSummary(Said):
    """A blocking rule, the pairs it proposed, and those in blocks too large to be proposed."""

    rule: str
    pairs: int
    left_out: int = 0


class LevelSummary(Said):
    """m: how often pairs of one entity agree like this; u: pairs of two. `bits` is the evidence, log2(m/u)."""

    level: str
    m: float
    u: float
    bits: float


class FieldSummary(Said):
    column: str
    kind: str
    levels: tuple[LevelSummary, ...]


class ColumnLeftOut(Said):
    column: str
    reason: str


class ModelSummary(Said):
    """`compared_pairs` are of records; rows that are the same in every field are one, and a pair each with the first.

    `prior` is the share of matches among all pairs. The expected figures are the model's own belief, no measure.
    """

    rows: int
    compared_pairs: int
    possible_pairs: int
    expected_matches: float
    prior: float
    threshold: float
    expected_precision: float
    expected_recall: float
    labels: int
    blocking_rules: tuple[RuleSummary, ...] = ()
    fields: tuple[FieldSummary, ...] = ()
    left_out: tuple[ColumnLeftOut, ...] = ()
    dependent: tuple[tuple[str, str], ...] = ()  # columns that agree together among strangers too
    limited: tuple[str, ...] = ()


class Resolution(Said):
    """Names of temporary tables: `clusters` (source_row, cluster, probability), `pairs` (a, b, probability)."""

    clusters: str
    pairs: str
    entities: int
    summary: ModelSummary
