import errno
import io
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from intake_reading import read

from backend.errors import UnreadableFile
from transformers.intake.writing import RowGroupSink


def parquet(columns: Any) -> bytes:
    content = io.BytesIO()
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), content)
    return content.getvalue()


def test_parquet_keeps_its_own_types(tmp_path: Path) -> None:
    row = {"i": 7, "f": 1.5, "s": "007", "d": date(2024, 1, 2), "b": True, "n": None, "m": Decimal("1.10")}
    got = read(tmp_path, parquet({name: pa.array([value] * 2) for name, value in row.items()}), "d.parquet")
    assert got.records == [row, row]
    assert got.numbers == [1, 2]


def test_nested_values_become_json_text(tmp_path: Path) -> None:
    column = pa.array([{"a": [1, None], "d": date(2024, 1, 2)}, None])
    got = read(tmp_path, parquet({"x": column, "y": pa.array([[1], []])}), "d.parquet")
    assert got.rows == [['{"a": [1, null], "d": "2024-01-02"}', "[1]"], [None, "[]"]]
    assert got.repair("nested_to_json").count == 2


def test_categories_and_bytes_become_text(tmp_path: Path) -> None:
    content = parquet({"c": pa.array(["x", "y", None]).dictionary_encode(), "b": pa.array([b"ok", b"\xff", None])})
    assert read(tmp_path, content, "d.parquet").rows == [["x", "ok"], ["y", "ff"], [None, None]]


def test_columns_of_parquet_are_made_unique_too(tmp_path: Path) -> None:
    table = pa.table([pa.array([1]), pa.array([2]), pa.array([3])], names=["a", "A", "__source_row__"])
    assert read(tmp_path, parquet(table), "d.parquet").table.columns == ("a", "A_2", "__source_row___2")


def test_parquet_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="no rows"):
        read(tmp_path, parquet({"a": pa.array([], pa.int64())}), "d.parquet")


@pytest.mark.parametrize("end", [4, 60, -1])
def test_truncated_parquet_is_refused(tmp_path: Path, end: int) -> None:
    with pytest.raises(UnreadableFile, match="damaged"):
        read(tmp_path, parquet({"a": list(range(100))})[:end], "d.parquet")


def test_text_that_is_no_text_is_refused(tmp_path: Path) -> None:
    latin = pa.array([b"caf\xe9"]).view(pa.string())
    for column in (latin, pa.ListArray.from_arrays([0, 1], latin)):
        with pytest.raises(UnreadableFile, match="not UTF-8"):
            read(tmp_path, parquet({"a": column}), "d.parquet")


def test_a_nested_date_that_nobody_lives_to_see_is_refused(tmp_path: Path) -> None:
    dates = pa.array([2**31 - 1], pa.int32()).cast(pa.date32())
    with pytest.raises(UnreadableFile, match="out of any range"):
        read(tmp_path, parquet({"a": pa.StructArray.from_arrays([dates], ["d"])}), "d.parquet")


@pytest.mark.parametrize(("unit", "count"), [("ms", 10**16), ("s", 10**13), ("ms", -(10**16)), ("us", -(2**63))])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_a_moment_that_no_database_holds_is_refused(tmp_path: Path, unit: Any, count: int, zone: str | None) -> None:
    for moments in (pa.array([0, None, count], pa.timestamp(unit, zone)), pa.array([count], pa.timestamp(unit, zone))):
        with pytest.raises(UnreadableFile, match="out of any range"):
            read(tmp_path, parquet({"a": moments}), "d.parquet")


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_moments_far_off_are_kept(tmp_path: Path, unit: Any) -> None:
    moments = pa.array([None, 0, 2**63 - 1 if unit != "ms" else 253_402_300_799_000], pa.timestamp(unit))
    assert len(read(tmp_path, parquet({"a": moments, "b": [1, 2, 3]}), "d.parquet").numbers) == 3
    nothing = pa.array([None, None], pa.timestamp(unit))
    assert len(read(tmp_path, parquet({"a": nothing, "b": [1, 2]}), "d.parquet").numbers) == 2


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), pa.ArrowMemoryError("malloc")])
def test_a_full_disk_or_memory_is_not_blamed_on_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(RowGroupSink, "_flush", fail)
    with pytest.raises(type(failure)):
        read(tmp_path, parquet({"a": [1]}), "d.parquet")
