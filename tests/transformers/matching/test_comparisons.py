from random import Random

import duckdb
import pyarrow as pa
import pytest

from transformers.matching.comparisons import MANY_EDITS, few_edits

LETTERS = "abé1"


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


@pytest.mark.parametrize("most", [1, 2])
def test_a_few_edits_are_counted_as_duckdb_counts_them_and_many_are_never_taken_for_few(most: int) -> None:
    chance = Random(1)
    texts = ["".join(chance.choices(LETTERS, k=chance.randint(0, 9))) for _ in range(20_000)]
    pairs = pa.table({"l": texts, "r": [_edited(chance, text) for text in texts]})
    counted, real = few_edits("l", "r", most), "damerau_levenshtein(l, r)"
    with duckdb.connect() as db:
        db.register("pairs", pairs)
        [(few, wrong)] = db.execute(
            f"SELECT count(*) FILTER ({real} <= {most}), count(*) FILTER (least({counted}, {most + 1})"
            f" <> least({real}, {most + 1})) FROM pairs"
        ).fetchall()
    assert few > 5_000
    assert wrong == 0


def test_hardly_any_strangers_are_compared_edit_by_edit() -> None:
    chance = Random(2)
    addresses = ["".join(chance.choices("abcdefghijklmnop", k=10)) + "@example.com" for _ in range(300)]
    with duckdb.connect() as db:
        db.register("people", pa.table({"e": addresses}))
        crossed = "FROM people l JOIN people r ON l.e < r.e"
        edits = few_edits("l.e", "r.e")
        [(pairs, compared)] = db.execute(
            f"SELECT count(*), count(*) FILTER ({edits} <> {MANY_EDITS}) {crossed}"
        ).fetchall()
    assert compared < pairs / 1000
