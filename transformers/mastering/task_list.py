"""The stewards' list: every task as a line of CSV, the most pressing first, a stretch of lines at a time.

Sorted are the numbers that the order goes by, not the texts; the place in what is sorted is the task's priority.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from shutil import copyfileobj
from typing import TYPE_CHECKING

from transformers.cells.kinds import literal
from transformers.cells.spreadsheet_text import write_csv
from transformers.mastering.ordered_files import stretches
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

LINES_A_STRETCH = 200_000  # about 40 MB of them; every stretch looks through all tasks once


def write_tasks(
    db: "duckdb.DuckDBPyConnection", table: Table, path: Path, weights: Mapping[str, float], record_id: str | None
) -> int:
    """By the weight of the severity, then by how much else the record has. Expects `told_tasks`; gives their number."""
    _put_in_order(db, weights)
    [(tasks,)] = db.execute("SELECT count(*) FROM task_order").fetchall()
    part = path.with_suffix(".part")
    with path.open("wb") as whole:
        for above, upto in stretches(int(tasks), LINES_A_STRETCH):
            lines = _lines(table, weights, record_id, (above, upto))
            write_csv(db, lines, part, header=not above)
            with part.open("rb") as written:
                copyfileobj(written, whole)
    part.unlink()
    return int(tasks)


def _put_in_order(db: "duckdb.DuckDBPyConnection", weights: Mapping[str, float]) -> None:
    """`task_order(task, record)`, whose row numbers are the priorities less one."""
    severities = [name for (name,) in db.execute("SELECT DISTINCT severity FROM steward_origins ORDER BY 1").fetchall()]
    # counted before they are weighed: a sum of fractions depends on its order
    parts = [
        f"count(*) FILTER (severity = {literal(name)}) * {weights.get(name, 0.0)!r}::DOUBLE" for name in severities
    ]
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE task_burdens AS SELECT record, {' + '.join(parts) or '0.0'} AS burden"
        " FROM told_tasks GROUP BY record"
    )
    kinds = db.execute("SELECT DISTINCT kind FROM steward_origins ORDER BY 1").fetchall()
    columns = db.execute('SELECT DISTINCT "column" FROM steward_tasks WHERE "column" IS NOT NULL ORDER BY 1').fetchall()
    place, order = _place("kind", kinds), _place('"column"', columns)
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE task_order AS SELECT task, record FROM (SELECT task, t.record, other,"
        f" {_weight(weights)} AS weight, burden, {place} AS of_kind, {order} AS of_column"
        " FROM told_tasks t JOIN task_burdens b ON b.record = t.record)"
        " ORDER BY weight DESC, burden DESC, record, of_kind, of_column, other, task"
    )
    db.execute("DROP TABLE task_burdens")


def _place(name: str, ordered: Iterable[tuple[str]]) -> str:
    listed = ", ".join(literal(one) for (one,) in ordered)
    return f"list_position([{listed}]::VARCHAR[], {name})"


def _weight(weights: Mapping[str, float]) -> str:
    weighed = " ".join(f"WHEN {literal(name)} THEN {float(weight)!r}" for name, weight in sorted(weights.items()))
    return f"CASE severity {weighed} ELSE 0.0 END"


def _lines(table: Table, weights: Mapping[str, float], record_id: str | None, stretch: tuple[int, int]) -> str:
    above, upto = stretch
    name = f"CAST({quoted(record_id)} AS VARCHAR)" if record_id else "NULL"
    names = f"SELECT {quoted(SOURCE_ROW)} AS r, {name} AS name FROM {quoted(table.role)}"
    here = f"SELECT rowid AS place, task, record FROM task_order WHERE rowid >= {above} AND rowid < {upto}"
    return (
        f"SELECT o.place + 1 AS priority, kind, severity, {_weight(weights)} AS weight, name AS record_id,"
        ' t.record AS source_row, other AS other_row, "column", value, message, action'
        f" FROM ({here}) o JOIN told_tasks t ON t.task = o.task"
        f" LEFT JOIN ({names}) i ON i.r = o.record ORDER BY priority"
    )
