"""Tasks for a data steward: what people have to decide, gathered as lines of one temporary table.

`told_tasks(task, origin, kind, severity, record, other, column, value, message, action)`: `record` is a row number of
the table, `other` the second row of a suspected pair, `origin` the check that found it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from transformers.cells.kinds import literal
from transformers.findings import RowIssue, Severity
from transformers.mastering.counting import count_all
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
    """What a check says of all its tasks is kept once (`steward_origins`); `told_tasks` puts both together."""

    def __init__(self, db: "duckdb.DuckDBPyConnection", table: Table) -> None:
        self._db, self._table, self._origins = db, table, 0
        db.execute(
            "CREATE OR REPLACE TEMP TABLE steward_origins (origin INTEGER, kind VARCHAR, severity VARCHAR,"
            " common VARCHAR, action VARCHAR)"
        )
        db.execute(
            "CREATE OR REPLACE TEMP TABLE steward_tasks (origin INTEGER, record BIGINT, other BIGINT,"
            ' "column" VARCHAR, value VARCHAR, message VARCHAR)'
        )
        db.execute(
            "CREATE OR REPLACE TEMP VIEW told_tasks AS SELECT t.rowid AS task, origin, kind, severity, record, other,"
            ' "column", value, coalesce(message, common) AS message, action'
            " FROM steward_tasks t JOIN steward_origins USING (origin)"
        )

    def check(self, check: Check) -> None:
        value = f"left(CAST({quoted(check.column)} AS VARCHAR), {LONGEST_VALUE})" if check.column else "NULL"
        origin = self._origin(check.kind, check.severity, check.action, check.message)
        self._db.execute(
            f"INSERT INTO steward_tasks SELECT {origin}, {ROW}, NULL, {literal(check.column)}, {value}, NULL"
            f" FROM {quoted(self._table.role)} WHERE {check.condition}"
        )

    def add(self, kind: Kind, relation: str) -> None:
        """`relation` gives record, other, column, value, message."""
        self._db.execute(
            f"INSERT INTO steward_tasks SELECT {self._origin(kind)}, t.*"
            f" FROM ({relation}) t(record, other, name, value, message)"
            f" WHERE t.record IN (SELECT {ROW} FROM {quoted(self._table.role)})"
        )

    def _origin(self, kind: Kind, severity: Severity | None = None, action: str = "", message: str = "") -> int:
        self._origins += 1
        said = [self._origins, kind.value, (severity or SEVERITY[kind]).value, message, action or ACTION[kind]]
        self._db.execute("INSERT INTO steward_origins VALUES (?, ?, ?, ?, ?)", said)
        return self._origins

    def counts(self) -> list[tuple[str, str, str, int]]:
        """(kind, severity, column, tasks)."""
        by_origin = 'SELECT origin, "column", count(*) AS n FROM steward_tasks GROUP BY ALL'
        query = (
            f'SELECT kind, severity, "column", sum(n)::BIGINT FROM ({by_origin}) JOIN steward_origins USING (origin)'
            " GROUP BY ALL ORDER BY ALL"
        )
        return self._db.execute(query).fetchall()

    def note(self, rows: RowFindings) -> None:
        """All counted, the first of each kind kept."""
        for kind, severity, column, _ in self.counts():
            same = (
                f"FROM told_tasks WHERE kind = {literal(kind)} AND severity = {literal(severity)}"
                f' AND "column" = {literal(column)}'
            )
            count_all(self._db, f"SELECT record {same}", rows, (kind, Severity(severity), column))
            first = self._db.execute(
                f"SELECT record, value, message {same} ORDER BY ALL LIMIT {rows.room(kind)}"
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
