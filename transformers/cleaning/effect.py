"""Whether a plan changes anything at all, asked before the whole table is written anew for it.

A search ends at the first change; only where there is none is every row looked at, and then nothing need be written.
"""

from collections.abc import Sequence

from transformers.cells.values import chunks
from transformers.cleaning.removals import CONDITIONS_A_QUERY, removals_table
from transformers.cleaning.rules import CellRule, Plan, RowRemovals, RowRule, Work
from transformers.cleaning.steps import STEPS_A_QUERY, CellStep, staged

EVERYWHERE = "true"


def has_effect(work: Work, plan: Plan, steps: Sequence[CellStep]) -> bool:
    """`removals.gather` has to have been there. Where a column gets another type, or goes, there is one."""
    if plan.drops or retypes(work, plan) or holds_floats(work):
        return True
    if any(isinstance(rule, RowRemovals) and _is_filled(work, place) for place, rule in enumerate(plan.rows)):
        return True
    if any(not isinstance(step.proposal, CellRule) for step in steps):
        return True  # single cells are named because they are to change
    return _finds_a_row(work, plan) or _finds_a_cell(work, steps)


def holds_floats(work: Work) -> bool:
    """Of such columns DuckDB believes Parquet's statistics, which leave NaN out: isnan() is false before it looks."""
    return any("FLOAT" in kind or "DOUBLE" in kind for kind in work.types.values())


def retypes(work: Work, plan: Plan) -> bool:
    return any(
        isinstance(rule, CellRule) and rule.type not in (None, work.types.get(rule.column)) for rule in plan.cells
    )


def _is_filled(work: Work, place: int) -> bool:
    return _finds(work, f"SELECT 1 FROM {removals_table(place)}")


def _finds_a_row(work: Work, plan: Plan) -> bool:
    conditions = [f"({rule.condition})" for rule in plan.rows if isinstance(rule, RowRule)]
    return any(
        _finds(work, f'SELECT 1 FROM "primary" WHERE {" OR ".join(some)}')
        for some in chunks(conditions, CONDITIONS_A_QUERY)
    )


def _finds_a_cell(work: Work, steps: Sequence[CellStep]) -> bool:
    columns = list(dict.fromkeys(step.column for step in steps))
    for names in chunks(columns, STEPS_A_QUERY):
        some = [step for step in steps if step.column in set(names)]
        differs = " OR ".join(f"({step.differs})" for step in some)
        if _finds(work, f"""SELECT 1 FROM ({staged('"primary"', some, EVERYWHERE)}) WHERE {differs}"""):
            return True
    return False


def _finds(work: Work, query: str) -> bool:
    return bool(work.db.execute(f"{query} LIMIT 1").fetchall())
