"""The final file: the cleaned table in the format, and under the name, in which the customer sent it.

A text file keeps its delimiter, quotes, line ends and encoding. An .xls comes back as .xlsx: nobody writes the old one.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers.cleaning.windows import from_parquet
from transformers.tables import SOURCE_ROW, Table, quoted
from transformers.tool import FINAL, AgentFile

if TYPE_CHECKING:
    import duckdb

    from transformers.cells.columns import Column

BATCH_ROWS, BATCH_CELLS = 20_000, 400_000
TYPES = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}


@dataclass
class Cleaned:
    """What is to be written: the final table, how the source was written, and what had to be done otherwise."""

    db: "duckdb.DuckDBPyConnection"
    table: Table
    original: Table
    source: Path | None
    columns: "tuple[Column, ...]"
    report_progress: Callable[[float], None]
    notes: list[str] = field(default_factory=list)

    def batches(self, cells: str) -> Iterator[Any]:
        """Arrow batches of `cells` (SQL over the table's columns), in the order of the file; at least one."""
        size = max(1, min(BATCH_ROWS, BATCH_CELLS // max(len(self.table.columns), 1)))
        reader = self.db.sql(f"SELECT {cells} FROM {from_parquet(self.table.path)}").to_arrow_reader(size)
        done = 0
        for batch in reader:
            yield batch
            done += batch.num_rows
            self.report_progress(done / max(self.table.rows, 1))
        if not done:
            yield _empty(reader.schema)


def cleaned_file(cleaned: Cleaned, folder: Path) -> AgentFile:
    kind = "xlsx" if cleaned.original.format == "xls" else cleaned.original.format
    if cleaned.original.format == "xls":
        cleaned.notes.append("The .xls workbook is given back as .xlsx.")
    path = folder / cleaned_name(cleaned.original.name, kind)
    _writer(kind)(cleaned, path)
    return AgentFile(name=path.name, path=path, content_type=TYPES[kind], kind=FINAL)


def cleaned_name(name: str, kind: str) -> str:
    """orders.csv → orders_cleaned.csv; an ending that is not the format's own stays (orders.txt)."""
    stem, _, ending = Path(name).name.rpartition(".")
    if not stem:
        return f"{ending or 'data'}_cleaned.{kind}"
    return f"{stem}_cleaned.{kind if ending.lower() in (*TYPES, 'xls') else ending}"


def _writer(kind: str) -> Callable[[Cleaned, Path], None]:
    from transformers.cleaning import cleaned_json, cleaned_text, cleaned_workbook

    return {
        "csv": cleaned_text.write,
        "tsv": cleaned_text.write,
        "json": cleaned_json.write,
        "jsonl": cleaned_json.write,
        "xlsx": cleaned_workbook.write,
        "parquet": write_parquet,
    }[kind]


def write_parquet(cleaned: Cleaned, path: Path, cells: str = "") -> None:
    """With the column types as they are, without the source rows' numbers unless `cells` names them."""
    from transformers.intake.writing import RowGroupSink

    with ExitStack() as files:
        sink = None
        for batch in cleaned.batches(cells or ", ".join(map(quoted, cleaned.table.columns or [SOURCE_ROW]))):
            sink = sink or files.enter_context(RowGroupSink(path, batch.schema))
            sink.write(batch)


def _empty(schema: Any) -> Any:
    import pyarrow as pa

    return pa.record_batch([pa.array([], field.type) for field in schema], schema=schema)
