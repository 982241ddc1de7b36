"""A plan carried out, window by window: the next table, the log of every changed cell, the rows set aside.

Written by the one hand for previews and runs. What is held at a time is one window of the table; rows keep their
number and their order, columns their order.
"""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers.cleaning import removals
from transformers.cleaning.counting import Tally
from transformers.cleaning.effect import has_effect, holds_floats, retypes
from transformers.cleaning.rules import CHANGE_LOG, DROPPED, SET_ASIDE, Applied, Plan, Work
from transformers.cleaning.steps import CellStep, left, logged, staged, steps_of
from transformers.cleaning.windows import Window, from_parquet, windows_over
from transformers.intake.writing import RowGroupSink
from transformers.row_findings import RowFindings
from transformers.tables import SOURCE_ROW, Table, quoted
from transformers.tool import AgentFile

if TYPE_CHECKING:
    import duckdb

PARQUET = "application/vnd.apache.parquet"
BASE, NEXT, LOG = "apply_base", "apply_next", "apply_log"


def apply(
    work: Work,
    plan: Plan,
    agent_id: str,
    rows: RowFindings | None = None,
    report_progress: Callable[[float], None] = lambda _fraction: None,
) -> Applied:
    """Carry the plan out into `work.scratch`; `rows` is told of each row that is set aside."""
    tally = Tally(work.db, rows)
    if not plan.changes_something:
        report_progress(1.0)
        return _applied(work, plan, tally, {}, {})
    run = _Run(work, plan, agent_id, tally)
    if not run.has_effect:
        report_progress(1.0)
        return _applied(work, plan, tally, {}, {})
    with ExitStack() as open_files:
        run.open_files = open_files
        windows = windows_over([work.table.path])
        for done, window in enumerate(windows, start=1):
            run.window(window)
            report_progress(done / len(windows))
    return _applied(work, plan, tally, run.paths, run.rows_written)


class _Run:
    """One plan on its way through the windows. A log is there only if it has rows, what has columns always."""

    open_files: ExitStack

    def __init__(self, work: Work, plan: Plan, agent_id: str, tally: Tally) -> None:
        self._work, self._plan, self._agent_id, self._tally = work, plan, agent_id, tally
        self._steps: tuple[CellStep, ...] = steps_of(work, plan)
        dropped = {drop.column for drop in plan.drops}
        self._dropped = [name for name in work.table.columns if name in dropped]
        self._kept = [name for name in work.table.columns if name not in dropped]
        self._sinks: dict[str, RowGroupSink] = {}
        self.paths: dict[str, Path] = {}
        removals.gather(work, plan)

    @property
    def has_effect(self) -> bool:
        return has_effect(self._work, self._plan, self._steps)

    @property
    def rows_written(self) -> dict[str, int]:
        return {kind: sink.rows for kind, sink in self._sinks.items()}

    def window(self, window: Window) -> None:
        db, read = self._work.db, f'SELECT * FROM "primary" WHERE {window.holds}'
        source = f"({read})"
        if self._plan.rows or holds_floats(self._work):
            db.execute(f"CREATE OR REPLACE TEMP TABLE {BASE} AS {read}")
            source = BASE
        if self._plan.rows:
            removals.hit(self._work, self._plan, BASE, window)
            self._tally.rows_hit(removals.HITS)
            self._write(SET_ASIDE, removals.set_aside(self._work.table.columns, self._agent_id, BASE))
            source = removals.remaining(BASE)
        if self._steps:
            db.execute(f"CREATE OR REPLACE TEMP TABLE {NEXT} AS {staged(source, self._steps, window.holds)}")
            source = NEXT
            self._log()
        in_order = f"ORDER BY {quoted(SOURCE_ROW)}"
        self._write("table", f"SELECT {left(self._kept, self._steps)} FROM {source} {in_order}", always=True)
        if self._dropped:
            self._write(DROPPED, f"SELECT {left(self._dropped, ())} FROM {source} {in_order}", always=True)

    def _log(self) -> None:
        db = self._work.db
        for number, query in enumerate(logged(NEXT, self._steps)):
            db.execute(f"INSERT INTO {LOG} {query}" if number else f"CREATE OR REPLACE TEMP TABLE {LOG} AS {query}")
        self._tally.cells_changed(LOG)
        self._write(
            CHANGE_LOG,
            f'SELECT r AS source_row, step, "column", old, new, rule, confidence FROM {LOG} ORDER BY r, place, step',
        )

    def _write(self, kind: str, query: str, *, always: bool = False) -> None:
        found = _arrow(self._work.db, query)
        if kind not in self._sinks and (always or found.num_rows):
            self.paths[kind] = self._work.scratch / _name(kind, self._agent_id)
            self._sinks[kind] = self.open_files.enter_context(RowGroupSink(self.paths[kind], found.schema))
        if found.num_rows:
            for batch in found.combine_chunks().to_batches():
                self._sinks[kind].write(batch)


def _name(kind: str, agent_id: str) -> str:
    names = {CHANGE_LOG: "changes", SET_ASIDE: "set-aside", DROPPED: "dropped-columns", "table": "table"}
    return f"{names[kind]}-{agent_id}.parquet"


def _arrow(db: "duckdb.DuckDBPyConnection", query: str) -> Any:
    return db.sql(query).to_arrow_table()


def _applied(work: Work, plan: Plan, tally: Tally, paths: dict[str, Path], written: dict[str, int]) -> Applied:
    changed = bool(tally.cells or tally.rows_hit_in_all or plan.drops) or retypes(work, plan)
    if not changed and "table" in paths:
        paths["table"].unlink()
    table = _next_table(work, plan, paths["table"], written["table"]) if changed else work.table
    return Applied(
        table=table,
        changed=changed,
        rows_before=work.table.rows,
        types_before=dict(work.types),
        types_after=_types_of(work, table) if changed else dict(work.types),
        cells=tally.cells,
        rows=tally.rows,
        drops=plan.drops,
        rows_changed=tally.rows_changed,
        rows_set_aside=tally.rows_hit_in_all,
        examples=tally.examples,
        files=tuple(
            AgentFile(name=path.name, path=path, content_type=PARQUET, kind=kind, is_output=False)
            for kind, path in paths.items()
            if kind != "table"
        ),
    )


def _next_table(work: Work, plan: Plan, path: Path, rows: int) -> Table:
    dropped = {drop.column for drop in plan.drops}
    columns = tuple(name for name in work.table.columns if name not in dropped)
    known = {"path": path, "rows": rows, "columns": columns, "size_bytes": path.stat().st_size}
    return work.table.model_copy(update=known)


def _types_of(work: Work, table: Table) -> dict[str, str]:
    """As they come out of the file: the next stage's `types`."""
    described = work.db.execute(f"DESCRIBE SELECT * FROM {from_parquet(table.path)}").fetchall()
    types = {name: str(kind) for name, kind, *_ in described}
    return {name: types[name] for name in table.columns}
