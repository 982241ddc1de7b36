"""What a plan did, counted window by window: cells and rows by rule, and the first changes of each as examples."""

from typing import TYPE_CHECKING, Any

from transformers.cleaning.rules import RuleCount
from transformers.findings import RowIssue, Severity
from transformers.risk.personal_fields import display
from transformers.row_findings import RowFindings

if TYPE_CHECKING:
    import duckdb

EXAMPLES = 5  # of each rule: enough to see what it does


class Tally:
    """`rows` is told of every row set aside, where there is one."""

    def __init__(self, db: "duckdb.DuckDBPyConnection", rows: RowFindings | None) -> None:
        self._db, self._found = db, rows
        self._examples: dict[str, list[dict[str, Any]]] = {}
        self.cells: dict[str, RuleCount] = {}
        self.rows: dict[str, RuleCount] = {}
        self.rows_changed = 0
        self.rows_hit_in_all = 0

    @property
    def examples(self) -> tuple[dict[str, Any], ...]:
        return tuple(example for rule in sorted(self._examples) for example in self._examples[rule])

    def cells_changed(self, log: str) -> None:
        """`log` holds one window's changes: r, place, step, column, old, new, rule, confidence."""
        by_column = f'SELECT rule, "column", count(*) FROM {log} GROUP BY rule, place, "column" ORDER BY rule, place'
        for rule, column, cells in self._db.execute(by_column).fetchall():
            count = self.cells.setdefault(rule, RuleCount(rule))
            count.cells += cells
            count.columns[column] = count.columns.get(column, 0) + cells
        by_rule = f"SELECT rule, count(DISTINCT r) FROM {log} GROUP BY rule"
        for rule, rows in self._db.execute(by_rule).fetchall():
            self.cells[rule].rows += rows
        self.rows_changed += self._one(f"SELECT count(DISTINCT r) FROM {log}")
        self._keep_examples(log)

    def _keep_examples(self, log: str) -> None:
        if all(len(self._examples.get(rule, ())) >= EXAMPLES for rule in self.cells):
            return
        ranked = f"SELECT *, row_number() OVER (PARTITION BY rule ORDER BY r, place, step) AS nth FROM {log}"
        first = (
            f'SELECT rule, r, "column", old, new, confidence FROM ({ranked}) WHERE nth <= {EXAMPLES} ORDER BY rule, nth'
        )
        for rule, row, column, old, new, confidence in self._db.execute(first).fetchall():
            kept = self._examples.setdefault(rule, [])
            if len(kept) < EXAMPLES:
                shown = {"old": _shown(column, old), "new": _shown(column, new)}
                kept.append({"rule": rule, "row": row, "column": column, **shown, "confidence": confidence})

    def rows_hit(self, hits: str) -> None:
        """`hits` holds one window's rows to set aside, a line for each reason."""
        self.rows_hit_in_all += self._one(f"SELECT count(DISTINCT source_row) FROM {hits}")
        by_rule = (
            f'SELECT rule, "column", count(*) FROM {hits} GROUP BY rule, "column" ORDER BY rule, min(place), "column"'
        )
        for rule, column, lines in self._db.execute(by_rule).fetchall():
            count = self.rows.setdefault(rule, RuleCount(rule))
            if column:
                count.columns[column] = count.columns.get(column, 0) + lines
            self._tell(hits, rule, column)
        distinct = f"SELECT rule, count(DISTINCT source_row) FROM {hits} GROUP BY rule"
        for rule, rows in self._db.execute(distinct).fetchall():
            self.rows[rule].rows += rows

    def _tell(self, hits: str, rule: str, column: str) -> None:
        if self._found is None:
            return
        where = f'{hits} WHERE rule = ? AND "column" = ?'
        rows = self._db.execute(f"SELECT source_row AS r FROM {where} ORDER BY r", [rule, column]).fetchnumpy()["r"]
        self._found.count(rule, Severity.MEDIUM, column, rows)
        kept = (
            f"SELECT source_row, reason FROM {where} ORDER BY source_row, place LIMIT {max(self._found.room(rule), 0)}"
        )
        self._found.keep(
            RowIssue(row_index=row, column=column, issue_type=rule, severity=Severity.MEDIUM, message=reason)
            for row, reason in self._db.execute(kept, [rule, column]).fetchall()
        )

    def _one(self, query: str) -> int:
        return int(self._db.execute(query).fetchall()[0][0])


def _shown(column: str, cell: str | None) -> str | None:
    return display(column, cell) if cell else cell
