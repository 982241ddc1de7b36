"""Which document goes where; what could not go well is said before anybody pays."""

from typing import Any

import pytest

from backend.errors import BadParameters, NoInputFiles
from tests.transformers.ingestion.ingest_forms import form
from transformers.file_names import safe_filename
from transformers.ingestion.assignment import assign

NAMES = ["a.txt", "b.md", "c.pdf"]


def documents(*collections: dict[str, Any], names: list[str] = NAMES) -> list[list[str]]:
    return assign(form(collections=list(collections)), names)


def test_patterns_say_which_documents_go_where_and_one_may_go_to_two() -> None:
    found = documents({"name": "texts", "documents": ["*.txt", "b.*"]}, {"name": "all"})
    assert found == [["a.txt", "b.md"], NAMES]


def test_documents_are_meant_by_their_own_names_though_they_bear_safe_ones() -> None:
    names = [safe_filename(name) for name in ("Ada's notes.txt", "b[2].txt")]
    assert documents({"name": "x", "documents": ["Ada's notes.txt", "b[*.txt"]}, names=names) == [names]
    assign(form(metadata={"Ada's notes.txt": {"year": 1843}}), names)


def test_a_pattern_that_fits_no_document_is_refused() -> None:
    with pytest.raises(BadParameters, match=r"'texts' asks for '\*\.doc'"):
        documents({"name": "texts", "documents": ["*", "*.doc"]})


def test_a_pattern_knows_small_letters_from_capitals_on_every_system() -> None:
    with pytest.raises(BadParameters, match=r"'A\.TXT'"):
        documents({"name": "texts", "documents": ["A.TXT", "*"]})


def test_a_document_that_goes_nowhere_is_refused() -> None:
    with pytest.raises(BadParameters, match=r"'c\.pdf' goes to no collection; 1 of 3"):
        documents({"name": "texts", "documents": ["*.txt", "*.md"]})


def test_metadata_for_an_unknown_document_is_refused() -> None:
    with pytest.raises(BadParameters, match=r"metadata for 'z\.txt'"):
        assign(form(metadata={"z.txt": {"a": 1}}), NAMES)


def test_no_document_is_an_error_and_not_an_empty_success() -> None:
    with pytest.raises(NoInputFiles):
        assign(form(), [])
