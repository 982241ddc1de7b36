"""The same filters find the same chunks in either store."""

from typing import Any

import pytest
from shelf import Shelf, chunks_of

DOCUMENTS: dict[str, dict[str, Any]] = {
    "ada": {"author": "Ada", "year": 1843, "rating": 4.5, "draft": False},
    "alan": {"author": "Alan", "year": 1936, "rating": 5, "draft": True},
    "grace": {"author": "Grace", "year": 1952.0, "draft": False},
    "odd": {"author": "O'Hara\"; --", "year": "1900", "rating": True},
    "bare": {},
}


FOUND: list[tuple[dict[str, Any], str]] = [
    ({}, "ada alan bare grace odd"),
    ({"author": "Ada"}, "ada"),
    ({"author": {"$eq": "Ada"}}, "ada"),
    ({"author": {"$in": ["Ada", "Grace", "Nobody"]}}, "ada grace"),
    ({"author": "ada"}, ""),
    ({"author": "O'Hara\"; --"}, "odd"),
    ({"year": 1936}, "alan"),
    ({"year": 1936.0}, "alan"),
    ({"year": 1952}, "grace"),
    ({"year": "1900"}, "odd"),
    ({"year": 1900}, ""),
    ({"year": {"$gt": 1843}}, "alan grace"),
    ({"year": {"$gte": 1843, "$lt": 1952}}, "ada alan"),
    ({"year": {"$lte": 1843.5}}, "ada"),
    ({"rating": {"$gte": 0}}, "ada alan"),
    ({"rating": {"$in": [4.5, 5]}}, "ada alan"),
    ({"rating": 1}, ""),
    ({"draft": False}, "ada grace"),
    ({"draft": True}, "alan"),
    ({"draft": 1}, ""),
    ({"draft": False, "year": {"$gt": 1900}}, "grace"),
    ({"$document": "ada"}, "ada"),
    ({"$document": {"$in": ["ada", "bare"]}}, "ada bare"),
    ({"$document": {"$in": ["ada", "alan"]}, "draft": True}, "alan"),
    ({"nowhere": "x"}, ""),
    ({"author' OR 'a' = 'a": "x"}, ""),
    ({"document": "ada"}, ""),
]


@pytest.fixture
def library(shelf: Shelf) -> Shelf:
    shelf.put(*(one for name, given in DOCUMENTS.items() for one in chunks_of(name, f"written by {name}", **given)))
    return shelf


def test_each_filter_finds_what_it_says_and_nothing_else(library: Shelf) -> None:
    found = [
        (filters, " ".join(sorted(one.document for one in library.find("written by", **filters))))
        for filters, _ in FOUND
    ]
    assert found == FOUND


def test_the_nearest_of_what_the_filter_leaves_are_found(library: Shelf) -> None:
    assert [one.document for one in library.find("written by grace", 1, draft=False)] == ["grace"]
    assert [one.document for one in library.find("written by grace", 1, draft=True)] == ["alan"]
