import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from random_chains import run_chain
from typer.testing import CliRunner
from workshop import Workshop

from backend.cli import app
from backend.errors import BadParameters, UnreadableFile
from transformers.agents.cleanse_writeback import AGENT
from transformers.cleaning.restoring import restore
from transformers.intake import read_table
from transformers.tables import Table
from transformers.tool import PRIMARY, TABULAR

CHAIN = [(("trim", 1), ("by_condition", 2)), (("edit", 0), ("by_number", 1), ("drop", 1))]
ORDERS = b'\xef\xbb\xbfa;b;c\r\n1; x;"p;q"\r\n\r\n2;y;r\r\n3;"z";\r\nbroken\r\n4;w;s'


def undo_zip(workshop: Workshop, table: Table, source: Path | None) -> Path:
    final, earlier = run_chain(workshop.folder, table, CHAIN)
    found = workshop.deliver(AGENT, final, original=table, source=source, earlier=tuple(earlier)).file("recipe")
    assert found is not None
    return found


def sent(workshop: Workshop, name: str, content: bytes) -> tuple[Path, Table]:
    source, folder = workshop.folder / name, workshop.folder / "intake"
    source.write_bytes(content)
    folder.mkdir()
    return source, read_table(source, role=PRIMARY, name=name, accepted=TABULAR, folder=folder)


def test_the_archive_alone_gives_the_text_byte_for_byte(workshop: Workshop, tmp_path: Path) -> None:
    source, table = sent(workshop, "orders.csv", ORDERS)
    archive, target = undo_zip(workshop, table, source), tmp_path / "back.csv"
    table.path.unlink()
    source.unlink()
    said = CliRunner().invoke(app, ["undo", str(archive), str(target)])
    assert said.exit_code == 0, said.output
    assert "byte for byte" in said.output
    assert target.read_bytes() == ORDERS


def test_of_other_formats_the_table_comes_back(workshop: Workshop, tmp_path: Path) -> None:
    data = pa.table(
        {
            "n": pa.array([1, None, 3], pa.int32()),
            "s": [" x", "y ", None],
            "at": pa.array([datetime(2024, 1, 1, tzinfo=UTC), None, None], pa.timestamp("us")),
            "price": pa.array([Decimal("1.10"), None, Decimal("2.00")], pa.decimal128(12, 2)),
            "f": [0.1, float("nan"), None],
        }
    )
    table = workshop.table(data, format="parquet", name="data.parquet")
    restore(undo_zip(workshop, table, None), tmp_path / "back.parquet")
    back = pq.read_table(tmp_path / "back.parquet")
    assert back.column_names == data.column_names
    assert str(back.to_pylist()) == str(data.to_pylist())


def test_json_comes_back_as_its_table(workshop: Workshop, tmp_path: Path) -> None:
    source, table = sent(workshop, "items.jsonl", b'{"a": 1, "b": " x", "c": 1}\n{"a": 2, "b": "y"}\n')
    restore(undo_zip(workshop, table, source), tmp_path / "back.parquet")
    assert pq.read_table(tmp_path / "back.parquet").to_pylist() == [
        {"a": "1", "b": " x", "c": "1"},
        {"a": "2", "b": "y", "c": None},
    ]


def test_a_target_that_is_there_stays_as_it_is(workshop: Workshop, tmp_path: Path) -> None:
    target = tmp_path / "mine.csv"
    target.write_text("mine")
    with pytest.raises(BadParameters, match="is there already"):
        restore(tmp_path / "undo.zip", target)


@pytest.mark.parametrize("content", [b"no archive", b""])
def test_what_is_no_undo_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "undo.zip").write_bytes(content)
    with pytest.raises(UnreadableFile):
        restore(tmp_path / "undo.zip", tmp_path / "back.csv")


@pytest.mark.parametrize("name", ["orders.csv", "items.jsonl"])
def test_nothing_is_written_where_something_else_would_come_back(workshop: Workshop, tmp_path: Path, name: str) -> None:
    content = ORDERS if name.endswith("csv") else b'{"a": 1, "b": " x", "c": 1}\n{"a": 2, "b": "y", "c": 2}\n'
    source, table = sent(workshop, name, content)
    archive, other = undo_zip(workshop, table, source), tmp_path / "other.zip"
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(other, "w") as new:
        for entry in old.namelist():
            if not entry.endswith("dropped-columns.parquet"):
                new.writestr(entry, old.read(entry))
            else:
                (tmp_path / "d.parquet").write_bytes(old.read(entry))
                dropped = pq.read_table(tmp_path / "d.parquet")
                spoilt = dropped.set_column(0, dropped.column_names[0], pa.array(["?"] * dropped.num_rows))
                pq.write_table(spoilt, tmp_path / "d.parquet")
                new.write(tmp_path / "d.parquet", entry)
    with pytest.raises(UnreadableFile, match="not what was sent"):
        restore(other, tmp_path / "back")
    assert not (tmp_path / "back").exists()
