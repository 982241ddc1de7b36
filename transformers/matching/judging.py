"""A judge compares any pairs of the table and says how likely they are one entity."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from transformers.matching.blocking import EVERY_PAIR, MANY_ROWS
from transformers.matching.calibration import bent
from transformers.matching.comparisons import Comparison, compare
from transformers.matching.copies import COPIED, COPIES, Copies, pair_copies, read_copies
from transformers.matching.memory import NARROW
from transformers.matching.model import Model, learn
from transformers.matching.pairs import Pairs
from transformers.matching.patterns import read_patterns
from transformers.matching.records import Size
from transformers.matching.scoring import draw_random_pairs, register_pairs, score
from transformers.matching.text_similarity import TextSimilarity
from transformers.tables import holding

if TYPE_CHECKING:
    import duckdb

LEAST_LOGIT = -6.0  # candidates below a probability of .0025 are worth a row to nobody
LEAST_OF_MANY = -2.2  # .1, of more than MANY_ROWS: what a steward need look at
UNBOUNDED = -1e9
MOST_COPIES = (
    10  # that one record counts for: a row that stands a thousand times teaches no more than one that does ten
)
_SEEN = (  # of n rows that are the same, n - 1 pairs: all of them would drown what else there is to learn
    "SELECT code, 1 AS n FROM er_compared"
    f" UNION ALL SELECT c.code, least(d.n - 1, {MOST_COPIES}) FROM {COPIED} c JOIN er_records d ON d.r = c.a"
)


@dataclass(frozen=True)
class Judge:
    """`slope` and `shift` are what labels taught about the model's logits."""

    db: "duckdb.DuckDBPyConnection"
    comparisons: tuple[Comparison, ...]
    text: TextSimilarity
    model: Model
    slope: float = 1.0
    shift: float = 0.0

    def candidates(self, size: Size) -> Pairs:
        """The compared candidates that may well match; they are read once."""
        least = LEAST_OF_MANY if size.rows > MANY_ROWS else LEAST_LOGIT
        with holding(self.db, NARROW):
            found = self._scored("er_compared", (least - self.shift) / self.slope)
            self.db.execute("DROP TABLE er_compared")
        return found

    def judge(self, pairs: str) -> Pairs:
        """Every pair of the temporary table `pairs`."""
        compare(self.db, pairs, "er_more", self.comparisons, self.text)
        return self._scored("er_more", UNBOUNDED)

    def copies(self, size: Size) -> Copies:
        """The records that stand for several rows, each judged beside itself."""
        alike = self._scored(COPIED, UNBOUNDED)
        fields = [comparison.field for comparison in self.comparisons]
        return read_copies(self.db, fields, size, (alike.a, alike.logits))

    def taught(self, labelled: Pairs) -> "Judge":
        """Calibrated by what stewards said."""
        if not len(labelled.a):
            return self
        register_pairs(self.db, "er_labelled", labelled.a, labelled.b)
        believed = self.judge("er_labelled")
        slope, shift = bent(believed.logits, (labelled.logits > 0).astype(float))
        return replace(self, slope=slope, shift=shift)

    def _scored(self, compared: str, at_least: float) -> Pairs:
        a, b, logits = score(self.db, compared, self.model, at_least)
        return Pairs.of(a, b, self.slope * logits + self.shift)


def appoint(
    db: "duckdb.DuckDBPyConnection",
    comparisons: Sequence[Comparison],
    text: TextSimilarity,
    size: Size,
    seed: int,
) -> Judge:
    """A judge who learnt from the candidates in `er_pairs`, and from random pairs what strangers are like."""
    fields = len(comparisons)
    compare(db, "er_pairs", "er_compared", comparisons, text)
    db.execute("DROP TABLE er_pairs")
    pair_copies(db)
    compare(db, COPIES, COPIED, comparisons, text)
    candidates = strangers = read_patterns(db, f"({_SEEN})", fields)
    if size.rows * (size.rows - 1) // 2 > EVERY_PAIR:
        draw_random_pairs(db, size.rows, linking=size.linking, seed=seed)
        compare(db, "er_random", "er_strangers", comparisons, text)
        strangers = read_patterns(db, "(SELECT code, 1 AS n FROM er_strangers)", fields)
        db.execute("DROP TABLE er_random; DROP TABLE er_strangers")
    sizes = [len(comparison.labels) for comparison in comparisons]
    model = learn(candidates, strangers, sizes, rows=size.rows, possible=size.pairs, most_matches=size.most_matches)
    return Judge(db, tuple(comparisons), text, model)
