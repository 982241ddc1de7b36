"""Agents of master-my-data one after another, each handed what the ones before have left."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from workshop import Workshop

from transformers.tables import Table
from transformers.tool import PRIMARY, Agent, Delivery


class MasteringChain:
    def __init__(self, workshop: Workshop, data: Any, **known: Any) -> None:
        self.workshop = workshop
        self.original = self.table = workshop.table(data, **known)
        self.earlier: tuple[Delivery, ...] = ()

    def run(self, agent: Agent, parameters: Mapping[str, Any] | None = None, **context: Any) -> Delivery:
        known: dict[str, Any] = {"earlier": self.earlier, "original": self.original, **context}
        if "tables" in known:
            known["tables"] = {PRIMARY: self.table, **known["tables"]}
        delivery = self.workshop.deliver(agent, self.table, parameters, **known)
        self.table = delivery.table or self.table
        self.earlier += (delivery.model_copy(update={"table": None}),)
        return delivery


def rows_of(path: Path | Table | None, columns: Sequence[str] = ("*",)) -> list[tuple[Any, ...]]:
    """The rows of a Parquet file, in its order."""
    found = path.path if isinstance(path, Table) else path
    assert found is not None
    with duckdb.connect() as db:
        return db.execute(f"SELECT {', '.join(columns)} FROM read_parquet('{found}')").fetchall()
