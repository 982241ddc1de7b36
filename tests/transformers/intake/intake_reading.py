"""How the intake tests read a file: bytes in, the table and its cells out."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from transformers.intake import read_table
from transformers.tables import SOURCE_ROW, Repair, Table

EVERY_FORMAT = ("csv", "tsv", "json", "jsonl", "xlsx", "xls", "parquet")
SHARED_DATA = Path(__file__).parents[4] / "shared" / "data"

Reader = Callable[..., "Read"]


@dataclass(frozen=True)
class Read:
    table: Table

    @property
    def rows(self) -> list[list[Any]]:
        """The customer's cells."""
        return [list(row.values())[:-1] for row in pq.read_table(self.table.path).to_pylist()]

    @property
    def numbers(self) -> list[int]:
        return list(pq.read_table(self.table.path).column(SOURCE_ROW).to_pylist())

    @property
    def records(self) -> list[dict[str, Any]]:
        return list(pq.read_table(self.table.path).drop([SOURCE_ROW]).to_pylist())

    @property
    def rejects(self) -> list[dict[str, Any]]:
        assert self.table.rejects_path
        return list(pq.read_table(self.table.rejects_path).to_pylist())

    def repair(self, kind: str) -> Repair:
        return next(repair for repair in self.table.repairs if repair.kind == kind)

    @property
    def kinds(self) -> set[str]:
        return {repair.kind for repair in self.table.repairs}


def read(
    folder: Path, content: bytes | str | Path, name: str = "data.csv", accepted: tuple[str, ...] = EVERY_FORMAT
) -> Read:
    """Reads a file of this content under this name."""
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    if isinstance(content, Path):
        source = content
    else:
        source = folder / "upload"
        source.write_bytes(content.encode() if isinstance(content, str) else content)
    return Read(read_table(source, role="primary", name=name, accepted=accepted, folder=scratch))


def shared(folder: str) -> Path:
    """A folder of the shared data; skips where it is not there, but never in CI."""
    path = SHARED_DATA / folder
    if not path.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"the shared data {folder} must be there in CI")
        pytest.skip(f"the shared data {folder} is not on this machine")
    return path
