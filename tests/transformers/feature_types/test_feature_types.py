import random
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from workshop import Data, Workshop

from transformers.cells.columns import read_columns
from transformers.feature_types import ColumnSummary, FeatureType, FeatureTypeGuess, feature_types, guesses
from transformers.feature_types.features import FIGURES, figures
from transformers.feature_types.model import probabilities
from transformers.feature_types.names import words_of
from transformers.feature_types.reading import summaries_of
from transformers.tables import Table


def told(workshop: Workshop, data: Data) -> dict[str, FeatureTypeGuess]:
    table = data if isinstance(data, Table) else workshop.table(data)
    with workshop.database(table) as db:
        return dict(feature_types(db, table, read_columns(db, table)))


def summaries(workshop: Workshop, data: Data) -> dict[str, ColumnSummary]:
    table = data if isinstance(data, Table) else workshop.table(data)
    with workshop.database(table) as db:
        return {s.name: s for s in summaries_of(db, table, read_columns(db, table))}


def a_table(rows: int = 500) -> dict[str, list[str]]:
    chance = random.Random(5)
    words = ["the", "service", "was", "slow", "and", "we", "had", "to", "wait", "for", "a", "table", "in", "end"]
    return {
        "weight_kg": [f"{chance.gauss(70, 12):.2f}" for _ in range(rows)],
        "status": [chance.choice(["open", "closed", "pending"]) for _ in range(rows)],
        "created_at": [str(date(2020, 1, 1) + timedelta(days=chance.randint(0, 900))) for _ in range(rows)],
        "price": [f"${chance.uniform(5, 5000):,.2f}" for _ in range(rows)],
        "review": [" ".join(chance.choices(words, k=20)) for _ in range(rows)],
        "homepage": [f"https://www.example.com/shop/{i}" for i in range(rows)],
        "tags": ["; ".join(chance.sample(["red", "new", "sale", "wool", "kids"], 3)) for _ in range(rows)],
        "customer_id": [f"C{i:06d}" for i in range(rows)],
    }


def test_each_column_is_what_it_is_for_a_model(workshop: Workshop) -> None:
    found = told(workshop, a_table())
    assert {name: guess.kind.value for name, guess in found.items()} == {
        "weight_kg": "numeric",
        "status": "categorical",
        "created_at": "datetime",
        "price": "embedded-number",
        "review": "sentence",
        "homepage": "url",
        "tags": "list",
        "customer_id": "not-generalizable",
    }


def test_a_confidence_is_a_chance_and_the_runner_up_has_less(workshop: Workshop) -> None:
    for guess in told(workshop, a_table()).values():
        assert 0 <= guess.runner_up_confidence <= guess.confidence <= 1
        assert guess.kind is not guess.runner_up


def test_the_chances_of_a_column_add_up_to_one(workshop: Workshop) -> None:
    rows = probabilities(list(summaries(workshop, a_table()).values()))
    assert np.allclose(rows.sum(axis=1), 1)


def test_a_column_is_told_the_same_alone_and_among_others(workshop: Workshop) -> None:
    every = list(summaries(workshop, a_table()).values())
    assert [guesses([one])[0] for one in every] == guesses(every)


def test_the_figures_of_a_column_are_those_the_model_learned_from(workshop: Workshop) -> None:
    data = {"a": ["3", "1", None, "1", "N/A", "7"], "b": ["x", "1", "", "y", "x", "x"]}
    found = summaries(workshop, data)
    assert found["a"] == ColumnSummary("a", 6, 2, 3, 3.0, pytest.approx(2.8284271), 1.0, 7.0, ("3", "1", "", "7", "3"))  # type: ignore[arg-type]
    assert found["b"] == ColumnSummary("b", 6, 1, 3, 0.0, 0.0, 0.0, 0.0, ("x", "1", "", "y", "x"))


def test_a_long_column_of_different_values_is_known_to_repeat_none(workshop: Workshop) -> None:
    rows = 450_000
    data = pa.table({"key": pa.array([f"k{i}" for i in range(rows)]), "two": pa.array(["a", "b"] * (rows // 2))})
    found = summaries(workshop, data)
    assert found["key"].distinct == rows
    assert found["two"].distinct == 2


AWKWARD = {
    "no rows": pa.table({"a": pa.array([], pa.string()), "b": pa.array([], pa.float64())}),
    "nothing": pa.table({"a": pa.nulls(3), "b": pa.array(["", " ", "N/A"])}),
    "no finite numbers": pa.table(
        {"a": [float("inf"), float("nan"), -1e308, 1e308], "b": ["inf", "1e400", "nan", "1"]}
    ),
    "quotes": pa.table({'a"b': ["1", "2"], "c'd": ["'", '"'], "{x}": ["%s", "\\"], "primary": ["a", "b"]}),
    "structures": pa.table(
        {"a": pa.array([[1], None]), "b": pa.array([{"x": 1}, None]), "c": pa.array([b"\xff", b""])}
    ),
    "huge": pa.table({"a": ["x" * 1_000_000, "1" * 5000], "b": ["\x00", "שם"]}),
    "many columns": pa.table({f"c{i}": [str(i), None] for i in range(150)}),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_an_awkward_table_has_feature_types_too(workshop: Workshop, name: str) -> None:
    table = workshop.table(AWKWARD[name])
    found = told(workshop, table)
    assert list(found) == list(table.columns)
    assert told(workshop, table) == found


def test_no_columns_have_no_feature_types() -> None:
    assert guesses([]) == []


@pytest.mark.parametrize("figure", [float("inf"), float("nan"), -1e308])
def test_the_features_of_a_column_are_finite_numbers(figure: float) -> None:
    one = ColumnSummary("", 0, 0, 0, figure, figure, figure, figure, ())
    for summary in (one, replace(one, samples=("9" * 500, "1e999", "\x00", "", "🎉"), name="x" * 999)):
        assert len(figures(summary)) == FIGURES
        assert np.isfinite(np.array(figures(summary), dtype=np.float32)).all()


@pytest.mark.parametrize("name", ["customerId", "customer_id", "CUSTOMER ID", "Customer-Id"])
def test_a_name_is_read_word_by_word(name: str) -> None:
    assert words_of(name) == ["customer", "id"]


def test_the_classes_stand_in_the_models_order() -> None:
    assert list(FeatureType) == sorted(FeatureType)


def test_importing_the_room_imports_no_heavy_library() -> None:
    code = "import sys, transformers.feature_types; print({'numpy', 'duckdb', 'pyarrow', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
