"""A workshop without services: tables written as intake writes them, agents run as the child runs them."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from transformers.cells.columns import Column, read_columns
from transformers.findings import AgentResult
from transformers.tables import SOURCE_ROW, Table, database_over
from transformers.tool import PRIMARY, Agent, AgentContext, Delivery

MEMORY = 128 * 2**20
Data = Table | pa.Table | Mapping[str, Sequence[Any]]  # mapping: text columns


class Workshop:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._written = 0

    def table(self, data: pa.Table | Mapping[str, Sequence[Any]], **known: Any) -> Table:
        """Lists become text columns, as intake reads text; a pyarrow table keeps its types."""
        if not isinstance(data, pa.Table):
            data = pa.table({name: pa.array(values, pa.string()) for name, values in data.items()})
        self._written += 1
        path = self.folder / f"{self._written}.parquet"
        rows = pa.array(range(1, data.num_rows + 1), pa.int64())
        pq.write_table(data.append_column(SOURCE_ROW, rows), path)
        facts = {"role": PRIMARY, "name": "data.csv", "format": "csv", "size_bytes": path.stat().st_size} | known
        return Table(path=path, rows=data.num_rows, columns=tuple(data.column_names), **facts)

    def database(self, table: Table) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        return database_over({PRIMARY: table}, self.folder, MEMORY)

    def columns(self, data: pa.Table | Mapping[str, Sequence[Any]]) -> dict[str, Column]:
        table = self.table(data)
        with self.database(table) as db:
            return {column.name: column for column in read_columns(db, table)}

    def run(self, agent: Agent, data: Data, **parameters: Any) -> AgentResult:
        """The agent's findings."""
        return self.deliver(agent, data, parameters).result

    def deliver(
        self, agent: Agent, data: Data, parameters: Mapping[str, Any] | None = None, **context: Any
    ) -> Delivery:
        """All that the agent leaves; `context` is more of what it may know (earlier, documents, baseline …)."""
        table = data if isinstance(data, Table) else self.table(data)
        self._written += 1
        own = self.folder / f"{self._written}-{agent.id}"
        own.mkdir()
        known = {
            "tables": everywhere(agent, table),
            "scratch": own,
            "memory_bytes": MEMORY,
            "original": table,
        } | context
        return Delivery.of(agent.run(AgentContext(parameters=agent.parameters(**parameters or {}), **known)))


def everywhere(agent: Agent, table: Table) -> dict[str, Table]:
    """The one table in each role that the agent needs: a table does not drift from itself."""
    return {role: table.model_copy(update={"role": role}) for role in agent.roles}
