"""Single rows at fault: all of them counted, the first of each kind kept, each row counted once.

The source row numbers come as arrays; what is held is one byte a row and at most `ROW_ISSUES_KEPT` issues a kind.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from transformers.findings import ROW_ISSUES_KEPT, Issue, IssueSummary, RowIssue, Severity
from transformers.personal_fields import display
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

RANK = {severity: rank for rank, severity in enumerate(Severity)}


class RowFindings:
    def __init__(self, last_row: int) -> None:
        import numpy as np

        self._at_fault = np.zeros(last_row + 1, dtype=bool)
        self._kinds: Counter[str] = Counter()
        self._severities: Counter[Severity] = Counter()
        self._columns: set[str] = set()
        self._kept: list[RowIssue] = []
        self._kept_of: Counter[str] = Counter()

    @classmethod
    def over(cls, db: "duckdb.DuckDBPyConnection", table: Table) -> "RowFindings":
        last = f"SELECT coalesce(max({quoted(SOURCE_ROW)}), 0) FROM {quoted(table.role)}"
        return cls(int(db.execute(last).fetchall()[0][0]))

    def room(self, kind: str) -> int:
        """How many more issues of this kind are kept."""
        return ROW_ISSUES_KEPT - self._kept_of[kind]

    def count(self, kind: str, severity: Severity, column: str, rows: Any) -> None:
        """`rows` is a NumPy array of source row numbers, every one of them."""
        if len(rows):
            self._at_fault[rows] = True
            self._kinds[kind] += len(rows)
            self._severities[severity] += len(rows)
            self._columns |= {column} if column else set()

    def keep(self, issues: Iterable[RowIssue]) -> None:
        for issue in issues:
            if self.room(issue.issue_type) > 0:
                self._kept_of[issue.issue_type] += 1
                self._kept.append(issue)

    def find(
        self,
        db: "duckdb.DuckDBPyConnection",
        table: Table,
        *,
        column: str,
        condition: str,
        cell: str,
        kind: str,
        severity: Severity,
        message: str,
    ) -> None:
        """Count every row where the SQL condition holds, and keep the first with its cell."""
        source = f"FROM {quoted(table.role)} WHERE {condition}"
        found = db.execute(f"SELECT {quoted(SOURCE_ROW)} AS r {source}").fetchnumpy()["r"]
        self.count(kind, severity, column, found)
        if not len(found) or self.room(kind) <= 0:
            return
        first = f"SELECT {quoted(SOURCE_ROW)}, left({cell}, 200) {source} ORDER BY 1 LIMIT {self.room(kind)}"
        self.keep(
            RowIssue(
                row_index=row,
                column=column,
                issue_type=kind,
                severity=severity,
                message=message,
                value=None if value is None else display(column, value),
            )
            for row, value in db.execute(first).fetchall()
        )

    @property
    def total(self) -> int:
        return self._kinds.total()

    def of_kind(self, kind: str) -> int:
        return self._kinds[kind]

    @property
    def kept(self) -> tuple[RowIssue, ...]:
        """The most serious first, in the order of the customer's file."""
        ordered = sorted(self._kept, key=lambda i: (RANK[i.severity], i.row_index, i.column, i.issue_type))
        return tuple(ordered[:ROW_ISSUES_KEPT])

    def summary(self, issues: Sequence[Issue]) -> IssueSummary:
        kinds = self._kinds + Counter(issue.issue_type for issue in issues)
        severities = self._severities + Counter(issue.severity for issue in issues)
        return IssueSummary(
            total_issues=kinds.total(),
            by_type=dict(sorted(kinds.items())),
            by_severity={severity.value: severities[severity] for severity in Severity if severities[severity]},
            affected_rows=int(self._at_fault.sum()),
            affected_columns=tuple(sorted(self._columns | {issue.field_name for issue in issues if issue.field_name})),
            truncated=self.total > ROW_ISSUES_KEPT,
        )
