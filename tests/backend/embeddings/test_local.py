import hashlib
import math
import subprocess
import sys
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.embeddings.local import embed_locally

DIMENSIONS = 384


def likeness(one: str, other: str) -> float:
    first, second = embed_locally([one, other], DIMENSIONS)
    return sum(a * b for a, b in zip(first, second, strict=True))


def digest(vectors: Sequence[Sequence[float]]) -> str:
    return hashlib.sha256(repr([[round(v, 6) for v in vector] for vector in vectors]).encode()).hexdigest()


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(text=st.text(max_size=200), dimensions=st.sampled_from([2, 7, 64, 384]))
def test_any_text_has_a_vector_of_length_one(text: str, dimensions: int) -> None:
    [vector] = embed_locally([text], dimensions)
    assert len(vector) == dimensions
    assert math.fsum(value * value for value in vector) == pytest.approx(1.0)


def test_a_text_has_the_same_vector_in_another_process_and_company() -> None:
    texts = ["Send it back within thirty days.", "Äpfel sind rot.", "漢字", "🙂", ""]
    told = "import sys; from tests.backend.embeddings.test_local import digest, embed_locally, DIMENSIONS;"
    script = f"{told} print(digest(embed_locally({texts!r}, DIMENSIONS)))"
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    alone = [embed_locally([text], DIMENSIONS)[0] for text in texts]
    assert other.stdout.strip() == digest(embed_locally(texts, DIMENSIONS)) == digest(alone)


def test_texts_that_share_words_are_nearer_than_those_that_share_none() -> None:
    question = "How do I send an order back?"
    shared, strange = "You send an order back within thirty days.", "Bananas grow in warm countries."
    assert likeness(question, shared) > 0.3 > abs(likeness(question, strange))


def test_spellings_of_a_word_are_near_and_cases_are_one() -> None:
    assert likeness("ingestion", "ingest") > likeness("ingestion", "parcel") + 0.1
    assert likeness("Send IT Back", "send it back") == pytest.approx(1.0)


def test_the_order_of_words_counts_a_little() -> None:
    assert 0.5 < likeness("dog bites man", "man bites dog") < 0.999


def test_a_word_said_often_does_not_drown_the_others() -> None:
    assert likeness("parcel " * 50 + "invoice", "invoice") > 0.1


def test_no_text_is_no_vector() -> None:
    assert embed_locally([], DIMENSIONS) == []
