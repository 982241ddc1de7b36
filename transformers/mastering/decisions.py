"""What the decisions come to: counted over all of them, and the unsure ones as row-level issues."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers.findings import RowIssue, Severity
from transformers.mastering.clusters import text
from transformers.risk.personal_fields import display
from transformers.row_findings import RowFindings

if TYPE_CHECKING:
    import duckdb

UNSURE = "low_confidence_decision"
WORST = 5


@dataclass(frozen=True)
class Tally:
    decided: int
    conflicts: int
    unsure: int
    mean_confidence: float
    by_column: dict[str, dict[str, Any]]
    by_rule: dict[str, int]
    worst: tuple[str, ...]  # columns, those with the most unsure decisions first


def note_decisions(db: "duckdb.DuckDBPyConnection", path: Path, rows: RowFindings, least: float) -> Tally:
    """Count the decisions of a file, and note those below `least`."""
    source = f"read_parquet({text(path)})"
    of_columns = db.execute(
        f'SELECT "column", count(*), count(*) FILTER ("values" > 1), count(*) FILTER (confidence < {least!r}),'
        f' round(avg(confidence), 4) FROM {source} GROUP BY "column" ORDER BY 4 DESC, 1'
    ).fetchall()
    rules = db.execute(f"SELECT rule, count(*) FROM {source} GROUP BY rule ORDER BY rule").fetchall()
    [(mean,)] = db.execute(f"SELECT coalesce(round(avg(confidence), 4), 1.0) FROM {source}").fetchall()
    _note(db, source, rows, least)
    return Tally(
        decided=sum(n for _, n, *_ in of_columns),
        conflicts=sum(n for _, _, n, *_ in of_columns),
        unsure=sum(n for *_, n, _ in of_columns),
        mean_confidence=mean,
        by_column={
            name: {"decided": decided, "conflicts": conflicts, "low_confidence": unsure, "mean_confidence": sure}
            for name, decided, conflicts, unsure, sure in of_columns
        },
        by_rule=dict(rules),
        worst=tuple(name for name, _, _, unsure, _ in of_columns if unsure)[:WORST],
    )


def _note(db: "duckdb.DuckDBPyConnection", source: str, rows: RowFindings, least: float) -> None:
    """At the winning row, or the entity's first where the field stays empty."""
    at = "coalesce(source_row, cluster)"
    unsure = f"FROM {source} WHERE confidence < {least!r}"
    for (column,) in db.execute(f'SELECT DISTINCT "column" {unsure} ORDER BY 1').fetchall():
        found = db.execute(f'SELECT {at} AS r {unsure} AND "column" = ?', [column]).fetchnumpy()
        rows.count(UNSURE, Severity.MEDIUM, column, found["r"])
    first = db.execute(
        f'SELECT {at}, "column", value, rule, confidence, "values" {unsure} ORDER BY 1, 2 LIMIT {rows.room(UNSURE)}'
    ).fetchall()
    rows.keep(
        RowIssue(
            row_index=row,
            column=column,
            issue_type=UNSURE,
            severity=Severity.MEDIUM,
            message=f"Chosen among {values} values by {rule}, with a confidence of {confidence:.2f}.",
            value=None if value is None else display(column, value[:200]),
        )
        for row, column, value, rule, confidence, values in first
    )
