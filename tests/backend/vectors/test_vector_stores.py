"""What a store of vectors does, whichever it is."""

import uuid

import pytest
from shelf import DIMENSIONS, Shelf, chunks_of, sizes

from backend.embeddings.local import embed_locally
from backend.errors import ClaimLost, CollectionNotFound, InternalError
from backend.vectors.chunks import Chunk, Counts
from db import collections, task_store
from db.database import transaction
from tests.builders import claimed_task

FRUIT = ("apples are red", "bananas are yellow", "plums are blue")


def test_what_is_staged_is_not_found(shelf: Shelf) -> None:
    ingest = shelf.ingest()
    shelf.store.stage(ingest, chunks_of("fruit.md", *FRUIT))
    assert shelf.contents() == []
    assert shelf.store.count(ingest.collection_id) == Counts(0, 0)


def test_what_is_activated_is_found_best_first(shelf: Shelf) -> None:
    shelf.put(*chunks_of("fruit.md", *FRUIT, season="summer"))
    best, *others = shelf.find("yellow bananas")
    assert (best.id, best.document, best.position, best.content) == (
        Chunk("fruit.md", 1, FRUIT[1]).id, "fruit.md", 1, FRUIT[1],
    )  # fmt: skip
    assert best.metadata == {"season": "summer"}
    assert 1 >= best.score >= others[0].score >= others[1].score


def test_the_score_is_the_cosine(shelf: Shelf) -> None:
    shelf.put(*chunks_of("fruit.md", *FRUIT))
    [asked], there = embed_locally(["red and blue"], DIMENSIONS), embed_locally(FRUIT, DIMENSIONS)
    wanted = {
        content: sum(a * b for a, b in zip(asked, one, strict=True)) for content, one in zip(FRUIT, there, strict=True)
    }
    assert {one.content: one.score for one in shelf.find("red and blue")} == pytest.approx(wanted, abs=1e-5)


def test_the_nearest_ten_of_many_are_those_of_comparing_with_all(shelf: Shelf) -> None:
    words = [f"{colour} {fruit} {place}" for colour in "abcdefgh" for fruit in "ijklmnop" for place in "qrstuv"]
    shelf.put(*chunks_of("many.md", *words))
    vectors = embed_locally(words, DIMENSIONS)
    for asked in ("a j q", "h p v", "c m t"):
        [query] = embed_locally([asked], DIMENSIONS)
        scores = sorted((sum(a * b for a, b in zip(query, one, strict=True)) for one in vectors), reverse=True)
        assert [one.score for one in shelf.find(asked)] == pytest.approx(scores[:10], abs=1e-5)


def test_no_more_is_found_than_asked_for(shelf: Shelf) -> None:
    shelf.put(*chunks_of("fruit.md", *FRUIT))
    assert len(shelf.find("fruit", 2)) == 2
    assert len(shelf.find("fruit", 100)) == 3


def test_an_empty_collection_finds_nothing(shelf: Shelf) -> None:
    shelf.ingest()
    assert shelf.find("fruit") == []


def test_the_same_documents_again_are_the_same_chunks(shelf: Shelf) -> None:
    shelf.put(*chunks_of("fruit.md", *FRUIT))
    before = {one.id for one in shelf.find("red")}
    shelf.put(*chunks_of("fruit.md", *FRUIT))
    assert {one.id for one in shelf.find("red")} == before
    assert shelf.store.count(shelf.record().id) == Counts(1, 3)


def test_a_document_is_replaced_and_the_others_stay(shelf: Shelf) -> None:
    shelf.put(*chunks_of("fruit.md", *FRUIT), *chunks_of("stone.md", "granite is hard"))
    shelf.put(*chunks_of("fruit.md", "apples are green", "bananas are yellow", year=2025))
    assert shelf.contents() == ["apples are green", "bananas are yellow", "granite is hard"]
    assert shelf.store.count(shelf.record().id) == Counts(2, 3)
    assert {one.metadata.get("year") for one in shelf.find("x", **{"$document": "fruit.md"})} == {2025}


def test_the_old_version_is_found_until_the_new_one_is_active(shelf: Shelf) -> None:
    shelf.put(*chunks_of("fruit.md", *FRUIT))
    ingest, new = shelf.ingest(), chunks_of("fruit.md", "apples are green")
    shelf.store.stage(ingest, new)
    assert shelf.contents() == sorted(FRUIT)
    shelf.store.activate(ingest, sizes(new))
    assert shelf.contents() == ["apples are green"]


def test_staging_twice_stages_once(shelf: Shelf) -> None:
    ingest, chunks = shelf.ingest(), chunks_of("fruit.md", *FRUIT)
    for some in (chunks[:2], chunks, chunks[1:]):
        shelf.store.stage(ingest, some)
    assert shelf.store.staged(ingest) == {one.chunk.id for one in chunks}
    assert shelf.store.activate(ingest, sizes(chunks)) == Counts(1, 3)
    assert shelf.contents() == sorted(FRUIT)


def test_what_a_resumed_task_cuts_otherwise_takes_the_place_of_its_first_cut(shelf: Shelf) -> None:
    ingest = shelf.ingest()
    shelf.store.stage(ingest, chunks_of("fruit.md", "apples", "are", "red", "indeed"))
    again = chunks_of("fruit.md", "apples are", "red indeed")
    shelf.store.stage(shelf.ingest(ingest.task_id), again)
    assert shelf.store.activate(ingest, sizes(again)) == Counts(1, 2)
    assert shelf.contents() == ["apples are", "red indeed"]


def test_a_task_that_was_killed_after_activating_does_it_all_again_in_vain(shelf: Shelf) -> None:
    chunks = chunks_of("fruit.md", *FRUIT)
    first = shelf.put(*chunks)
    again = shelf.ingest(first.task_id)
    shelf.store.stage(again, chunks)
    assert shelf.store.activate(again, sizes(chunks)) == Counts(1, 3)
    assert shelf.store.activate(again, sizes(chunks)) == Counts(1, 3)
    assert shelf.contents() == sorted(FRUIT)
    assert shelf.record().status == "active"


def test_a_document_that_is_not_staged_completely_does_not_become_live(shelf: Shelf) -> None:
    shelf.put(*chunks_of("fruit.md", *FRUIT))
    ingest = shelf.ingest()
    shelf.store.stage(ingest, chunks_of("fruit.md", "apples are green", "bananas are brown")[:1])
    for wanted in ({"fruit.md": 2}, {"fruit.md": 1, "stone.md": 1}):
        with pytest.raises(InternalError):
            shelf.store.activate(ingest, wanted)
    assert shelf.contents() == sorted(FRUIT)
    assert shelf.record().status == "ingesting"


def test_what_is_not_named_when_activating_does_not_become_live(shelf: Shelf) -> None:
    ingest = shelf.ingest()
    shelf.store.stage(ingest, [*chunks_of("fruit.md", *FRUIT), *chunks_of("stone.md", "granite is hard")])
    shelf.store.activate(ingest, {"stone.md": 1})
    assert shelf.contents() == ["granite is hard"]
    assert shelf.store.staged(shelf.ingest(ingest.task_id)) <= {Chunk("stone.md", 0, "granite is hard").id}


def test_a_cancelled_first_ingest_leaves_a_draft(shelf: Shelf) -> None:
    ingest = shelf.ingest()
    shelf.store.stage(ingest, chunks_of("fruit.md", *FRUIT))
    shelf.store.revert(ingest, None)
    assert (shelf.record().status, shelf.contents()) == ("draft", [])
    assert shelf.store.staged(ingest) == frozenset()


def test_a_failed_first_ingest_leaves_its_reason(shelf: Shelf) -> None:
    shelf.store.revert(shelf.ingest(), "The file could not be read.")
    assert (shelf.record().status, shelf.record().reason) == ("failed", "The file could not be read.")


@pytest.mark.parametrize("reason", [None, "The file could not be read."])
def test_an_ingest_that_comes_to_nothing_leaves_what_was_there(shelf: Shelf, reason: str | None) -> None:
    shelf.put(*chunks_of("fruit.md", *FRUIT))
    ingest = shelf.ingest()
    shelf.store.stage(ingest, chunks_of("fruit.md", "apples are green"))
    shelf.store.revert(ingest, reason)
    shelf.store.revert(ingest, reason)
    assert shelf.contents() == sorted(FRUIT)
    assert (shelf.record().status, shelf.record().reason) == ("active", None)
    assert shelf.store.count(ingest.collection_id) == Counts(1, 3)


def test_who_was_reverted_stages_and_activates_no_more(shelf: Shelf) -> None:
    ingest, chunks = shelf.ingest(), chunks_of("fruit.md", *FRUIT)
    shelf.store.stage(ingest, chunks)
    shelf.store.revert(ingest, None)
    with pytest.raises(CollectionNotFound):
        shelf.store.stage(ingest, chunks)
    with pytest.raises(CollectionNotFound):
        shelf.store.activate(ingest, sizes(chunks))
    assert shelf.contents() == []


def test_a_cancelled_task_activates_nothing(shelf: Shelf) -> None:
    ingest, chunks = shelf.ingest(), chunks_of("fruit.md", *FRUIT)
    shelf.store.stage(ingest, chunks)
    with transaction() as session:
        task_store.cancel(session, ingest.task_id, shelf.user_id)
    with pytest.raises(ClaimLost):
        shelf.store.activate(ingest, sizes(chunks))
    assert shelf.contents() == []


def test_a_sweep_takes_back_what_a_cancelled_task_has_staged(shelf: Shelf) -> None:
    shelf.put(*chunks_of("stone.md", "granite is hard"))
    ingest = shelf.ingest()
    shelf.store.stage(ingest, chunks_of("fruit.md", *FRUIT))
    with transaction() as session:
        task_store.cancel(session, ingest.task_id, shelf.user_id)
    assert shelf.store.sweep(100) > 0
    assert shelf.store.sweep(100) == 0
    assert (shelf.record().status, shelf.contents()) == ("active", ["granite is hard"])
    assert shelf.store.staged(ingest) == frozenset()


def test_a_sweep_leaves_running_tasks_alone(shelf: Shelf) -> None:
    ingest, chunks = shelf.ingest(), chunks_of("fruit.md", *FRUIT)
    shelf.store.stage(ingest, chunks)
    shelf.store.sweep(100)
    assert shelf.record().status == "ingesting"
    assert shelf.store.activate(ingest, sizes(chunks)) == Counts(1, 3)


def test_of_two_ingests_at_once_both_documents_are_there(shelf: Shelf) -> None:
    fruit, stone = chunks_of("fruit.md", *FRUIT), chunks_of("stone.md", "granite is hard")
    first, second = shelf.ingest(), shelf.ingest()
    shelf.store.stage(first, fruit)
    shelf.store.stage(second, stone)
    shelf.store.activate(first, sizes(fruit))
    assert shelf.record().status == "ingesting"
    assert shelf.contents() == sorted(FRUIT)
    shelf.store.activate(second, sizes(stone))
    assert shelf.record().status == "active"
    assert shelf.contents() == sorted([*FRUIT, "granite is hard"])


def test_of_two_ingests_of_one_document_the_last_to_be_activated_stays(shelf: Shelf) -> None:
    red, green = chunks_of("fruit.md", "apples are red", "and so on"), chunks_of("fruit.md", "apples are green")
    first, second = shelf.ingest(), shelf.ingest()
    shelf.store.stage(first, red)
    shelf.store.stage(second, green)
    shelf.store.activate(second, sizes(green))
    assert shelf.store.activate(first, sizes(red)) == Counts(1, 2)
    assert shelf.contents() == ["and so on", "apples are red"]


def test_collections_do_not_see_each_other(shelf: Shelf) -> None:
    other = Shelf(shelf.store, shelf.user_id, "other")
    shelf.put(*chunks_of("fruit.md", *FRUIT))
    other.put(*chunks_of("fruit.md", "apples are green"))
    assert shelf.contents() == sorted(FRUIT)
    assert other.contents() == ["apples are green"]


def test_a_deleted_collection_leaves_no_vector(shelf: Shelf) -> None:
    shelf.put(*chunks_of("fruit.md", *FRUIT))
    ingest = shelf.ingest()
    shelf.store.stage(ingest, chunks_of("stone.md", "granite is hard"))
    with transaction() as session:
        collections.delete_collection(session, shelf.user_id, shelf.name)
    shelf.store.drop(ingest.collection_id)
    assert shelf.store.count(ingest.collection_id) == Counts(0, 0)
    with pytest.raises(CollectionNotFound):
        shelf.store.stage(ingest, chunks_of("stone.md", "granite is hard"))


def test_a_sweep_removes_what_is_left_of_a_deleted_collection(shelf: Shelf) -> None:
    shelf.put(*chunks_of("fruit.md", *FRUIT))
    with transaction() as session:
        collection_id = collections.delete_collection(session, shelf.user_id, shelf.name)
    shelf.store.sweep(100)
    assert shelf.store.count(collection_id) == Counts(0, 0)
    assert shelf.store.sweep(100) in {0, 1}  # the count may have made it anew
    assert shelf.store.sweep(100) == 0


def test_text_of_any_kind_comes_back_as_it_went(shelf: Shelf) -> None:
    odd = ("'; DROP TABLE tasks; --", '{"$ne": null}', "äöü 漢字 🙂", "a\nb\tc", "%s :x $1 \\")
    shelf.put(*chunks_of("d\"o%c's.md", *odd, **{"k\"e'y %s :x": "v"}))
    assert shelf.contents() == sorted(odd)
    assert {one.metadata["k\"e'y %s :x"] for one in shelf.find("x", **{"k\"e'y %s :x": "v"})} == {"v"}


def test_an_unknown_collection_counts_nothing(shelf: Shelf) -> None:
    assert shelf.store.count(uuid.uuid4()) == Counts(0, 0)


def test_a_task_that_has_ended_opens_nothing(shelf: Shelf) -> None:
    task_id = claimed_task(shelf.user_id).task_id
    with transaction() as session:
        task_store.cancel(session, task_id, shelf.user_id)
    with pytest.raises(ClaimLost):
        shelf.ingest(task_id)
