"""What intake did to a customer's file, told in the report: every repair, and every row that was set aside.

Strings are kept as strings and no cell becomes null in silence (DESIGN §5.9); the customer is to see it.
"""

from collections.abc import Sequence
from pathlib import Path

from transformers.cells.spreadsheet_text import write_csv
from transformers.findings import AgentResult, Alert, Issue, Severity, summarise
from transformers.tables import Repair, Table

INTAKE = "intake"
REJECTED_ROWS = "rejected_rows.csv"
ROWS_NAMED = 5  # in a sentence


def intake_result(tables: Sequence[Table]) -> AgentResult | None:
    """Intake's findings in the form of an agent's, or None where every file was read as it is."""
    issues = [_issue(table, repair) for table in tables for repair in table.repairs]
    alerts = [_alert(table) for table in tables if table.rejected_rows]
    if not issues and not alerts:
        return None
    return AgentResult(
        agent_id=INTAKE,
        agent_name="Intake",
        alerts=tuple(alerts),
        issues=tuple(issues),
        issue_summary=summarise(issues, ()),
    )


def _issue(table: Table, repair: Repair) -> Issue:
    rows = ", ".join(str(row) for row in repair.rows[:ROWS_NAMED])
    where = f" Rows: {rows}{' …' if repair.count > ROWS_NAMED else ''}." if rows else ""
    return Issue(
        issue_id=f"{INTAKE}-{table.role}-{repair.kind}",
        agent_id=INTAKE,
        field_name="",
        issue_type=repair.kind,
        severity=Severity.LOW,
        message=f"{table.name}: {repair.message}{where}",
    )


def _alert(table: Table) -> Alert:
    count = table.rejected_rows
    rows = "1 row was" if count == 1 else f"{count:,} rows were"
    return Alert(
        alert_id=f"{INTAKE}-{table.role}-rejected",
        severity=Severity.HIGH,
        category=INTAKE,
        message=f"{table.name}: {rows} set aside, because intake could not read them.",
        recommendation=f"See {REJECTED_ROWS} for each row and the reason, mend them and run the tool again.",
    )


def write_rejected_rows(tables: Sequence[Table], folder: Path) -> bool:
    """All rows that were set aside, in one CSV; False where there is none."""
    import duckdb

    parts = [(table.role, str(table.rejects_path)) for table in tables if table.rejects_path is not None]
    if not parts:
        return False
    rows = " UNION ALL ".join("SELECT ? AS role, source_row, reason, raw FROM read_parquet(?)" for _ in parts)
    query = f"SELECT role, source_row, reason, raw FROM ({rows}) ORDER BY role, source_row"
    with duckdb.connect() as connection:
        write_csv(connection, query, folder / REJECTED_ROWS, values=[value for part in parts for value in part])
    return True
