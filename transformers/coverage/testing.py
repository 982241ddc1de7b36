"""The rules put to the cells: how many each is broken by, and in which rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transformers.cells.columns import Column
from transformers.cells.values import chunks
from transformers.coverage.rules import CoverageRule, Kind
from transformers.findings import RowIssue, Severity
from transformers.risk.personal_fields import display
from transformers.row_findings import CellCheck, RowFindings
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

RULES_A_QUERY = 100
BROKEN = {Kind.UNIQUENESS: "not_unique", Kind.RANGE: "out_of_range", Kind.FORMAT: "bad_format"}


@dataclass(frozen=True)
class Tested:
    rule: CoverageRule
    cells: int
    failed: int

    @property
    def passed_share(self) -> float:
        return 1 - self.failed / self.cells if self.cells else 1.0

    @property
    def severity(self) -> Severity:
        """A given rule is the customer's word; a discovered one is a guess."""
        return Severity.MEDIUM if self.rule.given else Severity.LOW


def tested(
    db: "duckdb.DuckDBPyConnection", table: Table, rules: Sequence[CoverageRule], rows: RowFindings
) -> list[Tested]:
    """In the order of the rules; every failing row is noted in `rows`."""
    by_cell = [rule for rule in rules if rule.kind is not Kind.UNIQUENESS]
    failed = dict(zip(by_cell, _counts(db, by_cell), strict=True))
    rows.find(db, table, [_check(Tested(rule, rule.column.present, n)) for rule, n in failed.items() if n])
    for rule in rules:
        if rule.kind is Kind.UNIQUENESS:
            failed[rule] = _repeats(db, rule, rows)
    return [Tested(rule, rule.column.present, failed[rule]) for rule in rules]


def _counts(db: "duckdb.DuckDBPyConnection", rules: Sequence[CoverageRule]) -> list[int]:
    found: list[int] = []
    for some in chunks(rules, RULES_A_QUERY):
        asked = ", ".join(f"count(*) FILTER ({rule.broken})" for rule in some)
        [row] = db.execute(f'SELECT {asked} FROM "primary"').fetchall()
        found += row
    return found


def _check(one: Tested) -> CellCheck:
    rule, column = one.rule, one.rule.column
    message = f"Breaks the {'given' if rule.given else 'discovered'} rule: {rule.says}."
    broken = f"coalesce({rule.broken}, false)"
    return CellCheck(BROKEN[rule.kind], one.severity, column.name, broken, column.cell, one.failed, message)


def _repeats(db: "duckdb.DuckDBPyConnection", rule: CoverageRule, rows: RowFindings) -> int:
    """Rows whose value an earlier row has. Only values whose hash occurs twice are compared in full."""
    column, row = rule.column, quoted(SOURCE_ROW)
    cells = f'SELECT {row} AS r, {column.cell} AS v FROM "primary" WHERE NOT {column.is_missing}'
    twice = f"SELECT hash(v) AS h FROM ({cells}) GROUP BY h HAVING count(*) > 1"
    db.execute(f"CREATE OR REPLACE TEMP TABLE coverage_twice AS {twice}")
    again = f"({cells}) WHERE hash(v) IN (SELECT h FROM coverage_twice)"
    alike = f"SELECT r, v, min(r) OVER (PARTITION BY v) AS first FROM {again}"
    db.execute(f"CREATE OR REPLACE TEMP TABLE coverage_repeats AS SELECT r, v, first FROM ({alike}) WHERE r > first")
    found: Any = db.execute("SELECT r FROM coverage_repeats ORDER BY r").fetchnumpy()["r"]
    severity = Severity.MEDIUM if rule.given else Severity.LOW
    kind = BROKEN[rule.kind]
    rows.count(kind, severity, column.name, found)
    kept = f"SELECT r, left(v, 200), first FROM coverage_repeats ORDER BY r LIMIT {max(rows.room(kind), 0)}"
    rows.keep(_repeat(column, kind, severity, *one) for one in db.execute(kept).fetchall())
    db.execute("DROP TABLE coverage_repeats")
    return len(found)


def _repeat(column: Column, kind: str, severity: Severity, row: int, value: str, first: int) -> RowIssue:  # noqa: PLR0917  a row of the query
    return RowIssue(
        row_index=row,
        column=column.name,
        issue_type=kind,
        severity=severity,
        message=f"Repeats the value of row {first}.",
        value=display(column.name, value),
    )
