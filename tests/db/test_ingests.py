import uuid
from typing import Any

import pytest
from side_by_side import in_thread, outcome, said, sql, together, until_somebody_waits_for_a_lock

from backend.errors import ClaimLost, CollectionNotFound, EmbeddingMismatch
from backend.vectors.chunks import Counts, Ingest
from db import collections, ingests, task_store
from db.database import transaction
from db.ingests import NEVER_ACTIVATED, Wanted
from db.models import TaskStatus
from db.vector_models import COLLECTION_MOVES, Collection, CollectionStatus
from tests.builders import change, claimed_task, customer


def wanted(user_id: int, name: str = "library", model: str = "local:hashing-8", dimensions: int = 8) -> Wanted:
    return Wanted(user_id, name, model, dimensions, {"chunk_size": 512})


def opened(user_id: int, task_id: uuid.UUID | None = None, **asked: Any) -> Ingest:
    task_id = task_id or claimed_task(user_id).task_id
    with transaction() as session:
        return ingests.open_ingest(session, wanted(user_id, **asked), task_id)


def settled(ingest: Ingest, **terms: Any) -> None:
    with transaction() as session:
        ingests.settle(session, ingest, **terms)


def record(user_id: int, name: str = "library") -> Collection:
    with transaction() as session:
        return collections.get(session, user_id, name)


def record_in(status: CollectionStatus) -> uuid.UUID:
    ingest = opened(customer())
    sql("UPDATE collections SET status = :status", status=status)
    return ingest.collection_id


@pytest.mark.parametrize("came_from", CollectionStatus)
@pytest.mark.parametrize("to", CollectionStatus)
def test_a_record_moves_along_the_table_only(came_from: CollectionStatus, to: CollectionStatus) -> None:
    collection_id = record_in(came_from)
    with transaction() as session:
        ingests._move(session, collection_id, to, {"reason": "moved"})
    moved = sql("SELECT status FROM collections WHERE reason = 'moved'")
    assert moved == (to if to in COLLECTION_MOVES[came_from] else None)


def test_the_table_of_moves_is_this() -> None:
    legal = {f"{came_from} → {to}" for came_from, onward in COLLECTION_MOVES.items() for to in onward}
    assert legal == {
        "draft → ingesting", "ingesting → active", "ingesting → failed", "ingesting → draft", "active → ingesting",
        "failed → ingesting",
    }  # fmt: skip


def test_an_open_ingest_is_shown_on_the_record() -> None:
    user = customer()
    ingest = opened(user)
    row = record(user)
    assert (row.status, row.task_id, row.settings) == ("ingesting", ingest.task_id, {"chunk_size": 512})


def test_opening_again_is_opening_once() -> None:
    user = customer()
    first = opened(user)
    assert opened(user, first.task_id) == first
    assert sql("SELECT count(*) FROM collection_ingests") == 1


def test_two_that_make_a_collection_at_once_make_one() -> None:
    user = customer()
    tasks = [claimed_task(user).task_id for _ in range(2)]
    first, second = together(*(lambda task_id=task_id: opened(user, task_id) for task_id in tasks))
    assert first.collection_id == second.collection_id
    assert sql("SELECT count(*) FROM collection_ingests") == 2


def test_a_record_stays_ingesting_until_the_last_has_settled() -> None:
    user = customer()
    first, second = opened(user), opened(user)
    settled(first, counts=Counts(1, 5))
    assert (record(user).status, record(user).chunk_count) == ("ingesting", 5)
    settled(second, reason="The file could not be read.")
    assert (record(user).status, record(user).reason) == ("active", None)


def test_settling_twice_changes_nothing() -> None:
    user = customer()
    ingest = opened(user)
    settled(ingest, reason="The file could not be read.")
    settled(ingest, reason="Something else.")
    assert record(user).reason == "The file could not be read."


def test_a_new_ingest_forgets_why_the_last_one_failed() -> None:
    user = customer()
    settled(opened(user), reason="The file could not be read.")
    opened(user)
    assert (record(user).status, record(user).reason) == ("ingesting", None)


def test_vectors_of_two_models_do_not_mix() -> None:
    user = customer()
    settled(opened(user), counts=Counts(1, 5))
    with pytest.raises(EmbeddingMismatch) as refused:
        opened(user, model="openai:text-embedding-3-small", dimensions=1536)
    assert refused.value.context == {"embedding_model": "local:hashing-8", "dimensions": 8}
    assert record(user).status == "active"


def test_a_collection_with_nothing_in_it_takes_another_model() -> None:
    user = customer()
    settled(opened(user), reason="The file could not be read.")
    assert opened(user, model="openai:text-embedding-3-small", dimensions=1536).dimensions == 1536
    assert record(user).embedding_model == "openai:text-embedding-3-small"
    with pytest.raises(EmbeddingMismatch):  # somebody is at it
        opened(user)


def test_a_task_that_has_ended_opens_nothing() -> None:
    user = customer()
    ended = change(claimed_task(user).task_id, status=TaskStatus.FAILED)
    for task_id in (ended.id, uuid.uuid4()):
        assert isinstance(outcome(lambda task_id=task_id: opened(user, task_id)), ClaimLost)
    with pytest.raises(CollectionNotFound):
        record(user)


def ended_in(status: TaskStatus, **columns: Any) -> list[str | None]:
    """Reasons of the ingests that a sweep finds, of one whose task has ended so and of one that runs."""
    user = customer()
    ingest = opened(user)
    opened(user, name="another")
    change(ingest.task_id, status=status, **columns)
    with transaction() as session:
        return [ended.reason for ended in ingests.ended_ingests(session, 10) if ended.ingest == ingest]


def test_ingests_of_ended_tasks_are_found_with_their_reason() -> None:
    assert ended_in(TaskStatus.CANCELLED, error_message="The task was cancelled.") == [None]
    assert ended_in(TaskStatus.FAILED, error_message="The file could not be read.") == ["The file could not be read."]
    assert ended_in(TaskStatus.COMPLETED) == [NEVER_ACTIVATED]
    assert ended_in(TaskStatus.QUEUED) == []
    assert ended_in(TaskStatus.WAITING) == []


def test_a_cancel_waits_for_who_makes_sure_that_the_task_runs() -> None:
    claim = claimed_task()
    with transaction() as session:
        ingests.task_is_alive(session, claim.task_id)

        def cancel() -> None:
            with transaction() as another:
                task_store.cancel(another, claim.task_id, claim.user_id)

        with in_thread(cancel) as cancelling:
            until_somebody_waits_for_a_lock()
            assert said(session, "SELECT status FROM tasks WHERE id = :id", id=claim.task_id) == "PROCESSING"
            session.commit()
    assert cancelling.result() is None
