from random import Random

import duckdb
import pyarrow as pa
import pytest

from transformers.matching.edits import MANY_EDITS, few_edits, shape, too_unlike, unlike

LETTERS = "abé1"
SHAPED = f"(SELECT *, {shape('l')} AS x, {shape('r')} AS y FROM pairs)"
BY_JARO = too_unlike("l", "r", "jaro_winkler_similarity(l, r)")


def _edited(chance: Random, text: str) -> str:
    """With none to five edits of the four kinds."""
    letters = list(text)
    for _ in range(chance.randint(0, 5)):
        kind, place = chance.randint(0, 3), chance.randint(0, max(0, len(letters) - 1))
        if kind == 0:
            letters.insert(place, chance.choice(LETTERS))
        elif kind == 1 and letters:
            letters.pop(place)
        elif kind == 2 and letters:
            letters[place] = chance.choice(LETTERS)
        elif place + 1 < len(letters):
            letters[place : place + 2] = letters[place : place + 2][::-1]
    return "".join(letters)


def _pairs() -> pa.Table:
    chance = Random(1)
    texts = ["".join(chance.choices(LETTERS, k=chance.randint(0, 14))) for _ in range(30_000)]
    return pa.table({"l": texts, "r": [_edited(chance, text) for text in texts]})


@pytest.mark.parametrize(
    ("most", "far"),
    [
        (1, "false"),
        (2, "false"),
        (1, unlike("l", "r", ("x", "y"), 1)),
        (2, unlike("l", "r", ("x", "y"))),
        (2, BY_JARO),
    ],
    ids=["one", "two", "one, by shape", "two, by shape", "two, by likeness"],
)
def test_a_few_edits_are_counted_as_duckdb_counts_them_and_many_are_never_taken_for_few(most: int, far: str) -> None:
    counted, real = few_edits("l", "r", most, far), "damerau_levenshtein(l, r)"
    with duckdb.connect() as db:
        db.register("pairs", _pairs())
        [(few, wrong)] = db.execute(
            f"SELECT count(*) FILTER ({real} <= {most}), count(*) FILTER (least({counted}, {most + 1})"
            f" <> least({real}, {most + 1})) FROM {SHAPED}"
        ).fetchall()
    assert few > 7_000
    assert wrong == 0


def _counted_of_strangers(texts: list[str], far: str) -> float:
    """The share of all pairs of which the edits are counted."""
    with duckdb.connect() as db:
        db.register("people", pa.table({"e": texts}))
        db.execute("CREATE VIEW pairs AS SELECT l.e AS l, r.e AS r FROM people l JOIN people r ON l.e < r.e")
        edits = few_edits("l", "r", far=far)
        [(share,)] = db.execute(f"SELECT avg(({edits} <> {MANY_EDITS})::INTEGER) FROM {SHAPED}").fetchall()
    return float(share)


def _addresses() -> list[str]:
    chance = Random(2)
    return ["".join(chance.choices("abcdefghijklmnop", k=10)) + "@example.com" for _ in range(300)]


def test_hardly_any_strangers_are_compared_edit_by_edit() -> None:
    assert _counted_of_strangers(_addresses(), "false") < 0.001


def test_of_most_strangers_not_even_the_plain_edits_are_counted() -> None:
    with duckdb.connect() as db:
        db.register("people", pa.table({"e": _addresses()}))
        db.execute("CREATE VIEW pairs AS SELECT l.e AS l, r.e AS r FROM people l JOIN people r ON l.e < r.e")
        [(ruled_out,)] = db.execute(f"SELECT avg(({BY_JARO})::INTEGER) FROM pairs").fetchall()
    assert ruled_out > 0.8


def test_days_of_birth_are_compared_edit_by_edit_where_their_shapes_are_alike() -> None:
    chance = Random(3)
    days = [f"{chance.randint(1940, 2005)}{chance.randint(1, 12):02}{chance.randint(1, 28):02}" for _ in range(300)]
    assert _counted_of_strangers(days, unlike("l", "r", ("x", "y"))) < 0.2 < _counted_of_strangers(days, "false")
