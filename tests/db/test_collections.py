import uuid

from side_by_side import outcome, sql, together

from backend.errors import CollectionNotFound
from backend.vectors.chunks import Ingest
from db import collections, ingests
from db.database import transaction
from tests.builders import claimed_task, customer


def opened(user_id: int, name: str = "library") -> Ingest:
    with transaction() as session:
        wanted = ingests.Wanted(user_id, name, "local:hashing-8", 8, {})
        return ingests.open_ingest(session, wanted, claimed_task(user_id).task_id)


def test_a_page_shows_the_customers_own_newest_first() -> None:
    user, stranger = customer(), customer()
    for name in ("a", "b", "c"):
        opened(user, name=name)
    opened(stranger, name="theirs")
    with transaction() as session:
        first = collections.page(session, user, limit=2)
        rest = collections.page(session, user, before=(first[-1].created_at, first[-1].id), limit=2)
    assert [[row.name for row in rows] for rows in (first, rest)] == [["c", "b"], ["a"]]


def test_only_the_owner_deletes_and_only_once() -> None:
    user, stranger = customer(), customer()
    ingest = opened(user)

    def delete(user_id: int) -> uuid.UUID:
        with transaction() as session:
            return collections.delete_collection(session, user_id, "library")

    assert isinstance(outcome(lambda: delete(stranger)), CollectionNotFound)
    answers = together(lambda: delete(user), lambda: delete(user))
    assert sorted(map(type, answers), key=str) == sorted([uuid.UUID, CollectionNotFound], key=str)
    with transaction() as session:
        ingests.settle(session, ingest, reason="too late")
    assert sql("SELECT count(*) FROM collections") == 0
