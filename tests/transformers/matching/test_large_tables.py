import random

import duckdb
import pytest

from backend.errors import MemoryLimit
from scores.people import people
from tests.transformers.workshop import Workshop
from transformers.cells.columns import read_columns
from transformers.matching import Resolution, resolution, resolve_entities
from transformers.matching.resolution import Effort
from transformers.tables import database_over
from transformers.tool import PRIMARY

CHILD_DATABASE = 240 * 2**20  # what DuckDB has in production
PEOPLE = [{k: v or "" for k, v in record.items()} for _, record in people(300, 120, seed=9)]


def _resolve(
    workshop: Workshop, data: dict[str, list[str]], memory: int = CHILD_DATABASE
) -> tuple[list[int], Resolution]:
    table = workshop.table(data)
    with database_over({PRIMARY: table}, workshop.folder, memory) as db:
        found = resolve_entities(db, table, read_columns(db, table))
        rows = db.execute(f"SELECT source_row, cluster FROM {found.clusters} ORDER BY source_row").fetchall()
    assert [row for row, _ in rows] == list(range(1, table.rows + 1))
    return [cluster for _, cluster in rows], found


def _columns(records: list[dict[str, str]]) -> dict[str, list[str]]:
    return {name: [record[name] for record in records] for name in records[0]}


def _texts(rows: int, columns: int) -> dict[str, list[str]]:
    chance = random.Random(4)
    words = ["".join(chance.choices("abcdefghijklmnop", k=7)) for _ in range(500)]
    return {f"text {i}": [" ".join(chance.sample(words, 4)) for _ in range(rows)] for i in range(columns)}


def test_many_text_columns_need_no_more_memory_than_one(workshop: Workshop) -> None:
    data = _texts(350, 12)
    clusters, found = _resolve(workshop, {name: [*texts, texts[7]] for name, texts in data.items()}, 128 * 2**20)
    assert clusters == [*range(1, 351), 8]
    assert not found.summary.limited
    assert len(found.summary.fields) == 12


def test_rows_that_are_the_same_come_together_however_many_there_are(workshop: Workshop) -> None:
    records = [PEOPLE[0]] * 900 + PEOPLE[1:]
    clusters, found = _resolve(workshop, _columns(records))
    assert set(clusters[:900]) == {1}
    assert found.entities == len(set(clusters)) < 300


def test_two_rows_that_are_the_same_come_together_in_a_tiny_table(workshop: Workshop) -> None:
    data = {
        "name": ["Ann Miller", "Jorge Diaz", "Ann Miller", "Olga Petrova"],
        "city": ["Berlin", "Madrid", "Berlin", "Lyon"],
        "born": ["1980-01-02", "1955-07-13", "1980-01-02", "1963-05-30"],
    }
    clusters, _ = _resolve(workshop, data)
    assert clusters == [1, 2, 1, 4]


def test_rows_that_share_only_a_common_value_stay_apart(workshop: Workshop) -> None:
    chance = random.Random(6)
    countries = [f"country {chance.choice('abcdefghijklm')}{chance.choice('abc')}" for _ in range(600)]
    clusters, _ = _resolve(workshop, {"country": countries, "amount": [str(chance.randint(1, 40)) for _ in countries]})
    assert len(set(clusters)) > 300


def test_where_memory_is_short_less_is_compared_and_said(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = resolution._resolve

    def short(db: duckdb.DuckDBPyConnection, asked: resolution.Asked, effort: Effort, report: object) -> Resolution:
        if effort.fields > 5:
            db.execute("CREATE TEMP TABLE er_left_behind AS SELECT 1")
            raise duckdb.OutOfMemoryException
        assert db.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'er_left_behind'").fetchall() == [
            (0,)
        ]
        return resolve(db, asked, effort, lambda _: None)

    monkeypatch.setattr(resolution, "_resolve", short)
    _, found = _resolve(workshop, _columns(PEOPLE))
    assert len(found.summary.fields) == 5
    assert "memory was short" in found.summary.limited[0]


def test_what_never_fits_is_a_clear_error(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> Resolution:
        raise duckdb.OutOfMemoryException

    monkeypatch.setattr(resolution, "_resolve", never)
    with pytest.raises(MemoryLimit):
        _resolve(workshop, _columns(PEOPLE))
