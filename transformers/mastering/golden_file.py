"""The files a customer takes home: the golden records in the format of the input, the cross-reference as CSV."""

from pathlib import Path
from typing import TYPE_CHECKING

from transformers.cells.columns import read_columns
from transformers.cells.kinds import literal
from transformers.cells.spreadsheet_text import write_csv
from transformers.cleaning.cleaned_file import TYPES, Cleaned, write_parquet
from transformers.mastering.clusters import text
from transformers.mastering.work_files import CROSS_REFERENCE
from transformers.tables import SOURCE_ROW, Table, quoted
from transformers.tool import FINAL, AgentContext, AgentFile

if TYPE_CHECKING:
    import duckdb

MOST_SHEET_ROWS = 1_048_575  # Excel's limit, its header taken off
ROW = quoted(SOURCE_ROW)


def golden_file(db: "duckdb.DuckDBPyConnection", context: AgentContext, notes: list[str]) -> AgentFile:
    """Text is written in UTF-8; an .xls comes back as .xlsx, and as CSV where it has more rows than a sheet takes."""
    table, original = context.primary, context.original or context.primary
    kind = "xlsx" if original.format == "xls" else original.format
    if kind == "xlsx" and table.rows > MOST_SHEET_ROWS:
        notes.append("A sheet does not take so many rows: the golden records are a CSV file.")
        kind = "csv"
    path = context.scratch / f"{_stem(original.name)}_golden.{kind}"
    if kind in ("csv", "tsv"):
        _write_text(db, table, path, original.delimiter or ("\t" if kind == "tsv" else ","))
    else:
        _write_other(db, context, kind, path, notes)
    return AgentFile(name=path.name, path=path, content_type=TYPES[kind], kind=FINAL)


def _stem(name: str) -> str:
    """orders.2024.csv → orders.2024"""
    plain = Path(name).name
    return plain.rpartition(".")[0] or plain or "data"


def _write_text(db: "duckdb.DuckDBPyConnection", table: Table, path: Path, delimiter: str) -> None:
    cells = ", ".join(quoted(name) for name in table.columns)
    mark = delimiter if len(delimiter) == 1 else ","
    db.execute(  # the order is the file's already: DuckDB keeps it
        f"COPY (SELECT {cells} FROM {quoted(table.role)}) TO {text(path)}"
        f" (FORMAT csv, HEADER, DELIMITER {literal(mark)})"
    )


def _write_other(
    db: "duckdb.DuckDBPyConnection", context: AgentContext, kind: str, path: Path, notes: list[str]
) -> None:
    from transformers.cleaning import cleaned_json, cleaned_workbook

    table, original = context.primary, context.original or context.primary
    columns = read_columns(db, table)
    told = Cleaned(db, table, original, context.source, columns, lambda _share: None, notes)
    {"json": cleaned_json.write, "jsonl": cleaned_json.write, "xlsx": cleaned_workbook.write}.get(kind, write_parquet)(
        told, path
    )


def reference_file(db: "duckdb.DuckDBPyConnection", references: Path, original: Table, folder: Path) -> AgentFile:
    """source_row (header not counted), golden_id, probability, source_key: given again, it keeps the entities' ids."""
    path = folder / f"{_stem(original.name)}_cross_reference.csv"
    cells = "source_row, golden_id, probability, source_key"
    query = f"SELECT {cells} FROM read_parquet({text(references)}) ORDER BY source_row"
    write_csv(db, query, path)
    return AgentFile(name=path.name, path=path, content_type=TYPES["csv"], kind=CROSS_REFERENCE)
