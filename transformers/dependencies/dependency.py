"""What a dependency is, and what it takes to be believed."""

from dataclasses import dataclass

MAX_ERROR = 0.1  # a column in which one cell in ten is wrong can still be seen to follow another
MIN_CONFIDENCE = 0.75  # of the disagreement between any two rows, what the left side must explain
MIN_GROUPS = 5  # groups of two rows or more: fewer, and agreement is an anecdote
MIN_SUPPORT = 20  # rows in such groups
MIN_SUPPORT_SHARE = 0.02  # of all rows: a near-key has pairs by accident only


@dataclass(frozen=True)
class Dependency:
    """`lhs` → `rhs`: rows that agree on the left agree on the right, but for a share of `error` (g3).

    `support` counts the rows that share their left side with another row; only they are evidence. `confidence` is
    mu (Piatetsky-Shapiro and Matheus): how much better than chance the left side tells the right one, corrected for
    the number of groups; 0 for a near-key on the left or a near-constant on the right.
    """

    lhs: tuple[str, ...]
    rhs: str
    error: float
    support: int
    confidence: float
    groups: int = 0  # of rows that share their left side
    dispersion: float = 1.0  # of the exceptions over the groups: strewn as errors are (1), or gathered as habits are

    @property
    def name(self) -> str:
        return f"{', '.join(self.lhs)} → {self.rhs}"
