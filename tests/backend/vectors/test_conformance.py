"""What a store of vectors does, whichever it is."""

from shelf import Shelf, chunks_of

from backend.vectors.chunks import Counts

FRUIT = ("apples are red", "bananas are yellow", "plums are blue")


def test_what_is_staged_is_not_found(shelf: Shelf) -> None:
    ingest = shelf.ingest()
    shelf.store.stage(ingest, chunks_of("fruit.md", *FRUIT))
    assert shelf.contents() == []
    assert shelf.store.count(ingest.collection_id) == Counts(0, 0)


def test_what_is_activated_is_found_best_first(shelf: Shelf) -> None:
    shelf.put(*chunks_of("fruit.md", *FRUIT))
    found = shelf.find("yellow bananas")
    assert found[0].content == "bananas are yellow"
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert shelf.contents() == sorted(FRUIT)


def test_the_same_documents_again_are_the_same_chunks(shelf: Shelf) -> None:
    shelf.put(*chunks_of("fruit.md", *FRUIT))
    before = {one.id for one in shelf.find("red")}
    shelf.put(*chunks_of("fruit.md", *FRUIT))
    assert {one.id for one in shelf.find("red")} == before
    assert shelf.store.count(shelf.record().id) == Counts(1, 3)
