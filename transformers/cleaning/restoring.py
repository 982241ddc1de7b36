"""undo.zip and the way back from it: the archive alone gives the customer's file, or its table, and proves it.

The archive holds the final table, every stage's log and rows set aside, and `source/original.json`. Delimited text
comes back byte for byte by its recipe; of other formats the table comes back, as Parquet, proven by a digest.
"""

import hashlib
import re
import shutil
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from backend.errors import BadParameters, UnreadableFile
from transformers.cleaning.manifest import Manifest, StageFiles
from transformers.cleaning.undo import rebuild_original
from transformers.cleaning.windows import from_parquet
from transformers.intake.recipe import RecipeMismatchError, rebuild_bytes
from transformers.intake.writing import RowGroupSink
from transformers.tables import SOURCE_ROW, Table, database_over, quoted

if TYPE_CHECKING:
    import duckdb

FINAL_TABLE, ORIGINAL = "final/table.parquet", "source/original.json"
FILES = {"change_log": "changes.parquet", "set_aside": "set-aside.parquet", "dropped": "dropped-columns.parquet"}
STAGE = re.compile(r"[0-9]{2}-.+")
MEMORY = 256 * 2**20
DIGESTED_ROWS = 20_000


class Original(BaseModel):
    """What undo.zip says of the table that intake read; `sha256` is of its cells, where there is no recipe."""

    model_config = ConfigDict(frozen=True)

    table: Table
    final: Table
    sha256: str | None = None

    def without_paths(self) -> "Original":
        """A worker's folders are nobody's business, and differ from run to run."""
        bare = {"path": Path(), "rejects_path": None}
        return self.model_copy(
            update={"table": self.table.model_copy(update=bare), "final": self.final.model_copy(update=bare)}
        )


def digest_of(db: "duckdb.DuckDBPyConnection", path: Path, columns: tuple[str, ...]) -> str:
    """Over every cell and row number in order, whatever the file's row groups and compression are."""
    cells = ", ".join(map(quoted, [*columns, SOURCE_ROW]))
    rows = db.sql(f"SELECT sha256(CAST(to_json(row({cells})) AS VARCHAR)) AS h FROM {from_parquet(path)}")
    found = hashlib.sha256("\0".join(columns).encode())
    for batch in rows.to_arrow_reader(DIGESTED_ROWS):
        found.update("".join(batch["h"].to_pylist()).encode())
    return found.hexdigest()


def restore(archive: Path, target: Path) -> str:
    """Writes `target` from undo.zip, and says what it is.

    Raises:
        BadParameters: the target is there already.
        UnreadableFile: no undo.zip, or one from which something else would come than was sent.
    """
    if target.exists():
        raise BadParameters(f"{target} is there already; nothing was written.")
    with TemporaryDirectory(dir=target.resolve().parent) as scratch:
        folder = Path(scratch)
        original = _unpacked(archive, folder)
        with database_over({}, folder, MEMORY) as db:
            final = original.final.model_copy(update={"path": folder / FINAL_TABLE})
            back = rebuild_original(db, final, _stages(folder), folder / "back.parquet")
            recipe = next(folder.glob("source/*.recipe.parquet"), None)
            made = _text(back, recipe, folder) if recipe else _table(db, back, original, folder)
        shutil.move(made, target)
    if recipe:
        return f"{target} is {original.table.name} as it was sent, byte for byte (SHA-256 checked)."
    return f"{target} is the table of {original.table.name} as it was read, as Parquet (SHA-256 of its cells checked)."


def _unpacked(archive: Path, folder: Path) -> Original:
    try:
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
        return Original.model_validate_json((folder / ORIGINAL).read_bytes())
    except (OSError, zipfile.BadZipFile, ValidationError) as error:
        raise UnreadableFile(f"{archive} is no undo.zip of clean-my-data.", detail=str(error)) from error


def _stages(folder: Path) -> list[StageFiles]:
    return [
        StageFiles(
            manifest=Manifest.model_validate_json((place / "manifest.json").read_bytes()),
            **{kind: place / name for kind, name in FILES.items() if (place / name).exists()},
        )
        for place in sorted(folder.iterdir())
        if STAGE.fullmatch(place.name)
    ]


def _text(back: Table, recipe: Path, folder: Path) -> Path:
    made = folder / "made"
    try:
        rebuild_bytes(back.path, next(folder.glob("source/*.rejects.parquet"), None), recipe, made)
    except RecipeMismatchError as error:
        raise _other() from error
    return made


def _table(db: "duckdb.DuckDBPyConnection", back: Table, original: Original, folder: Path) -> Path:
    """Without the row numbers, which are ours."""
    if digest_of(db, back.path, original.table.columns) != original.sha256:
        raise _other()
    import pyarrow.parquet as pq

    made, columns = folder / "made", list(original.table.columns)
    with pq.ParquetFile(back.path) as file, RowGroupSink(made, _bare(file.schema_arrow)) as sink:
        for batch in file.iter_batches(DIGESTED_ROWS):
            sink.write(batch.select(columns))
    return made


def _bare(schema: Any) -> Any:
    return schema.remove(schema.get_field_index(SOURCE_ROW))


def _other() -> UnreadableFile:
    return UnreadableFile("What came of the archive is not what was sent; nothing was written.")
