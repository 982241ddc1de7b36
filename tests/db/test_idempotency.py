from dataclasses import replace
from threading import Thread

import pytest
from sqlalchemy import text

from backend.errors import IdempotencyMismatch, RequestInFlight
from db import accounts, idempotency
from db.database import Session, transaction
from db.idempotency import Answer, Request


@pytest.fixture
def request_of_ada(database: str) -> Request:
    with transaction() as session:
        ada = accounts.register(session, "ada@example.com", "hash")
    return Request(ada.id, "POST /tasks", "key", "hash of the request")


def answer(request: Request) -> None:
    with transaction() as session:
        assert idempotency.begin(session, request) is None
        idempotency.remember(session, request, 201, {"made": 1})


def kept(request: Request) -> Answer | None:
    with transaction() as session:
        return idempotency.begin(session, request)


def test_a_request_that_was_answered_gives_the_same_answer(request_of_ada: Request) -> None:
    answer(request_of_ada)

    assert kept(request_of_ada) == Answer(201, {"made": 1})


def test_another_request_with_the_same_key_is_a_mismatch(request_of_ada: Request) -> None:
    answer(request_of_ada)

    with pytest.raises(IdempotencyMismatch):
        kept(replace(request_of_ada, request_hash="another"))


def test_another_route_or_key_is_another_request(request_of_ada: Request) -> None:
    answer(request_of_ada)

    assert kept(replace(request_of_ada, route="POST /other")) is None
    assert kept(replace(request_of_ada, key="another")) is None


def test_another_customers_key_is_another_request(request_of_ada: Request) -> None:
    answer(request_of_ada)
    with transaction() as session:
        bob = accounts.register(session, "bob@example.com", "hash")

    assert kept(replace(request_of_ada, user_id=bob.id)) is None


def test_a_request_that_is_being_answered_is_in_flight(request_of_ada: Request) -> None:
    outcomes: list[str] = []

    def meanwhile() -> None:
        try:
            kept(request_of_ada)
        except RequestInFlight:
            outcomes.append("in flight")

    with transaction() as session:
        idempotency.begin(session, request_of_ada)
        thread = Thread(target=meanwhile)
        thread.start()
        thread.join(5)

    assert outcomes == ["in flight"]
    assert kept(request_of_ada) is None


def test_work_that_failed_leaves_the_key_free(request_of_ada: Request) -> None:
    def fail(session: Session) -> None:
        idempotency.begin(session, request_of_ada)
        idempotency.remember(session, request_of_ada, 201, {"made": 1})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), transaction() as session:
        fail(session)

    answer(request_of_ada)


def grow_old(hours: int) -> None:
    with transaction() as session:
        session.execute(
            text("UPDATE idempotency_keys SET created_at = created_at - make_interval(hours => :h)"), {"h": hours}
        )


def test_an_answer_is_kept_for_a_day(request_of_ada: Request) -> None:
    answer(request_of_ada)

    grow_old(23)
    assert kept(request_of_ada) is not None
    grow_old(2)
    assert kept(request_of_ada) is None


def test_a_key_that_grew_old_may_name_another_request(request_of_ada: Request) -> None:
    answer(request_of_ada)
    grow_old(25)

    answer(replace(request_of_ada, request_hash="another"))

    assert kept(replace(request_of_ada, request_hash="another")) is not None


def test_only_old_answers_are_forgotten(request_of_ada: Request) -> None:
    answer(request_of_ada)
    grow_old(25)
    answer(replace(request_of_ada, key="young"))

    with transaction() as session:
        assert idempotency.forget_old(session) == 1
    assert kept(replace(request_of_ada, key="young")) is not None
