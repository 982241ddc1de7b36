"""Text between two steps: document after document, and of a broken one nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.errors import UnreadableFile
from transformers.documents.passage import Passage
from transformers.ingestion.passage_shelf import ShelfWriter, shelved


def read(path: Path) -> list[tuple[str, list[Passage]]]:
    return [(document, list(passages)) for document, passages in shelved(path)]


def test_what_is_shelved_comes_back_as_it_was(tmp_path: Path) -> None:
    passages = [
        Passage("Ä\u2028line", page=2, headings=("A", "B")),
        Passage("x", row=1, metadata={"n": 1.5, "b": True}),
    ]
    path = tmp_path / "shelf"
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        writer = ShelfWriter(stream)
        assert writer.add("a.txt", passages) == 7
        writer.add("b.txt", passages[:1])
    assert read(path) == [("a.txt", passages), ("b.txt", passages[:1])]


def test_of_a_document_that_breaks_in_the_middle_nothing_stays(tmp_path: Path) -> None:
    def broken() -> Iterator[Passage]:
        yield Passage("begun — and")
        raise UnreadableFile

    path = tmp_path / "shelf"
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        writer = ShelfWriter(stream)
        writer.add("ä.txt", [Passage("ä" * 10_000)])
        with pytest.raises(UnreadableFile):
            writer.add("broken.txt", broken())
        writer.add("z.txt", [Passage("z")])
    assert [document for document, _ in read(path)] == ["ä.txt", "z.txt"]
