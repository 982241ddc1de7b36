"""What a cleaning agent may propose: the nouns of clean-my-data, and the contract that its eight agents keep.

A stage is an agent's form and its `plan(work, form) -> Plan`: it looks at the table in DuckDB and says, in rules, what
it would do. It changes nothing itself. `apply.py` alone turns a plan into the next table, the log of every changed
cell and the rows set aside, so the previewer and the run cannot differ; `undo.py` takes them back.

    def plan(work: Work, form: TidyParameters) -> Plan:
        trim = CellRule("trim", "city", lambda cell: f"trim({cell})")
        empty = RowRule("no_city", f"{quoted('city')} IS NULL", "The city is missing.", column="city")
        return Plan(cells=(trim,), rows=(empty,))

    STAGE = Stage("tidy-agent", "Tidier", TidyParameters, plan)   # and one line in stages.py

Form, plan and STAGE live in this room; `agents/tidy_agent.py` only says

    def run(context: AgentContext) -> Delivery:
        return delivered(context, STAGE)                          # delivery.py

    AGENT = Agent(id=STAGE.agent_id, name=STAGE.name, description="…", parameters=STAGE.form, run=run)

How proposals act:
- `cells` are taken in order; a later one on the same column sees what an earlier one wrote. A cell is changed where
  its text (`CAST(… AS VARCHAR)`) differs; where it does not, it stays as it is. All but the log follow from that.
- `rows`, `flags` and `drops` see the table as the stage found it. A row that goes is set aside as it was found: no
  change to it is made or logged. Of several reasons all are told; the first one's rule is the row's.
- A relation is a SELECT over what is in `work.db` (the view `primary`, and any TEMP TABLE the plan has made).
- An expression or a condition sees one row, by window: no aggregate, no OVER, no subquery. What needs other rows
  (a rank, a fill, a vote) is a relation, or a figure that the plan has asked for beforehand.
- Text stays text: in a table read from text, write the value's canonical form. Only a `CellRule.type` changes a type.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers.cells.columns import Column, read_columns
from transformers.cleaning.foreseen import Foreseen
from transformers.findings import Alert, Recommendation, Severity
from transformers.tables import Table
from transformers.tool import AgentFile, AgentParameters

if TYPE_CHECKING:
    import duckdb

CHANGE_LOG, SET_ASIDE, DROPPED, MANIFEST = "change_log", "set_aside", "dropped_columns", "manifest"  # kinds of files


@dataclass(frozen=True)
class CellRule:
    """A new value for every cell of a column, row by row: cheap for millions of rows.

    `expression` takes SQL for the cell as the rules before left it, and gives SQL. `type` is the column's new DuckDB
    type, where the rule gives it one. Other columns may be named: they are as the stage found them.
    """

    rule: str
    column: str
    expression: Callable[[str], str]
    confidence: float = 1.0
    type: str | None = None


@dataclass(frozen=True)
class CellEdits:
    """New values for single cells (repairs, imputations).

    `relation` gives source_row BIGINT, "column" VARCHAR, new VARCHAR, rule VARCHAR, confidence DOUBLE; one line a cell.
    """

    relation: str


@dataclass(frozen=True)
class RowRule:
    """Rows to set aside: where `condition` is true. `reason` is a sentence, `column` the one at fault, if it is one."""

    rule: str
    condition: str
    reason: str
    column: str = ""
    confidence: float = 1.0


@dataclass(frozen=True)
class RowRemovals:
    """Single rows to set aside.

    `relation` gives source_row BIGINT, rule VARCHAR, reason VARCHAR, confidence DOUBLE, kept_row BIGINT (the row that
    stays instead, or NULL).
    """

    relation: str


@dataclass(frozen=True)
class ColumnDrop:
    rule: str
    column: str
    reason: str


@dataclass(frozen=True)
class FlagRule:
    """Cells found and left as they are: where `condition` is true."""

    rule: str
    column: str
    condition: str
    severity: Severity
    message: str


@dataclass(frozen=True)
class FlaggedCells:
    """Single cells found and left as they are.

    `relation` gives source_row BIGINT, "column" VARCHAR ('' for the row as a whole), value VARCHAR, message VARCHAR.
    """

    rule: str
    severity: Severity
    relation: str


@dataclass(frozen=True)
class Plan:
    """All that a stage would do, and what it has to say beside it (`data`, `alerts`, `recommendations`, `text`)."""

    cells: tuple[CellRule | CellEdits, ...] = ()
    rows: tuple[RowRule | RowRemovals, ...] = ()
    drops: tuple[ColumnDrop, ...] = ()
    flags: tuple[FlagRule | FlaggedCells, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    alerts: tuple[Alert, ...] = ()
    recommendations: tuple[Recommendation, ...] = ()
    text: str = ""

    @property
    def changes_something(self) -> bool:
        return bool(self.cells or self.rows or self.drops)


@dataclass(frozen=True)
class Work:
    """What a plan is made of: the current table, as the view `primary` of a bounded DuckDB."""

    db: "duckdb.DuckDBPyConnection"
    table: Table
    scratch: Path
    report_progress: Callable[[float], None] = field(default=lambda _fraction: None)  # of the plan, 0..1
    foreseen: Foreseen = field(default_factory=Foreseen)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Types over every row; asked for once."""
        return read_columns(self.db, self.table)

    @cached_property
    def types(self) -> dict[str, str]:
        """The DuckDB type of each column."""
        described = self.db.execute('DESCRIBE "primary"').fetchall()
        types = {name: str(kind) for name, kind, *_ in described}
        return {name: types[name] for name in self.table.columns}


@dataclass(frozen=True)
class Stage:
    """An agent of the chain, as all who simulate or run it know it."""

    agent_id: str
    name: str
    form: type[AgentParameters]
    plan: Callable[[Work, Any], Plan]
    version: int = 1


@dataclass
class RuleCount:
    """What one rule did: cells changed, rows in which it did something, cells by column."""

    rule: str
    cells: int = 0
    rows: int = 0
    columns: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Applied:
    """What came of a plan. `table` is the next one; the one there was, if nothing changed."""

    table: Table
    changed: bool
    rows_before: int
    types_before: dict[str, str]
    types_after: dict[str, str]
    cells: dict[str, RuleCount]
    rows: dict[str, RuleCount]
    drops: tuple[ColumnDrop, ...]
    rows_changed: int = 0
    rows_set_aside: int = 0
    examples: tuple[dict[str, Any], ...] = ()  # the first changes of each rule
    files: tuple[AgentFile, ...] = ()

    @property
    def cells_changed(self) -> int:
        return sum(count.cells for count in self.cells.values())
