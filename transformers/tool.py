"""The nouns of the workshop: Tool, Step, Agent, AgentContext, InputRole.

Declarations only: importing a tool imports no pandas, pyarrow or duckdb. An agent is a pure function of its
context: it knows no database, no queue, no network and no other agent.
"""

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
PARAMETERS_ROLE = "parameters"  # a parameters.json uploaded beside the data
TABULAR = ("csv", "tsv", "json", "jsonl", "xlsx", "xls", "parquet")
MEBIBYTE = 2**20


class AgentParameters(BaseModel):
    """An agent's form: each field is declared once, with its default, range and description."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class AgentContext:
    """All that an agent may know. `memory_bytes` is what DuckDB may use; scratch is the agent's to fill."""

    tables: Mapping[str, Table]
    parameters: Any  # an instance of the agent's own form
    scratch: Path
    memory_bytes: int
    report_progress: Callable[[float], None] = field(default=lambda _fraction: None)

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
    run: Callable[[AgentContext], AgentResult]
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


@dataclass(frozen=True)
class Tool:
    """What can be asked for: its input roles, and its steps in running order."""

    id: str
    name: str
    description: str
    roles: tuple[InputRole, ...]
    steps: tuple[Step, ...]
    time_limit: timedelta = timedelta(minutes=30)  # running time; the hard limit is a minute above it
    no_progress_after: timedelta = timedelta(minutes=5)

    def role(self, name: str) -> InputRole | None:
        return next((role for role in self.roles if role.name == name), None)

    def step(self, agent_id: str) -> Step | None:
        return next((step for step in self.steps if step.id == agent_id), None)
