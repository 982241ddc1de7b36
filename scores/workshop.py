"""An agent at work on a file, as in a task's child process: intake first, then the agent on its own scratch folder."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from transformers.intake import read_table
from transformers.operations import DUCKDB_SHARE
from transformers.tables import Table
from transformers.tool import PRIMARY, TABULAR, Agent, AgentContext, Delivery

CHILD_MEMORY = 400 * 2**20  # bytes: what the product gives an agent's process


@contextmanager
def scratch() -> Iterator[Path]:
    with TemporaryDirectory(prefix="scores-") as folder:
        yield Path(folder)


def read(path: Path, folder: Path, role: str = PRIMARY) -> Table:
    """The file as intake reads it."""
    return read_table(path, role=role, name=path.name, accepted=TABULAR, folder=folder)


def run(
    agent: Agent, tables: Mapping[str, Table], folder: Path, *, memory: int = CHILD_MEMORY, **parameters: Any
) -> Delivery:
    """The agent on tables by role, with the parameters given."""
    own = folder / agent.id
    own.mkdir(exist_ok=True)
    context = AgentContext(
        tables=tables,
        parameters=agent.parameters(**parameters),
        scratch=own,
        memory_bytes=int(memory * DUCKDB_SHARE),
        original=tables[PRIMARY],
    )
    return Delivery.of(agent.run(context))
