"""The way back: the table as intake read it, from the last table and what each stage logged and set aside.

One window at a time goes through all stages backwards: earlier cells from the change log (the first of a cell's steps
says what was there), earlier types, dropped columns, rows set aside.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from transformers.cells.kinds import literal
from transformers.cleaning.manifest import StageFiles
from transformers.cleaning.steps import mark_for
from transformers.cleaning.windows import Window, from_parquet, windows_over
from transformers.intake.writing import RowGroupSink
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb


def rebuild_original(db: "duckdb.DuckDBPyConnection", final: Table, stages: Sequence[StageFiles], path: Path) -> Table:
    """Writes `path`: cell for cell and row for row the table that the first stage found.

    `db` is any bounded DuckDB (`context.database()`).
    """
    with ExitStack() as files:
        sink: RowGroupSink | None = None
        for _, relation in rebuilt_windows(db, final, stages):
            found = db.sql(f"SELECT * FROM {relation} ORDER BY {quoted(SOURCE_ROW)}").to_arrow_table()
            sink = sink or files.enter_context(RowGroupSink(path, found.schema))
            for batch in found.combine_chunks().to_batches():
                sink.write(batch)
    assert sink is not None
    columns = tuple(stages[0].manifest.columns_before) if stages else final.columns
    known = {"path": path, "rows": sink.rows, "columns": columns, "size_bytes": path.stat().st_size}
    return final.model_copy(update=known)


def rebuilt_windows(
    db: "duckdb.DuckDBPyConnection", final: Table, stages: Sequence[StageFiles], beside: Sequence[Path] = ()
) -> Iterator[tuple[Window, str]]:
    """(window, the relation that holds its rows as they were), in order. Windows also cover the files `beside`."""
    changed = [stage for stage in stages if stage.manifest.changed]
    aside = [stage.set_aside for stage in changed if stage.set_aside]
    for window in windows_over([final.path, *aside, *beside]):
        db.execute(
            f"CREATE OR REPLACE TEMP TABLE undo_0 AS SELECT * FROM {from_parquet(final.path)} WHERE {window.holds}"
        )
        for number, stage in enumerate(reversed(changed), start=1):
            query = _before(stage, f"undo_{number - 1}", window)
            db.execute(f"CREATE OR REPLACE TEMP TABLE undo_{number} AS {query}")
            db.execute(f"DROP TABLE undo_{number - 1}")
        yield window, f"undo_{len(changed)}"


def _before(stage: StageFiles, after: str, window: Window) -> str:
    """SQL: the window's rows as the stage found them."""
    manifest = stage.manifest
    logged = sorted({column for columns in manifest.cells_by_rule.values() for column in columns})
    mark = mark_for(list(manifest.columns_before))
    source = after
    if stage.change_log and logged:
        olds = _first_olds(stage.change_log, logged, mark, window)
        source = f"{source} LEFT JOIN ({olds}) ON {quoted(SOURCE_ROW)} = {quoted(mark)}"
    if stage.dropped:
        dropped = f"(SELECT * FROM {from_parquet(stage.dropped)} WHERE {window.holds})"
        source = f"{source} LEFT JOIN {dropped} USING ({quoted(SOURCE_ROW)})"
    cells = ", ".join(_cell(stage, name, logged, mark) for name in manifest.columns_before)
    query = f"SELECT {cells}{', ' if cells else ''}{quoted(SOURCE_ROW)} FROM {source}"
    if stage.set_aside is None:
        return query
    names = ", ".join(quoted(name) for name in [*manifest.columns_before, SOURCE_ROW])
    return f"{query} UNION ALL SELECT {names} FROM {from_parquet(stage.set_aside)} WHERE {window.holds}"


def _cell(stage: StageFiles, name: str, logged: Sequence[str], mark: str) -> str:
    before, after = stage.manifest.columns_before[name], stage.manifest.columns_after.get(name)
    value = quoted(name)
    if after not in (None, before):  # by way of its text, which the change of type has left as it was
        value = f"CAST(CAST({value} AS VARCHAR) AS {before})"
    if name in logged:
        place = logged.index(name)
        old = f"CAST({quoted(f'{mark}old_{place}')} AS {before})"
        value = f"CASE WHEN {quoted(f'{mark}was_{place}')} THEN {old} ELSE {value} END"
    return f"{value} AS {quoted(name)}"


def _first_olds(log: Path, logged: Sequence[str], mark: str, window: Window) -> str:
    """One line a row: for each logged column whether it was changed, and what it was."""
    within = window.holds.replace(quoted(SOURCE_ROW), "source_row")
    parts = ", ".join(
        f'bool_or("column" = {literal(name)}) AS {quoted(f"{mark}was_{place}")},'
        f' min(old) FILTER ("column" = {literal(name)}) AS {quoted(f"{mark}old_{place}")}'
        for place, name in enumerate(logged)
    )
    first = '(PARTITION BY source_row, "column" ORDER BY step) = 1'
    olds = f'SELECT source_row, "column", old FROM {from_parquet(log)} WHERE {within} QUALIFY row_number() OVER {first}'
    return f"SELECT source_row AS {quoted(mark)}, {parts} FROM ({olds}) GROUP BY source_row"
