"""The proposals on cells as steps: the k-th change of a column sees what the one before it left.

The SQL of one window: `staged` adds a column of new values for each step, `logged` unrolls what differs.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from transformers.cells.kinds import literal
from transformers.cells.values import chunks
from transformers.cleaning.rules import CellEdits, CellRule, Plan, Work
from transformers.tables import SOURCE_ROW, quoted

STEPS_A_QUERY = 100  # unrolled at once: beyond it DuckDB plans longer than it scans


@dataclass(frozen=True)
class CellStep:
    """One proposal's turn on one column. `level` counts the column's steps from 1; `mark` is unlike any column."""

    place: int  # of the column in the table
    column: str
    level: int
    kind: str  # the DuckDB type of what it leaves
    proposal: CellRule | CellEdits
    mark: str
    relation: int = 0  # which of the plan's proposals, where it is one of edits

    @property
    def before(self) -> str:
        return quoted(self.column) if self.level == 1 else quoted(f"{self.mark}{self.place}_{self.level - 1}")

    @property
    def after(self) -> str:
        return quoted(f"{self.mark}{self.place}_{self.level}")

    @property
    def rule(self) -> str:
        return literal(self.proposal.rule) if isinstance(self.proposal, CellRule) else self.edit("rule")

    @property
    def confidence(self) -> str:
        if isinstance(self.proposal, CellRule):
            return f"CAST({self.proposal.confidence!r} AS DOUBLE)"
        return self.edit("confidence")

    @property
    def value(self) -> str:
        if isinstance(self.proposal, CellRule):
            return f"CAST({self.proposal.expression(self.before)} AS {self.kind})"
        edited = f"CAST({self.edit('new')} AS {self.kind})"
        return f"CASE WHEN {self.edit('rule')} IS NOT NULL THEN {edited} ELSE {self.before} END"

    @property
    def differs(self) -> str:
        return f"CAST({self.after} AS VARCHAR) IS DISTINCT FROM CAST({self.before} AS VARCHAR)"

    def edit(self, part: str) -> str:
        """What the pivoted edits say of this cell."""
        return quoted(f"{self.mark}{part}_{self.relation}_{self.place}")


def mark_for(columns: Sequence[str]) -> str:
    """A beginning that none of the customer's names has, whatever its case."""
    mark = "__step_"
    while any(name.casefold().startswith(mark) for name in columns):
        mark += "_"
    return mark


def steps_of(work: Work, plan: Plan) -> tuple[CellStep, ...]:
    """The plan's proposals on cells in order; edits are gathered into a table of their own on the way."""
    places = {name: place for place, name in enumerate(work.table.columns)}
    dropped, types = {drop.column for drop in plan.drops}, dict(work.types)
    levels, mark, steps = Counter[str](), mark_for(work.table.columns), []
    for number, proposal in enumerate(plan.cells):
        for column in _columns_of(work, number, proposal):
            if column in dropped or column not in places:
                continue
            levels[column] += 1
            if isinstance(proposal, CellRule) and proposal.type:
                types[column] = proposal.type
            steps.append(
                CellStep(places[column], column, levels[column], types[column], proposal, mark, relation=number)
            )
    return tuple(steps)


def _columns_of(work: Work, number: int, proposal: CellRule | CellEdits) -> list[str]:
    if isinstance(proposal, CellRule):
        return [proposal.column]
    name = edits_table(number)
    work.db.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM ({proposal.relation})")
    found = {column for (column,) in work.db.execute(f'SELECT DISTINCT "column" FROM {name}').fetchall()}
    return [column for column in work.table.columns if column in found]


def edits_table(number: int) -> str:
    return f"apply_edits_{number}"


def staged(source: str, steps: Sequence[CellStep], holds: str) -> str:
    """SQL: the rows of `source` and a column for what each step leaves."""
    relations: dict[int, list[CellStep]] = {}
    for step in steps:
        if isinstance(step.proposal, CellEdits):
            relations.setdefault(step.relation, []).append(step)
    query = f"SELECT * FROM {source}"
    for number, some in relations.items():
        row = quoted(f"{some[0].mark}row_{number}")
        query = (
            f"SELECT * FROM ({query}) LEFT JOIN ({_pivoted(number, some, row, holds)}) ON {quoted(SOURCE_ROW)} = {row}"
        )
    for level in range(1, max(step.level for step in steps) + 1):
        values = ", ".join(f"{step.value} AS {step.after}" for step in steps if step.level == level)
        query = f"SELECT *, {values} FROM ({query})"
    return query


def _pivoted(number: int, steps: Sequence[CellStep], row: str, holds: str) -> str:
    """One line a row; min() only says what there is once."""
    parts = ", ".join(
        f'min({part}) FILTER ("column" = {literal(step.column)}) AS {step.edit(part)}'
        for step in steps
        for part in ("new", "rule", "confidence")
    )
    within = holds.replace(quoted(SOURCE_ROW), "source_row")
    return f"SELECT source_row AS {row}, {parts} FROM {edits_table(number)} WHERE {within} GROUP BY source_row"


def logged(source: str, steps: Sequence[CellStep]) -> list[str]:
    """Queries that unroll the changed cells: r, place, step, column, old, new, rule, confidence."""
    return [_unrolled(source, some) for some in chunks(steps, STEPS_A_QUERY)]


def _unrolled(source: str, steps: Sequence[CellStep]) -> str:
    def each(parts: list[str]) -> str:
        return f"unnest([{', '.join(parts)}])"

    said = {
        "place": each([str(step.place) for step in steps]),
        "step": each([str(step.level) for step in steps]),
        '"column"': each([literal(step.column) for step in steps]),
        "old": each([f"CAST({step.before} AS VARCHAR)" for step in steps]),
        "new": each([f"CAST({step.after} AS VARCHAR)" for step in steps]),
        "rule": each([step.rule for step in steps]),
        "confidence": each([step.confidence for step in steps]),
        "changed": each([step.differs for step in steps]),
    }
    columns = ", ".join(f"{value} AS {name}" for name, value in said.items())
    some = " OR ".join(f"({step.differs})" for step in steps)
    return (
        f'SELECT r, place, step, "column", old, new, rule, confidence FROM'
        f" (SELECT {quoted(SOURCE_ROW)} AS r, {columns} FROM {source} WHERE {some}) WHERE changed"
    )


def left(columns: Sequence[str], steps: Sequence[CellStep]) -> str:
    """SQL: the columns as the last step of each leaves them, and the source row."""
    last = {step.column: step.after for step in steps}
    parts = [f"{last[name]} AS {quoted(name)}" if name in last else quoted(name) for name in columns]
    return ", ".join([*parts, quoted(SOURCE_ROW)])
