"""The model summary: what was compared, learnt, and limited."""

from collections.abc import Sequence
from math import comb, log2

from transformers.matching.blocking import BlockingRule, Proposed
from transformers.matching.comparisons import Comparison
from transformers.matching.components import MOST_MEMBERS
from transformers.matching.fields import LeftOut
from transformers.matching.grouping import Grouping
from transformers.matching.judging import Judge
from transformers.matching.model import Model
from transformers.matching.records import Size
from transformers.matching.summary import (
    ColumnLeftOut,
    FieldSummary,
    LevelSummary,
    ModelSummary,
    RuleSummary,
)


def tell(
    judge: Judge,
    grouping: Grouping,
    proposed: Proposed,
    left_out: Sequence[LeftOut],
    *,
    size: Size,
    labels: int,
    limited: Sequence[str] = (),
) -> ModelSummary:
    names = [comparison.field.name for comparison in judge.comparisons]
    cut, rules = grouping.cut, proposed.rules
    return ModelSummary(
        rows=size.rows + size.copies,
        compared_pairs=proposed.pairs + size.copies,
        possible_pairs=size.pairs if size.linking else comb(size.rows + size.copies, 2),
        expected_matches=judge.model.prior * size.pairs,
        prior=judge.model.prior,
        threshold=cut.threshold,
        expected_precision=cut.precision,
        expected_recall=cut.recall,
        labels=labels,
        blocking_rules=tuple(RuleSummary(rule=r.label, pairs=r.pairs, left_out=r.left_out) for r in rules),
        fields=tuple(_field(c, judge.model, i) for i, c in enumerate(judge.comparisons)),
        left_out=_columns(left_out),
        dependent=tuple((names[edge.one], names[edge.other]) for edge in judge.model.dependence.edges),
        limited=(*limited, *_limits(rules, proposed.dropped, grouping.too_large)),
    )


def nothing_to_tell(rows: int, left_out: Sequence[LeftOut]) -> ModelSummary:
    """Fewer than two rows, or no column that tells one entity from another: every row is its own."""
    return ModelSummary(
        rows=rows,
        compared_pairs=0,
        possible_pairs=rows * (rows - 1) // 2,
        expected_matches=0.0,
        prior=0.0,
        threshold=0.5,
        expected_precision=1.0,
        expected_recall=1.0,
        labels=0,
        left_out=_columns(left_out),
        limited=("nothing was compared: no column tells one entity from another",) if rows > 1 else (),
    )


def _columns(left_out: Sequence[LeftOut]) -> tuple[ColumnLeftOut, ...]:
    return tuple(ColumnLeftOut(column=one.column, reason=one.reason) for one in left_out)


def _field(comparison: Comparison, model: Model, i: int) -> FieldSummary:
    shares = zip(comparison.labels, model.m[i].tolist(), model.u[i].tolist(), strict=True)
    levels = tuple(LevelSummary(level=label, m=m, u=u, bits=log2(m / u)) for label, m, u in shares)
    return FieldSummary(column=comparison.field.name, kind=comparison.field.kind.value, levels=levels[::-1])


def _limits(rules: Sequence[BlockingRule], dropped: int, too_large: int) -> list[str]:
    limits = []
    large = sum(1 for rule in rules if rule.left_out)
    if large:
        limits.append(f"{large} of {len(rules)} blocking rules left their largest blocks to the other rules")
    if dropped:
        limits.append(f"{dropped} proposed pairs, the least likely, were over the budget and not compared")
    if too_large:
        limits.append(f"{too_large} clusters of more than {MOST_MEMBERS} rows were not looked at pair by pair")
    return limits
