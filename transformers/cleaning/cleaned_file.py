"""The final file: the cleaned table in the format, and under the name, in which the customer sent it.

A text file keeps its delimiter, quotes, line ends and encoding. An .xls comes back as .xlsx: nobody writes the old one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers.cleaning.windows import from_parquet, windows_over
from transformers.tables import SOURCE_ROW, Table, quoted
from transformers.tool import AgentFile

if TYPE_CHECKING:
    import duckdb

    from transformers.cells.columns import Column

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

    def windows(self, cells: str) -> Iterator[Any]:
        """Arrow tables of `cells` (SQL over the table's columns), in the order of the file."""
        windows = windows_over([self.table.path])
        for done, window in enumerate(windows, start=1):
            rows = f"{from_parquet(self.table.path)} WHERE {window.holds} ORDER BY {quoted(SOURCE_ROW)}"
            yield self.db.sql(f"SELECT {cells} FROM {rows}").to_arrow_table()
            self.report_progress(done / len(windows))


def cleaned_file(cleaned: Cleaned, folder: Path) -> AgentFile:
    kind = "xlsx" if cleaned.original.format == "xls" else cleaned.original.format
    if cleaned.original.format == "xls":
        cleaned.notes.append("The .xls workbook is given back as .xlsx.")
    path = folder / cleaned_name(cleaned.original.name, kind)
    _writer(kind)(cleaned, path)
    return AgentFile(name=path.name, path=path, content_type=TYPES[kind], kind="data")


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

    sink = None
    for rows in cleaned.windows(cells or ", ".join(map(quoted, cleaned.table.columns))):
        sink = sink or RowGroupSink(path, rows.schema).__enter__()
        for batch in rows.combine_chunks().to_batches():
            sink.write(batch)
    assert sink is not None
    sink.__exit__(None, None, None)
