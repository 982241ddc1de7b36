"""What a plan found and leaves as it is: counted in full, the first cells of each rule kept for the report."""

from collections import Counter
from collections.abc import Sequence

from transformers.cells.values import chunks
from transformers.cleaning.rules import FlaggedCells, FlagRule, Plan, Work
from transformers.findings import RowIssue
from transformers.risk.personal_fields import display
from transformers.row_findings import CellCheck, RowFindings
from transformers.tables import quoted

CONDITIONS_A_QUERY = 100


def note_flags(work: Work, plan: Plan, rows: RowFindings) -> dict[str, int]:
    """Cells flagged by each rule."""
    counts = Counter[str]()
    checks = _checks(work, [flag for flag in plan.flags if isinstance(flag, FlagRule)])
    rows.find(work.db, work.table, checks)
    for check in checks:
        counts[check.kind] += check.count
    for flag in plan.flags:
        if isinstance(flag, FlaggedCells):
            counts[flag.rule] += _note_cells(work, flag, rows)
    return {rule: count for rule, count in sorted(counts.items()) if count}


def _checks(work: Work, rules: Sequence[FlagRule]) -> list[CellCheck]:
    checks = []
    for some in chunks(rules, CONDITIONS_A_QUERY):
        counts = ", ".join(f"count(*) FILTER ({rule.condition})" for rule in some)
        [found] = work.db.execute(f'SELECT {counts} FROM "primary"').fetchall()
        checks += [_check(rule, count) for rule, count in zip(some, found, strict=True) if count]
    return checks


def _check(rule: FlagRule, count: int) -> CellCheck:
    return CellCheck(
        kind=rule.rule,
        severity=rule.severity,
        column=rule.column,
        condition=f"coalesce({rule.condition}, false)",
        cell=f"CAST({quoted(rule.column)} AS VARCHAR)" if rule.column else "''",
        count=count,
        message=rule.message,
    )


def _note_cells(work: Work, flag: FlaggedCells, rows: RowFindings) -> int:
    work.db.execute(f"CREATE OR REPLACE TEMP TABLE flagged_cells AS SELECT * FROM ({flag.relation})")
    total = 0
    for (column,) in work.db.execute('SELECT DISTINCT "column" FROM flagged_cells ORDER BY 1').fetchall():
        where = 'flagged_cells WHERE "column" = ?'
        found = work.db.execute(f"SELECT source_row AS r FROM {where} ORDER BY r", [column]).fetchnumpy()["r"]
        rows.count(flag.rule, flag.severity, column, found)
        total += len(found)
        kept = (
            f"SELECT source_row, value, message FROM {where} ORDER BY source_row LIMIT {max(rows.room(flag.rule), 0)}"
        )
        rows.keep(
            RowIssue(
                row_index=row,
                column=column,
                issue_type=flag.rule,
                severity=flag.severity,
                message=message,
                value=display(column, value[:200]) if value else None,
            )
            for row, value, message in work.db.execute(kept, [column]).fetchall()
        )
    return total
