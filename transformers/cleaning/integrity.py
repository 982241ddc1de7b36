"""Does the chain add up? Rows counted, logs counted, and everything taken back to see that the input comes out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from transformers.cleaning.manifest import StageFiles
from transformers.cleaning.undo import rebuilt_windows
from transformers.cleaning.windows import from_parquet
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

ROW = quoted(SOURCE_ROW)


class Check(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str
    passed: bool
    message: str


def check_chain(
    db: "duckdb.DuckDBPyConnection", original: Table, final: Table, stages: Sequence[StageFiles]
) -> tuple[Check, ...]:
    return (
        _rows_add_up(db, original, final, stages),
        _stages_join(original, final, stages),
        _logs_are_whole(db, stages),
        _rows_are_in_order(db, final),
        _input_comes_back(db, original, final, stages),
    )


def _rows_add_up(db: "duckdb.DuckDBPyConnection", original: Table, final: Table, stages: Sequence[StageFiles]) -> Check:
    left = _count(db, final.path)
    aside = [(stage.manifest.agent_id, _count(db, stage.set_aside)) for stage in stages if stage.set_aside]
    parts = " + ".join([f"{left:,} cleaned", *(f"{n:,} set aside by {agent}" for agent, n in aside)])
    whole = left + sum(n for _, n in aside)
    sign = "=" if whole == original.rows else "≠"
    return Check(name="rows_add_up", passed=whole == original.rows, message=f"{parts} {sign} {original.rows:,} rows.")


def _stages_join(original: Table, final: Table, stages: Sequence[StageFiles]) -> Check:
    """Each stage found what the one before it left."""
    rows, columns, broken = original.rows, list(original.columns), []
    for stage in stages:
        manifest = stage.manifest
        if (manifest.rows_before, list(manifest.columns_before)) != (rows, columns):
            broken.append(manifest.agent_id)
        rows, columns = manifest.rows_after, list(manifest.columns_after)
    if (rows, columns) != (final.rows, list(final.columns)):
        broken.append("the final table")
    message = f"Does not follow from what was before it: {', '.join(broken)}." if broken else "Every stage follows."
    return Check(name="stages_join", passed=not broken, message=message)


def _logs_are_whole(db: "duckdb.DuckDBPyConnection", stages: Sequence[StageFiles]) -> Check:
    logged = sum(_count(db, stage.change_log) for stage in stages if stage.change_log)
    told = sum(stage.manifest.cells_changed for stage in stages)
    return Check(
        name="logs_are_whole", passed=logged == told, message=f"{logged:,} changes are logged, {told:,} were made."
    )


def _rows_are_in_order(db: "duckdb.DuckDBPyConnection", final: Table) -> Check:
    ranked = f"SELECT {ROW} AS r, lag({ROW}) OVER () AS before FROM {from_parquet(final.path)}"
    [(wrong,)] = db.execute(f"SELECT count(*) FROM ({ranked}) WHERE before >= r").fetchall()
    return Check(name="rows_are_in_order", passed=not wrong, message=f"{wrong:,} rows are out of order or repeated.")


def _input_comes_back(
    db: "duckdb.DuckDBPyConnection", original: Table, final: Table, stages: Sequence[StageFiles]
) -> Check:
    """Every cell of every row, window by window."""
    differ = " OR ".join(f"u.{name} IS DISTINCT FROM o.{name}" for name in map(quoted, original.columns)) or "false"
    wrong = 0
    for window, relation in rebuilt_windows(db, final, stages, beside=[original.path]):
        rows = f"(SELECT * FROM {from_parquet(original.path)} WHERE {window.holds})"
        joined = f"{relation} u FULL JOIN {rows} o ON u.{ROW} = o.{ROW}"
        apart = f"u.{ROW} IS NULL OR o.{ROW} IS NULL OR {differ}"
        wrong += int(db.execute(f"SELECT count(*) FROM {joined} WHERE {apart}").fetchall()[0][0])
    return Check(
        name="input_comes_back",
        passed=not wrong,
        message="Undone, the chain gives the input back, cell for cell." if not wrong else f"{wrong:,} rows differ.",
    )


def check_bytes(original: Table, recipe: Path, scratch: Path) -> Check:
    """Whether table and recipe give the customer's very bytes."""
    from transformers.intake.recipe import RecipeMismatchError, rebuild_bytes

    target = scratch / "rebuilt"
    try:
        rebuild_bytes(original.path, original.rejects_path, recipe, target)
    except RecipeMismatchError:
        return Check(name="bytes_come_back", passed=False, message="The file's bytes could not be rebuilt.")
    target.unlink()
    return Check(name="bytes_come_back", passed=True, message="The recipe gives the file back, byte for byte.")


def _count(db: "duckdb.DuckDBPyConnection", path: Path) -> int:
    return int(db.execute(f"SELECT count(*) FROM {from_parquet(path)}").fetchall()[0][0])
