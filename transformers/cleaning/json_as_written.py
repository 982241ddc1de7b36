"""How a JSON source writes each of its cells: the value's own text, "007" with its quotes, 1.10 with its nought.

The source is read once more by its own reader; the table of texts has the rows and columns of the one that intake made.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers.cells.values import chunks
from transformers.cleaning.windows import from_parquet
from transformers.intake.json_documents import read_json
from transformers.intake.json_lines import read_json_lines
from transformers.intake.json_values import JsonRows, json_text
from transformers.intake.reading import SourceFile
from transformers.tables import Table, quoted

if TYPE_CHECKING:
    import duckdb

COLUMNS_A_QUERY = 100


@dataclass(frozen=True)
class AsWritten:
    """`path` is the table of texts: NULL where a row has no such key. `bare` are the columns without a string."""

    path: Path
    bare: frozenset[str]
    dotted: frozenset[str]  # keys with a dot of their own


@dataclass
class _Texts(JsonRows):
    """Cells as the source writes them."""

    dotted: set[str] = field(default_factory=set)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        self.dotted.update(key for key, _ in pairs if "." in key)
        return super()._object(pairs)

    def cell(self, value: Any) -> str | None:
        return self._clean(json_text(value))


def as_written(db: "duckdb.DuckDBPyConnection", source: Path, original: Table, folder: Path) -> AsWritten:
    """Writes into the folder, which is to be there."""
    file, texts = SourceFile(path=source, name=original.name, role="as-written", folder=folder), _Texts()
    read = read_json_lines if original.format == "jsonl" else read_json
    try:
        columns = read(file, texts).columns
    finally:
        file.spool_path.unlink(missing_ok=True)
        file.rejects_path.unlink(missing_ok=True)
    return AsWritten(file.table_path, frozenset(_bare(db, file.table_path, columns)), frozenset(texts.dotted))


def _bare(db: "duckdb.DuckDBPyConnection", path: Path, columns: tuple[str, ...]) -> list[str]:
    """Columns with a value and without a string."""
    found: list[str] = []
    for some in chunks(columns, COLUMNS_A_QUERY):
        asked = ", ".join(
            f"coalesce(NOT bool_or({quoted(name)}[1] = '\"' AND {quoted(name)} <> 'null') "
            f"AND bool_or({quoted(name)} <> 'null'), false)"
            for name in some
        )
        [row] = db.execute(f"SELECT {asked} FROM {from_parquet(path)}").fetchall()
        found += [name for name, is_bare in zip(some, row, strict=True) if is_bare]
    return found
