from pathlib import Path

import duckdb
import pytest

from scores.people import people
from tests.transformers.workshop import Workshop
from transformers.cells.columns import read_columns
from transformers.matching import resolve_entities
from transformers.tables import AT_REST, database_over, holding
from transformers.tool import PRIMARY

MEBIBYTE = 2**20
LIMIT = "SELECT current_setting('memory_limit')"


@pytest.fixture
def db(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"memory_limit": "96MiB", "threads": 2, "temp_directory": str(tmp_path / "spill")})


def _held(db: duckdb.DuckDBPyConnection) -> int:
    [(held,)] = db.execute("SELECT sum(memory_usage_bytes)::BIGINT FROM duckdb_memory()").fetchall()
    return int(held)


def test_at_rest_the_database_keeps_its_tables_on_disk(db: duckdb.DuckDBPyConnection) -> None:
    db.execute("CREATE TEMP TABLE wide AS SELECT hash(i) AS h, hash(-i) AS k FROM range(3000000) t(i)")
    assert _held(db) > AT_REST * MEBIBYTE
    with holding(db, AT_REST):
        assert _held(db) <= AT_REST * MEBIBYTE
    assert db.execute("SELECT count(*), min(h = hash(0)) FROM wide").fetchall() == [(3_000_000, False)]


def test_after_a_rest_the_database_has_its_memory_again(db: duckdb.DuckDBPyConnection) -> None:
    with holding(db, AT_REST):
        assert db.execute(LIMIT).fetchall() == [("16.0 MiB",)]
    assert db.execute(LIMIT).fetchall() == [("96.0 MiB",)]


def test_a_database_that_may_hold_less_is_given_no_more(db: duckdb.DuckDBPyConnection) -> None:
    with holding(db, 4096):
        assert db.execute(LIMIT).fetchall() == [("96.0 MiB",)]


def test_of_the_matching_only_its_results_are_left(workshop: Workshop) -> None:
    records = [{k: v or "" for k, v in record.items()} for _, record in people(250, 100, seed=3)]
    table = workshop.table({name: [record[name] for record in records] for name in records[0]})
    with database_over({PRIMARY: table}, workshop.folder, 240 * MEBIBYTE) as db:
        found = resolve_entities(db, table, read_columns(db, table))
        left = db.execute("SELECT table_name FROM duckdb_tables() WHERE starts_with(table_name, 'er_')").fetchall()
        assert {name for (name,) in left} == {found.clusters, found.pairs}
        assert db.execute(LIMIT).fetchall() == [("240.0 MiB",)]
