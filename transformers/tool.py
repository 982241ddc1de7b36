"""The nouns of the workshop: Tool, Step, Agent, AgentContext, Delivery, InputRole.

Declarations only: importing a tool imports no pandas, pyarrow or duckdb. An agent is a pure function of its
context: it knows no database, no queue, no network and no other agent. One that waits for a model is `async def`
and gets its context from waiting_agent.py.
"""

import hashlib
import inspect
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from backend.language_models.questions import Usage
from transformers.findings import AgentResult
from transformers.tables import Table, database_over

if TYPE_CHECKING:
    import duckdb

    from transformers.reporting.report import StepOutcome

PRIMARY = "primary"
FINAL = "data"  # the kind of the file that a chain is run for
PARAMETERS_ROLE = "parameters"  # a parameters.json uploaded beside the data
TABULAR = ("csv", "tsv", "json", "jsonl", "xlsx", "xls", "parquet")
MEBIBYTE = 2**20


class AgentParameters(BaseModel):
    """An agent's form: each field is declared once, with its default, range and description."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AgentFile(BaseModel):
    """A file that an agent leaves. An output is the customer's to download; any other is for the agents after it."""

    model_config = ConfigDict(frozen=True)

    name: str  # unique among the files of a task's agents
    path: Path
    content_type: str
    kind: str  # data, quarantine, change_log, golden_records, cross_reference, lineage, constraints …
    is_output: bool = True

    def sums(self) -> dict[str, Any]:
        """What proves that it is the file meant: its size in bytes and SHA-256."""
        with self.path.open("rb") as file:
            return {"size": self.path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


class LocalFile(BaseModel):
    """An input on local disk, under the customer's own name."""

    model_config = ConfigDict(frozen=True)

    role: str
    name: str
    path: Path


class ChildPlan(BaseModel):
    """What one child works on: a stretch of the batch's items, from position `first`, and the files they lie in.

    `files` names, by role, files that the planning step left, or inputs of the task. `parameters` go over the task's.
    """

    model_config = ConfigDict(frozen=True)

    first: int
    items: int
    files: dict[str, tuple[str, ...]] = {}
    parameters: dict[str, dict[str, Any]] = {}
    cost: float = 1.0  # expected slot-seconds


class Delivery(BaseModel):
    """All that an agent leaves: its findings, and in a chain the table that the next one works on.

    A step that fans out leaves plans for children, in waves: the next begins when all items of those before went
    well; `items` is how many there are in all. `usage` is what a step that is paid by use has used.
    """

    model_config = ConfigDict(frozen=True)

    result: AgentResult
    table: Table | None = None
    files: tuple[AgentFile, ...] = ()
    usage: Usage | None = None
    waves: tuple[tuple[ChildPlan, ...], ...] = ()
    items: int = 0

    @classmethod
    def of(cls, found: "AgentResult | Delivery") -> "Delivery":
        """What an agent's function gave back."""
        return found if isinstance(found, Delivery) else cls(result=found)

    @property
    def agent_id(self) -> str:
        return self.result.agent_id

    def file(self, kind: str) -> Path | None:
        """The first of its files of this kind."""
        return next((file.path for file in self.files if file.kind == kind), None)


@dataclass(frozen=True)
class AgentContext:
    """All that an agent may know. `memory_bytes` is what DuckDB may use; scratch is the agent's to fill.

    In a chained tool the primary table is the one that the agent before left. `original` is that which intake read,
    `source` the customer's own file, `earlier` what the agents before delivered, in their order, and `forms` the
    forms of all the chosen agents, in running order.
    """

    tables: Mapping[str, Table]
    parameters: Any  # an instance of the agent's own form
    scratch: Path  # a folder of this agent alone
    memory_bytes: int
    report_progress: Callable[[float], None] = field(default=lambda _fraction: None)
    documents: Mapping[str, Path] = field(default_factory=dict)  # files that are no tables, by role: the first of each
    files: Mapping[str, tuple[LocalFile, ...]] = field(default_factory=dict)  # all of them
    original: Table | None = None
    source: Path | None = None
    earlier: tuple[Delivery, ...] = ()
    forms: Mapping[str, AgentParameters] = field(default_factory=dict)
    done: frozenset[int] = frozenset()  # positions of a batch's items that an earlier task has finished
    slots: int = 1  # for a step that fans out: those of all live workers that may get its children
    agent_id: str = ""

    @property
    def primary(self) -> Table:
        return self.tables[PRIMARY]

    def database(self) -> "AbstractContextManager[duckdb.DuckDBPyConnection]":
        """A bounded DuckDB with a view for each input role."""
        return database_over(self.tables, self.scratch, self.memory_bytes)


@dataclass(frozen=True)
class Agent:
    """A pure function on data, and its form. `version` goes up when the same input may give another result.

    A plain `run` computes in the child process; an `async def` waits for others, in the supervisor's loop.
    """

    id: str
    name: str
    description: str
    parameters: type[AgentParameters]
    run: Callable[[Any], Any]  # AgentContext → AgentResult | Delivery, or WaitingContext → awaitable Delivery
    version: int = 1
    roles: tuple[str, ...] = (PRIMARY,)

    @property
    def waits(self) -> bool:
        return inspect.iscoroutinefunction(self.run)


class Tariff(BaseModel):
    """Credits by use: for each call that was answered, and for each thousand tokens, read and written."""

    model_config = ConfigDict(frozen=True)

    per_call: int = 0
    per_thousand_tokens: int = 0

    def millicredits(self, usage: Usage) -> int:
        return 1000 * self.per_call * usage.calls + self.per_thousand_tokens * usage.tokens

    def price(self, usage: Usage) -> int:
        """Whole credits, rounded up."""
        return -(-self.millicredits(usage) // 1000)


@dataclass(frozen=True)
class GivenFile:
    """An uploaded file as the submit sees it; size in bytes."""

    filename: str
    size: int
    read: Callable[[], bytes]


Given = Mapping[str, Sequence[GivenFile]]  # by role
# The most that a step may use, with this form and these files, without the items at `done`: what is held for it.
Bound = Callable[[Any, Given, Container[int]], Usage]


@dataclass(frozen=True)
class Step:
    """One agent's turn in a tool: its price in credits, and whether the task fails with it.

    With a `tariff` it is paid by use, and `bound` says the most. `after` names the steps whose results it reads.
    A step that fans out plans children, which run the steps that are `in_children`. `form`: given by the tool itself.
    """

    agent: Agent
    price: int = 0
    required: bool = True
    tariff: Tariff | None = None
    bound: Bound | None = None
    after: tuple[str, ...] = ()
    fans_out: bool = False
    in_children: bool = False
    form: AgentParameters | None = None

    @property
    def id(self) -> str:
        return self.agent.id


@dataclass(frozen=True)
class InputRole:
    """A place for a file: `{role}` in the key, the formats it takes, the largest size in bytes of each."""

    name: str
    formats: tuple[str, ...]
    max_bytes: int
    required: bool = False
    is_table: bool = True  # else the file goes to the agents as it is
    many: bool = False  # takes several files
    for_children: bool = False  # the task itself does not read it


Forms = Mapping[str, AgentParameters]  # by agent


@dataclass(frozen=True)
class Tool:
    """What can be asked for: its input roles, and its steps in running order.

    In a chained tool the table that one agent leaves is the next one's primary. A tool that unfolds makes its steps
    from the forms; those that are ready run together. `models` says which models a task would ask, "" for the default.
    `results` sums up the steps' outcomes and the running time, in ms: results.json, beside the report.
    """

    id: str
    name: str
    description: str
    roles: tuple[InputRole, ...]
    steps: tuple[Step, ...]
    chained: bool = False
    unfold: Callable[[Forms], tuple[Step, ...]] | None = None
    models: Callable[[Forms], Iterable[str]] | None = None
    results: "Callable[[Sequence[StepOutcome], int], BaseModel] | None" = None
    time_limit: timedelta = timedelta(minutes=30)  # running time; the hard limit is a minute above it
    no_progress_after: timedelta = timedelta(minutes=5)

    def role(self, name: str) -> InputRole | None:
        return next((role for role in self.roles if role.name == name), None)

    @property
    def on_tables(self) -> bool:
        """What it finds is about columns and rows."""
        return any(role.is_table for role in self.roles)

    def step(self, agent_id: str) -> Step | None:
        return next((step for step in self.steps if step.id == agent_id), None)
