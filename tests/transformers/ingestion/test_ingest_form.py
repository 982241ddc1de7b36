"""The form of an ingest: presets by name, and what one form can know to be wrong."""

import pytest
from pydantic import ValidationError

from tests.transformers.ingestion.ingest_forms import form


def sizes(**collection: object) -> tuple[int, int]:
    return tuple(form(collections=[{"name": "docs", **collection}]).collections[0].sizes)  # type: ignore[return-value]


def test_nothing_said_is_one_collection_of_all_documents() -> None:
    (only,) = form().collections
    assert (only.name, only.documents, only.gates, only.sizes) == ("documents", ("*",), False, (512, 50))


@pytest.mark.parametrize(
    ("name", "expected"), [("works", (1024, 128)), ("quotes", (512, 64)), ("profile", (2048, 256)), ("x", (512, 50))]
)
def test_a_collections_name_brings_its_preset(name: str, expected: tuple[int, int]) -> None:
    assert sizes(name=name) == expected


def test_what_is_said_goes_over_the_preset() -> None:
    assert sizes(name="works", chunk_size=300, chunk_overlap=0) == (300, 0)


def test_a_small_chunk_overlaps_by_little_where_nothing_is_said() -> None:
    assert sizes(chunk_size=64) == (64, 8)


@pytest.mark.parametrize(
    ("collections", "said"),
    [
        ([], "at least 1"),
        ([{"name": "Docs"}], "pattern"),
        ([{"name": "a/b"}], "pattern"),
        ([{"name": "a"}, {"name": "a"}], "two collections are called 'a'"),
        ([{"name": "a"}, {"name": "b", "gates": True}], "only the first"),
        ([{"name": "a", "chunk_size": 100, "chunk_overlap": 51}], "half of chunk_size"),
        ([{"name": "a", "documents": []}], "at least 1"),
        ([{"name": "a", "metadata": {"$document": 1}}], "pattern"),
        ([{"name": "a", "metadata": {"": 1}}], "pattern"),
        ([{"name": "a", "metadata": {"k": None}}], "valid"),
        ([{"name": "a", "metadata": {"k": ["a list"]}}], "valid"),
        ([{"name": "a", "metadata": {f"k{i}": i for i in range(33)}}], "at most 32"),
        ([{"name": "a", "chunker": "magic"}], "recursive"),
        ([{"name": "a", "unknown": 1}], "not permitted"),
    ],
)
def test_a_wrong_collection_is_refused_in_words(collections: list[object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        form(collections=collections)


def test_metadata_keeps_its_types() -> None:
    kept = form(metadata={"a.txt": {"year": 1900, "free": True, "score": 0.5, "author": "Ann"}}).metadata["a.txt"]
    assert [type(value) for value in kept.values()] == [int, bool, float, str]
