"""Tasks for a data steward: what people have to decide, gathered as lines of one temporary table.

`steward_tasks(kind, severity, record, other, column, value, message, action)`: `record` is a row number of the table,
`other` the second row of a suspected pair.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers.cells.kinds import literal
from transformers.findings import RowIssue, Severity
from transformers.mastering.clusters import text
from transformers.risk.personal_fields import display
from transformers.row_findings import RowFindings
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

ROW = quoted(SOURCE_ROW)
LONGEST_VALUE = 200


class Kind(StrEnum):
    MISSING_REQUIRED = "MISSING_REQUIRED"
    INVALID_FORMAT = "INVALID_FORMAT"
    CONFLICT_UNRESOLVED = "CONFLICT_UNRESOLVED"
    DUPLICATE_SUSPECTED = "DUPLICATE_SUSPECTED"
    LOW_CONFIDENCE = "LOW_CONFIDENCE"
    OUTLIER_VALUE = "OUTLIER_VALUE"
    STANDARDIZATION_FAILED = "STANDARDIZATION_FAILED"
    DATA_TYPE_MISMATCH = "DATA_TYPE_MISMATCH"
    REFERENTIAL_INTEGRITY = "REFERENTIAL_INTEGRITY"
    BUSINESS_RULE_VIOLATION = "BUSINESS_RULE_VIOLATION"


SEVERITY: Mapping[Kind, Severity] = {
    Kind.MISSING_REQUIRED: Severity.CRITICAL,
    Kind.REFERENTIAL_INTEGRITY: Severity.CRITICAL,
    Kind.CONFLICT_UNRESOLVED: Severity.HIGH,
    Kind.DUPLICATE_SUSPECTED: Severity.HIGH,
    Kind.BUSINESS_RULE_VIOLATION: Severity.HIGH,
    Kind.STANDARDIZATION_FAILED: Severity.MEDIUM,
    Kind.INVALID_FORMAT: Severity.MEDIUM,
    Kind.DATA_TYPE_MISMATCH: Severity.MEDIUM,
    Kind.LOW_CONFIDENCE: Severity.MEDIUM,
    Kind.OUTLIER_VALUE: Severity.LOW,
}
ACTION: Mapping[Kind, str] = {
    Kind.MISSING_REQUIRED: "find the value and enter it",
    Kind.REFERENTIAL_INTEGRITY: "enter the missing record, or mend the reference",
    Kind.CONFLICT_UNRESOLVED: "choose the value that is right",
    Kind.DUPLICATE_SUSPECTED: "say whether the two are one",
    Kind.BUSINESS_RULE_VIOLATION: "mend the value, or the rule",
    Kind.STANDARDIZATION_FAILED: "enter the value as the contract wants it",
    Kind.INVALID_FORMAT: "mend the value",
    Kind.DATA_TYPE_MISMATCH: "mend the value",
    Kind.LOW_CONFIDENCE: "confirm the record",
    Kind.OUTLIER_VALUE: "confirm the value, or mend it",
}


@dataclass(frozen=True)
class Check:
    """Rows of the table that make a task, where `condition` holds."""

    kind: Kind
    column: str
    condition: str
    message: str
    severity: Severity | None = None
    action: str = ""


class Tasks:
    def __init__(self, db: "duckdb.DuckDBPyConnection", table: Table) -> None:
        self._db, self._table = db, table
        db.execute(
            "CREATE OR REPLACE TEMP TABLE steward_tasks (kind VARCHAR, severity VARCHAR, record BIGINT, other BIGINT,"
            ' "column" VARCHAR, value VARCHAR, message VARCHAR, action VARCHAR)'
        )

    def check(self, check: Check) -> None:
        value = f"left(CAST({quoted(check.column)} AS VARCHAR), {LONGEST_VALUE})" if check.column else "NULL"
        self.add(
            check.kind,
            f"SELECT {ROW}, NULL, {literal(check.column)}, {value}, {literal(check.message)}"
            f" FROM {quoted(self._table.role)} WHERE {check.condition}",
            severity=check.severity,
            action=check.action,
        )

    def add(self, kind: Kind, relation: str, *, severity: Severity | None = None, action: str = "") -> None:
        """`relation` gives record, other, column, value, message."""
        grave, todo = severity or SEVERITY[kind], action or ACTION[kind]
        self._db.execute(
            f"INSERT INTO steward_tasks SELECT {literal(kind)}, {literal(grave)}, t.*, {literal(todo)}"
            f" FROM ({relation}) t(record, other, name, value, message)"
            f" WHERE t.record IN (SELECT {ROW} FROM {quoted(self._table.role)})"
        )

    def counts(self) -> list[tuple[str, str, str, int]]:
        """(kind, severity, column, tasks)."""
        query = 'SELECT kind, severity, "column", count(*) FROM steward_tasks GROUP BY ALL ORDER BY ALL'
        return self._db.execute(query).fetchall()

    def note(self, rows: RowFindings) -> None:
        """All counted, the first of each kind kept."""
        for kind, severity, column, _ in self.counts():
            same = 'kind = ? AND severity = ? AND "column" = ?'
            found = self._db.execute(
                f"SELECT record FROM steward_tasks WHERE {same}", [kind, severity, column]
            ).fetchnumpy()
            rows.count(kind, Severity(severity), column, found["record"])
            first = self._db.execute(
                f"SELECT record, value, message FROM steward_tasks WHERE {same} ORDER BY ALL LIMIT {rows.room(kind)}",
                [kind, severity, column],
            ).fetchall()
            rows.keep(
                RowIssue(
                    row_index=record,
                    column=column,
                    issue_type=kind,
                    severity=Severity(severity),
                    message=message,
                    value=None if value is None or not column else display(column, value),
                )
                for record, value, message in first
            )

    def write(self, path: Path, weights: Mapping[str, float], record_id: str | None) -> int:
        """CSV, the most pressing first: by the weight of the severity, then by how much else the record has."""
        weighed = " ".join(f"WHEN {literal(name)} THEN {float(weight)!r}" for name, weight in sorted(weights.items()))
        name = f"CAST({quoted(record_id)} AS VARCHAR)" if record_id else "NULL"
        names = f"SELECT {ROW} AS r, {name} AS name FROM {quoted(self._table.role)}"
        query = (
            f'SELECT row_number() OVER (ORDER BY weight DESC, burden DESC, record, kind, "column", other) AS priority,'
            f" kind, severity, weight, name AS record_id, record AS source_row,"
            f' other AS other_row, "column", value, message, action FROM ('
            f"SELECT *, CASE severity {weighed} ELSE 0.0 END AS weight,"
            f" sum(CASE severity {weighed} ELSE 0.0 END) OVER (PARTITION BY record) AS burden"
            f" FROM steward_tasks t LEFT JOIN ({names}) i ON i.r = t.record) ORDER BY priority"
        )
        self._db.execute(f"COPY ({query}) TO {text(path)} (FORMAT csv, HEADER)")
        [(tasks,)] = self._db.execute("SELECT count(*) FROM steward_tasks").fetchall()
        return int(tasks)


def summary(counts: Sequence[tuple[str, str, str, int]]) -> dict[str, Any]:
    by_kind: dict[str, int] = {kind.value: 0 for kind in Kind}
    by_severity: dict[str, int] = {}
    by_column: dict[str, int] = {}
    for kind, severity, column, tasks in counts:
        by_kind[kind] += tasks
        by_severity[severity] = by_severity.get(severity, 0) + tasks
        if column:
            by_column[column] = by_column.get(column, 0) + tasks
    return {"by_kind": by_kind, "by_severity": by_severity, "by_column": by_column}
