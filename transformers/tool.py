"""The nouns of the workshop: Tool, Step, Agent, AgentContext, Delivery, InputRole.

Declarations only: importing a tool imports no pandas, pyarrow or duckdb. An agent is a pure function of its
context: it knows no database, no queue, no network and no other agent.
"""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from transformers.findings import AgentResult
from transformers.tables import Table, database_over

if TYPE_CHECKING:
    import duckdb

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


class Delivery(BaseModel):
    """All that an agent leaves: its findings, and in a chain the table that the next one works on."""

    model_config = ConfigDict(frozen=True)

    result: AgentResult
    table: Table | None = None
    files: tuple[AgentFile, ...] = ()

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
    documents: Mapping[str, Path] = field(default_factory=dict)  # files that are no tables, by role
    original: Table | None = None
    source: Path | None = None
    earlier: tuple[Delivery, ...] = ()
    forms: Mapping[str, AgentParameters] = field(default_factory=dict)

    @property
    def primary(self) -> Table:
        return self.tables[PRIMARY]

    def database(self) -> "AbstractContextManager[duckdb.DuckDBPyConnection]":
        """A bounded DuckDB with a view for each input role."""
        return database_over(self.tables, self.scratch, self.memory_bytes)


@dataclass(frozen=True)
class Agent:
    """A pure function on data, and its form. `version` goes up when the same input may give another result."""

    id: str
    name: str
    description: str
    parameters: type[AgentParameters]
    run: Callable[[AgentContext], "AgentResult | Delivery"]  # findings alone, where it leaves nothing else
    version: int = 1
    roles: tuple[str, ...] = (PRIMARY,)


@dataclass(frozen=True)
class Step:
    """One agent's turn in a tool: its price in credits, and whether the task fails with it."""

    agent: Agent
    price: int
    required: bool = True

    @property
    def id(self) -> str:
        return self.agent.id


@dataclass(frozen=True)
class InputRole:
    """A place for a file: `{role}` in the key, the formats it takes, the largest size in bytes."""

    name: str
    formats: tuple[str, ...]
    max_bytes: int
    required: bool = False
    is_table: bool = True  # else the file goes to the agents as it is


@dataclass(frozen=True)
class Tool:
    """What can be asked for: its input roles, and its steps in running order.

    In a chained tool the table that one agent leaves is the next one's primary.
    """

    id: str
    name: str
    description: str
    roles: tuple[InputRole, ...]
    steps: tuple[Step, ...]
    chained: bool = False
    time_limit: timedelta = timedelta(minutes=30)  # running time; the hard limit is a minute above it
    no_progress_after: timedelta = timedelta(minutes=5)

    def role(self, name: str) -> InputRole | None:
        return next((role for role in self.roles if role.name == name), None)

    def step(self, agent_id: str) -> Step | None:
        return next((step for step in self.steps if step.id == agent_id), None)
