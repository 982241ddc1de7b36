import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from workshop import Workshop

from transformers import tables
from transformers.tables import database_over

CODE = """
import sys
from pathlib import Path
from transformers.tables import database_over
with database_over({}, Path(sys.argv[1]), 2**27) as db:
    print(db.execute("SELECT CAST(TIMESTAMPTZ '2024-01-01 23:00:00+00' AS VARCHAR)").fetchall()[0][0])
"""


def test_a_workers_own_time_zone_is_no_part_of_the_data(tmp_path: Path) -> None:
    told = set()
    for zone in ("UTC", "Asia/Tokyo"):
        command = [sys.executable, "-c", CODE, str(tmp_path)]
        told.add(
            subprocess.run(command, env={**os.environ, "TZ": zone}, capture_output=True, text=True, check=True).stdout
        )
    assert told == {"2024-01-01 23:00:00+00\n"}


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """The engines that are opened meanwhile; none is idle before and none is left."""
    engines: list[object] = []
    connect = duckdb.connect

    def counted(*asked: Any, **known: Any) -> duckdb.DuckDBPyConnection:
        engine = connect(*asked, **known)
        engines.append(engine)
        return engine

    monkeypatch.setattr(tables, "_IDLE", {})
    monkeypatch.setattr(duckdb, "connect", counted)
    yield engines
    for engine in tables._IDLE.values():
        engine.close()


def test_an_engine_is_opened_once_for_one_database_after_the_other(workshop: Workshop, opened: list[object]) -> None:
    for value in "abc":
        with workshop.database(workshop.table({"a": [value]})) as db:
            assert db.execute('SELECT a FROM "primary"').fetchall() == [(value,)]
    assert len(opened) == 1


def test_two_at_once_have_an_engine_each(workshop: Workshop, opened: list[object]) -> None:
    table = workshop.table({"a": ["1"]})
    with workshop.database(table), workshop.database(table) as db:
        assert db.execute('SELECT a FROM "primary"').fetchall() == [("1",)]
    assert len(opened) == 2
    assert len(tables._IDLE) == 1


def test_the_next_database_sees_nothing_of_the_one_before(workshop: Workshop, opened: list[object]) -> None:
    with database_over({"primary": workshop.table({"a": ["1"]})}, workshop.folder / "one", 2**28) as db:
        db.execute("CREATE TEMP TABLE mine AS SELECT 1")
        db.register("yours", pa.table({"b": [1]}))
        db.execute("SET threads = 1; SET TimeZone = 'Asia/Tokyo'")
    scratch = workshop.folder / "another"
    with database_over({}, scratch, 2**27) as db:
        assert db.execute("SELECT table_name FROM information_schema.tables").fetchall() == []
        names = ("memory_limit", "temp_directory", "TimeZone")
        assert [db.execute(f"SELECT current_setting('{name}')").fetchall()[0][0] for name in names] == [
            "128.0 MiB", str(scratch / "spill"), "UTC",
        ]  # fmt: skip
    assert len(opened) == 1


def test_another_tasks_engine_is_never_used(workshop: Workshop, opened: list[object]) -> None:
    for task in ("one", "other"):
        with database_over({}, workshop.folder / task / "steps" / "agent", 2**27) as db:
            assert db.execute("SELECT current_setting('default_order')").fetchall() == [("ASCENDING",)]
            db.execute("SET default_order = 'DESCENDING'")
    assert len(opened) == 2
    assert len(tables._IDLE) == 1


def test_what_failed_in_an_engine_is_closed_with_it(workshop: Workshop, opened: list[object]) -> None:
    with pytest.raises(ZeroDivisionError), database_over({}, workshop.folder, 2**27):
        raise ZeroDivisionError
    assert tables._IDLE == {}
    with database_over({}, workshop.folder, 2**27):
        pass
    assert len(opened) == 2


def test_a_large_tables_engine_is_closed_with_it(workshop: Workshop, opened: list[object]) -> None:
    table = workshop.table({"a": ["1"] * tables.FEW_CELLS})
    with workshop.database(table):
        pass
    assert tables._IDLE == {}


def test_an_engine_that_has_spilled_is_closed_with_its_folder(workshop: Workshop, opened: list[object]) -> None:
    def spill(name: str) -> list[str]:
        scratch = workshop.folder / name
        scratch.mkdir()
        with database_over({}, scratch, 2**26) as db:
            db.execute("SET memory_limit = '8MiB'")
            db.execute("CREATE TEMP TABLE large AS SELECT hash(i)::VARCHAR AS h FROM range(400_000) r(i)")
            return [path.name for path in (scratch / "spill").iterdir()]

    assert spill("one")
    assert tables._IDLE == {}
    assert spill("other"), "to its own scratch"
