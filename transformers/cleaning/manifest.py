"""A stage's manifest: what it was told, what it did, and which of its files take it back."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from transformers.cleaning.rules import CHANGE_LOG, DROPPED, MANIFEST, SET_ASIDE, Applied, Stage
from transformers.tool import AgentFile, AgentParameters, Delivery


class Manifest(BaseModel):
    """JSON for machines. Columns are listed in order, by their DuckDB type; files by kind."""

    model_config = ConfigDict(frozen=True)

    agent_id: str
    version: int
    parameters: dict[str, Any]
    changed: bool
    rows_before: int
    rows_after: int
    rows_set_aside: int
    rows_changed: int
    cells_changed: int
    columns_before: dict[str, str]
    columns_after: dict[str, str]
    dropped_columns: dict[str, str]  # why
    cells_by_rule: dict[str, dict[str, int]]  # by column
    rows_by_rule: dict[str, int]
    files: dict[str, str]


class StageFiles(BaseModel):
    """What it takes to undo one stage."""

    model_config = ConfigDict(frozen=True)

    manifest: Manifest
    change_log: Path | None = None
    set_aside: Path | None = None
    dropped: Path | None = None


def manifest_of(stage: Stage, form: AgentParameters, applied: Applied) -> Manifest:
    return Manifest(
        agent_id=stage.agent_id,
        version=stage.version,
        parameters=form.model_dump(mode="json"),
        changed=applied.changed,
        rows_before=applied.rows_before,
        rows_after=applied.table.rows,
        rows_set_aside=applied.rows_set_aside,
        rows_changed=applied.rows_changed,
        cells_changed=applied.cells_changed,
        columns_before=applied.types_before,
        columns_after=applied.types_after,
        dropped_columns={drop.column: drop.reason for drop in applied.drops},
        cells_by_rule={rule: count.columns for rule, count in sorted(applied.cells.items())},
        rows_by_rule={rule: count.rows for rule, count in sorted(applied.rows.items())},
        files={file.kind: file.name for file in applied.files},
    )


def written(manifest: Manifest, folder: Path) -> AgentFile:
    path = folder / f"manifest-{manifest.agent_id}.json"
    path.write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return AgentFile(name=path.name, path=path, content_type="application/json", kind=MANIFEST, is_output=False)


def stages_done(deliveries: Iterable[Delivery]) -> list[StageFiles]:
    """The stages among what the earlier agents delivered, in running order."""
    return [
        StageFiles(
            manifest=Manifest.model_validate_json(path.read_bytes()),
            change_log=delivery.file(CHANGE_LOG),
            set_aside=delivery.file(SET_ASIDE),
            dropped=delivery.file(DROPPED),
        )
        for delivery in deliveries
        if (path := delivery.file(MANIFEST)) is not None
    ]
