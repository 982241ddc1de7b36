"""Row numbers counted as findings while they are read, so that millions of them are never held at once."""

from typing import TYPE_CHECKING

from transformers.findings import Severity
from transformers.row_findings import RowFindings

if TYPE_CHECKING:
    import duckdb

ROWS_AT_ONCE = 100_000


def count_all(db: "duckdb.DuckDBPyConnection", query: str, rows: RowFindings, what: tuple[str, Severity, str]) -> None:
    """`query` gives source rows in its first column; `what` is their kind, severity and column."""
    for batch in db.sql(query).to_arrow_reader(ROWS_AT_ONCE):
        rows.count(*what, batch.column(0).to_numpy())
