"""What only our own database promises: one transaction, an exact search, nothing that two at once could break."""

import random
from collections.abc import Sequence

import pytest
from side_by_side import in_thread, outcome, sql, together, until_somebody_waits_for_a_lock
from sqlalchemy.exc import IntegrityError

from backend.errors import CollectionNotFound
from backend.vectors.chunks import Chunk, Counts, EmbeddedChunk, Ingest
from db import collections, ingests, task_store, vector_search, vectors
from db.database import transaction
from tests.builders import claimed_task, customer

DIMENSIONS = 8


def opened(user_id: int) -> Ingest:
    wanted = ingests.Wanted(user_id, "library", "local:hashing-8", DIMENSIONS, {})
    with transaction() as session:
        return ingests.open_ingest(session, wanted, claimed_task(user_id).task_id)


def chunks_of(document: str, count: int, seed: int = 0) -> list[EmbeddedChunk]:
    chance = random.Random(f"{document} {seed}")
    return [
        EmbeddedChunk(
            Chunk(document, position, f"{document} {seed} {position}"),
            [chance.uniform(-1, 1) for _ in range(DIMENSIONS)],
        )
        for position in range(count)
    ]


def staged(ingest: Ingest, *documents: Sequence[EmbeddedChunk]) -> None:
    with transaction() as session:
        for chunks in documents:
            vectors.stage(session, ingest, chunks)


def activated(ingest: Ingest, **documents: int) -> Counts:
    with transaction() as session:
        return vectors.activate(session, ingest, documents)


def put(user_id: int, document: str, count: int, seed: int = 0) -> Ingest:
    ingest = opened(user_id)
    staged(ingest, chunks_of(document, count, seed))
    activated(ingest, **{document: count})
    return ingest


def rows() -> int:
    found = sql("SELECT count(*) FROM collection_chunks")
    assert isinstance(found, int)
    return found


def swept(limit: int) -> int:
    with transaction() as session:
        return vectors.sweep(session, limit)


def test_a_document_has_one_live_version_whatever_anybody_writes() -> None:
    ingest = put(customer(), "a", 3)
    doubling = """INSERT INTO collection_documents (collection_id, task_id, name, state)
        VALUES (:collection, gen_random_uuid(), 'a', 'live')"""
    with pytest.raises(IntegrityError):
        sql(doubling, collection=ingest.collection_id)


def test_a_failure_in_the_middle_of_activating_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    user = customer()
    before = put(user, "a", 3)
    ingest = opened(user)
    staged(ingest, chunks_of("a", 2, seed=1))

    def fails(*_: object, **__: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr("db.ingests.settle", fails)
        assert isinstance(outcome(lambda: activated(ingest, a=2)), ConnectionError)
    with transaction() as session:
        assert vectors.count(session, before.collection_id) == Counts(1, 3)
    assert activated(ingest, a=2) == Counts(1, 2)


def test_the_search_is_exact() -> None:
    user = customer()
    ingest = put(user, "a", 500)
    all_of_them = {one.chunk.id: one.vector for one in chunks_of("a", 500)}
    for asked in chunks_of("queries", 5):
        query = asked.vector
        exact = sorted(all_of_them, key=lambda chunk_id: -cosine(query, all_of_them[chunk_id]))
        with transaction() as session:
            found = vector_search.search(session, ingest.collection_id, query, 10, ())
        assert [one.id for one in found] == exact[:10]


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    lengths = (sum(a * a for a in one) * sum(b * b for b in other)) ** 0.5
    return sum(a * b for a, b in zip(one, other, strict=True)) / float(lengths)


def test_who_reverts_waits_for_who_is_staging_and_takes_that_back_too() -> None:
    user = customer()
    ingest = opened(user)

    def revert() -> None:
        with transaction() as session:
            vectors.revert(session, ingest, None)

    with transaction() as session:
        vectors.stage(session, ingest, chunks_of("a", 3))
        with in_thread(revert) as reverting:
            until_somebody_waits_for_a_lock()
            session.commit()
    assert reverting.result() is None
    assert sql("SELECT state FROM collection_documents") == "removed"
    assert isinstance(outcome(lambda: staged(ingest, chunks_of("a", 3))), CollectionNotFound)


def test_two_that_stage_the_same_at_once_stage_it_once() -> None:
    ingest = opened(customer())
    documents = [chunks_of(name, 20) for name in "abcde"]
    answers = together(lambda: staged(ingest, *documents), lambda: staged(ingest, *documents))
    assert answers == [None, None]
    assert rows() == 100


def test_of_two_that_activate_one_document_at_once_one_stays() -> None:
    user = customer()
    first, second = opened(user), opened(user)
    staged(first, chunks_of("a", 3, seed=1))
    staged(second, chunks_of("a", 5, seed=2))
    answers = together(lambda: activated(first, a=3), lambda: activated(second, a=5))
    assert all(isinstance(answer, Counts) for answer in answers), answers
    with transaction() as session:
        left = vectors.count(session, first.collection_id)
        assert left in {Counts(1, 3), Counts(1, 5)}
        assert collections.get(session, user, "library").chunk_count == left.chunks


def test_of_a_cancel_and_an_activation_at_once_one_wins() -> None:
    user = customer()
    ingest = opened(user)
    staged(ingest, chunks_of("a", 3))

    def cancel() -> None:
        with transaction() as session:
            task_store.cancel(session, ingest.task_id, user)

    together(cancel, lambda: activated(ingest, a=3))
    swept(100)
    with transaction() as session:
        record = collections.get(session, user, "library")
        assert (record.status, vectors.count(session, record.id).chunks) in {("draft", 0), ("active", 3)}


def test_a_sweep_removes_a_few_at_a_time_and_nothing_that_is_found() -> None:
    user = customer()
    put(user, "a", 5)
    kept = put(user, "a", 7, seed=1)
    assert rows() == 12
    assert [swept(2) for _ in range(4)] == [2, 2, 1, 0]
    assert rows() == 7
    assert sql("SELECT count(*) FROM collection_documents") == 1
    with transaction() as session:
        assert vectors.count(session, kept.collection_id) == Counts(1, 7)


def test_of_a_deleted_collection_everything_goes() -> None:
    user = customer()
    put(user, "a", 5)
    staged(opened(user), chunks_of("b", 5))
    with transaction() as session:
        collections.delete_collection(session, user, "library")
    while swept(3):
        pass
    for table in ("collections", "collection_ingests", "collection_documents", "collection_chunks"):
        assert sql(f"SELECT count(*) FROM {table}") == 0


def test_collections_of_any_dimensions_lie_in_one_table() -> None:
    user = customer()
    for dimensions in (2, 384, 3072):
        name = f"d{dimensions}"
        with transaction() as session:
            wanted = ingests.Wanted(user, name, "m:m", dimensions, {})
            ingest = ingests.open_ingest(session, wanted, claimed_task(user).task_id)
            vectors.stage(session, ingest, [EmbeddedChunk(Chunk("a", 0, "a"), [1.0] * dimensions)])
            vectors.activate(session, ingest, {"a": 1})
            [found] = vector_search.search(session, ingest.collection_id, [2.0] * dimensions, 10, ())
        assert found.score == pytest.approx(1.0)


def test_who_activates_waits_for_who_is_staging_and_leaves_nothing_of_it_behind() -> None:
    ingest = opened(customer())
    staged(ingest, chunks_of("a", 3))
    with transaction() as session:
        vectors.stage(session, ingest, chunks_of("b", 2))
        with in_thread(lambda: activated(ingest, a=3)) as activating:
            until_somebody_waits_for_a_lock()
            session.commit()
    assert activating.result() == Counts(1, 3)
    assert swept(100) == 2
    assert rows() == 3


def test_who_ends_a_task_takes_back_what_it_has_staged() -> None:
    user = customer()
    ingest, other = opened(user), opened(user)
    staged(ingest, chunks_of("a", 3))
    staged(other, chunks_of("b", 2))
    with transaction() as session:
        vectors.take_back(session, ingest.task_id, "The file could not be read.")
    assert activated(other, b=2) == Counts(1, 2)
    assert isinstance(outcome(lambda: activated(ingest, a=3)), CollectionNotFound)
