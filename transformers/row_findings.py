"""Single rows at fault: all of them counted, the first of each kind kept, each row counted once.

The source row numbers come as arrays; what is held is one byte a row and at most `ROW_ISSUES_KEPT` issues a kind.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transformers.cells.values import chunks
from transformers.findings import ROW_ISSUES_KEPT, Issue, IssueSummary, RowIssue, Severity
from transformers.risk.personal_fields import display
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

CHECKS_A_QUERY = 100  # conditions of one scan: beyond it DuckDB plans longer than it scans
RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True)
class CellCheck:
    """What is wrong with some cells of a column: an SQL condition, and how many cells it holds for."""

    kind: str
    severity: Severity
    column: str
    condition: str
    cell: str
    count: int
    message: str

    def issue(self, row: int, cell: str) -> RowIssue:
        return RowIssue(
            row_index=row,
            column=self.column,
            issue_type=self.kind,
            severity=self.severity,
            message=self.message,
            value=display(self.column, cell) if cell else None,
        )


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
            self._add(kind, severity, column, len(rows))

    def _add(self, kind: str, severity: Severity, column: str, n: int) -> None:
        self._kinds[kind] += n
        self._severities[severity] += n
        self._columns |= {column} if column else set()

    def keep(self, issues: Iterable[RowIssue]) -> None:
        for issue in issues:
            if self.room(issue.issue_type) > 0:
                self._kept_of[issue.issue_type] += 1
                self._kept.append(issue)

    def find(self, db: "duckdb.DuckDBPyConnection", table: Table, checks: Sequence[CellCheck]) -> None:
        """Mark every row in which a check's condition holds, and keep the first cells, in the order of the file."""
        for some in chunks([check for check in checks if check.count], CHECKS_A_QUERY):
            either = " OR ".join(check.condition for check in some)
            found = db.execute(
                f"SELECT {quoted(SOURCE_ROW)} AS r FROM {quoted(table.role)} WHERE {either}"
            ).fetchnumpy()
            self._at_fault[found["r"]] = True
            for check in some:
                self._add(check.kind, check.severity, check.column, check.count)
            for kind in sorted({check.kind for check in some}):
                self._keep_first(db, table, [check for check in some if check.kind == kind])

    def _keep_first(self, db: "duckdb.DuckDBPyConnection", table: Table, checks: Sequence[CellCheck]) -> None:
        room = self.room(checks[0].kind)
        if room <= 0:
            return
        row, either = quoted(SOURCE_ROW), " OR ".join(check.condition for check in checks)
        places = ", ".join(str(place) for place in range(len(checks)))
        cells = ", ".join(
            f"CASE WHEN {check.condition} THEN coalesce(left({check.cell}, 200), '') END" for check in checks
        )
        by_check = f"unnest([{places}]) AS c, unnest([{cells}]) AS v"
        unrolled = f"SELECT {row} AS r, {by_check} FROM {quoted(table.role)} WHERE {either}"
        first = db.execute(
            f"SELECT r, c, v FROM ({unrolled}) WHERE v IS NOT NULL ORDER BY r, c LIMIT {room}"
        ).fetchall()
        self.keep(checks[place].issue(number, cell) for number, place, cell in first)

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
