"""What a customer gets beside the cleaned file: the log of every change, the rows set aside, and what undoes it all."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from transformers.cells.kinds import literal
from transformers.cells.spreadsheet_text import write_csv
from transformers.cleaning.manifest import StageFiles
from transformers.cleaning.removals import why_columns
from transformers.cleaning.restoring import FILES, FINAL_TABLE, ORIGINAL, Original
from transformers.cleaning.windows import from_parquet
from transformers.tables import SOURCE_ROW, quoted
from transformers.tool import AgentFile

if TYPE_CHECKING:
    import duckdb

CSV_ROWS = 1_000_000  # a spreadsheet opens no more
CSV, PARQUET, ZIP = "text/csv; charset=utf-8", "application/vnd.apache.parquet", "application/zip"
QUARANTINE = "quarantine-agent"  # leaves a file of its own
EPOCH = (1980, 1, 1, 0, 0, 0)  # a ZIP archive's first day: no clock, the same bytes


def change_log(db: "duckdb.DuckDBPyConnection", stages: Sequence[StageFiles], folder: Path) -> AgentFile | None:
    """All changed cells, agent by agent, in the order of the file; as CSV where a spreadsheet can open it."""
    logs = [(stage.manifest.agent_id, stage.change_log) for stage in stages if stage.change_log]
    if not logs:
        return None
    every = " UNION ALL ".join(f"SELECT {literal(agent)} AS agent, * FROM {from_parquet(path)}" for agent, path in logs)
    total = sum(stage.manifest.cells_changed for stage in stages)
    kind = "csv" if total <= CSV_ROWS else "parquet"
    path = folder / f"change_log.{kind}"
    if kind == "csv":
        write_csv(db, every, path)
    else:
        db.execute(f"COPY ({every}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)")
    return AgentFile(name=path.name, path=path, content_type=CSV if kind == "csv" else PARQUET, kind="change_log")


def set_aside_rows(db: "duckdb.DuckDBPyConnection", stages: Sequence[StageFiles], folder: Path) -> AgentFile | None:
    """The rows that other agents than the quarantine set aside, with the reason and the row that stays instead."""
    every = [_rows_of(stage) for stage in stages if stage.set_aside and stage.manifest.agent_id != QUARANTINE]
    if not every:
        return None
    path = folder / "set_aside_rows.csv"
    rows = f"SELECT * FROM ({' UNION ALL BY NAME '.join(every)})"
    write_csv(db, rows, path)
    return AgentFile(name=path.name, path=path, content_type=CSV, kind="set_aside_rows")


def _rows_of(stage: StageFiles) -> str:
    assert stage.set_aside is not None
    columns = list(stage.manifest.columns_before)
    why = why_columns(columns)
    taken = {name.casefold() for name in columns}
    said = {"source_row": SOURCE_ROW, "set_aside_by": why["agent"], "set_aside_rule": why["rule"]}
    said |= {"set_aside_reason": why["reason"], "kept_row": why["kept_row"]}
    parts = [f"CAST({quoted(value)} AS VARCHAR) AS {quoted(_free(name, taken))}" for name, value in said.items()]
    parts += [f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in columns]
    return f"SELECT {', '.join(parts)} FROM {from_parquet(stage.set_aside)}"


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def undo_archive(original: Original, stages: Sequence[StageFiles], recipe: Sequence[Path], folder: Path) -> AgentFile:
    """The final table, every stage's log, rows set aside and manifest, and the recipe of the bytes: see `restore`."""
    path = folder / "undo.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:  # Parquet is compressed already
        for number, stage in enumerate(stages, start=1):
            place = f"{number:02}-{stage.manifest.agent_id}"
            archive.writestr(_entry(f"{place}/manifest.json"), stage.manifest.model_dump_json(indent=2))
            for name, file in (
                (FILES["change_log"], stage.change_log),
                (FILES["set_aside"], stage.set_aside),
                (FILES["dropped"], stage.dropped),
            ):
                if file:
                    _add(archive, f"{place}/{name}", file)
        archive.writestr(_entry(ORIGINAL), original.without_paths().model_dump_json(indent=2))
        _add(archive, FINAL_TABLE, original.final.path)
        for file in recipe:
            _add(archive, f"source/{file.name}", file)
    return AgentFile(name=path.name, path=path, content_type=ZIP, kind="recipe")


def _add(archive: zipfile.ZipFile, name: str, file: Path) -> None:
    with file.open("rb") as source, archive.open(_entry(name), "w", force_zip64=True) as target:
        while chunk := source.read(2**20):
            target.write(chunk)


def _entry(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, EPOCH)
