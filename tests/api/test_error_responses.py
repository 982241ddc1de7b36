from collections.abc import AsyncIterator, Iterator, MutableMapping
from functools import cache
from typing import Any

import httpx
import pytest
import redis
from fastapi import APIRouter, FastAPI
from hall_client import Customer, Hall, problem_of
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from api import error_responses
from api.edge import LARGEST_BODY
from backend import errors
from backend.errors import AgensiumError, DatabaseUnavailable, ModelUnavailable
from backend.main import create_app
from db.database import transaction

Logged = list[MutableMapping[str, Any]]
SECRET = "/srv/agensium/secret.py SELECT password_hash"


@pytest.fixture(autouse=True)
def logged() -> Iterator[Logged]:
    """What the log was told."""
    with capture_logs() as lines:
        yield lines


def of_errors(logged: Logged) -> Logged:
    """Without the line that each request has."""
    return [line for line in logged if line["event"] != "request answered"]


def answer_to(error: BaseException) -> httpx.Response:
    """What a route that raises is answered with, and with nothing behind the hall."""
    import asyncio

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app_that_raises(), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://hall") as client:
            return await client.get("/raises")

    raised.append(error)
    return asyncio.run(ask())


raised: list[BaseException] = []


@cache
def app_that_raises() -> FastAPI:
    """What was put into `raised` last. One for all: an app's first request, which solves its routes, takes 30 ms."""
    router = APIRouter()

    @router.get("/raises")
    def raises() -> None:
        raise raised[-1]

    app = create_app()
    app.include_router(router)
    return app


def every_error() -> list[type[AgensiumError]]:
    found, waiting = [], [AgensiumError]
    while waiting:
        kind = waiting.pop()
        found.append(kind)
        waiting += kind.__subclasses__()
    return [kind for kind in found if kind.__module__ == errors.__name__ and kind is not errors.AgentFailed]


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_each_error_of_ours_is_answered_with_its_code_and_status(kind: type[AgensiumError]) -> None:
    answer = answer_to(kind(detail=SECRET))

    body = problem_of(answer, kind.http_status)
    assert (body["error_code"], body["detail"], body["next_action"]) == (
        kind.error_code,
        kind.message,
        kind.next_action,
    )
    assert body["type"] == f"urn:agensium:error:{kind.error_code.lower().replace('_', '-')}"
    assert "secret" not in answer.text


def test_an_errors_sentence_and_context_are_shown() -> None:
    body = problem_of(answer_to(errors.TaskNotFound("Not that one.", task_id="7")), 404)

    assert (body["detail"], body["title"], body["context"]) == ("Not that one.", "Not Found", {"task_id": "7"})


def test_a_bug_of_ours_is_500_and_says_nothing_of_it_but_to_the_log(logged: Logged) -> None:
    error = ZeroDivisionError(SECRET)
    answer = answer_to(error)

    assert problem_of(answer, 500)["error_code"] == "INTERNAL_ERROR"
    assert "secret" not in answer.text
    assert "ZeroDivision" not in answer.text
    assert [(line["log_level"], line["exc_info"]) for line in of_errors(logged)] == [("error", error)]


def test_a_customers_kind_of_error_that_a_library_raised_is_still_our_bug() -> None:
    assert problem_of(answer_to(UnicodeDecodeError("utf-8", b"", 0, 1, "no")), 500)["error_code"] == "INTERNAL_ERROR"


@pytest.mark.parametrize(
    ("error", "error_code"),
    [
        (OperationalError("SELECT 1", {}, Exception(SECRET)), "DATABASE_UNAVAILABLE"),
        (redis.ConnectionError(SECRET), "INTERNAL_ERROR"),
        (ConnectionResetError(SECRET), "INTERNAL_ERROR"),
        (httpx.ConnectError(SECRET), "MODEL_UNAVAILABLE"),
    ],
)
def test_a_hiccup_of_the_world_is_503_and_may_be_tried_again(error: Exception, error_code: str) -> None:
    answer = answer_to(error)

    assert problem_of(answer, 503)["error_code"] == error_code
    assert answer.headers["retry-after"] == "1"
    assert "secret" not in answer.text


def test_a_hiccup_that_knows_when_says_when() -> None:
    assert answer_to(ModelUnavailable(retry_after=7.4)).headers["retry-after"] == "8"  # earlier would be too early


def test_a_lost_database_is_a_warning_without_a_traceback(logged: Logged) -> None:
    answer = answer_to(OperationalError("SELECT 1", {}, Exception("gone")))

    assert DatabaseUnavailable.error_code in answer.text
    (line,) = of_errors(logged)
    assert line["log_level"] == "warning"
    assert "exc_info" not in line
    assert "gone" in line["detail"]


def test_an_address_that_is_not_there_is_a_problem_too(lobby: Hall) -> None:
    assert problem_of(lobby.send("GET", "/nothing/here"), 404)["error_code"] == "NOT_FOUND"


def test_a_method_that_is_not_taken_says_which_are(lobby: Hall) -> None:
    answer = lobby.send("DELETE", "/tools")

    assert problem_of(answer, 405)["error_code"] == "METHOD_NOT_ALLOWED"
    assert answer.headers["allow"] == "GET"


def test_a_body_over_the_bound_is_refused_unread(lobby: Hall) -> None:
    async def never_read() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    answer = lobby.send("POST", "/auth/login", content=never_read(), headers={"Content-Length": str(LARGEST_BODY + 1)})

    assert problem_of(answer, 413)["error_code"] == "BODY_TOO_LARGE"


def test_a_body_that_does_not_say_how_large_it_is_is_bounded_as_well(lobby: Hall) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b" " * 2**20

    answer = lobby.send("POST", "/auth/login", content=endless())

    assert problem_of(answer, 413)["error_code"] == "BODY_TOO_LARGE"


def test_a_request_that_is_not_valid_names_every_field_at_fault(lobby: Hall) -> None:
    body = problem_of(lobby.send("POST", "/auth/register", json={"email": "nobody", "passwort": "x"}), 422)

    assert body["error_code"] == "BAD_REQUEST"
    assert {fault["field"] for fault in body["context"]["fields"]} == {"email", "password", "passwort"}
    assert "email" in body["detail"]


def test_an_answer_is_not_larger_than_the_body_whose_faults_it_names(lobby: Hall) -> None:
    many = {f"{number:x}": 1 for number in range(2 * error_responses.MOST_FAULTS_TOLD)}

    body = problem_of(lobby.send("POST", "/auth/login", json=many), 422)

    assert len(body["context"]["fields"]) == error_responses.MOST_FAULTS_TOLD


def test_every_answer_tells_browsers_not_to_guess(lobby: Hall) -> None:
    for path in ("/healthz", "/tools", "/openapi.json", "/nothing"):
        assert lobby.send("GET", path).headers["x-content-type-options"] == "nosniff"


def test_what_fails_at_the_commit_is_not_answered_as_done(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction ends before the answer goes out."""
    with transaction() as session:
        session.execute(text("CREATE FUNCTION refuse() RETURNS trigger AS 'BEGIN RAISE ''no''; END' LANGUAGE plpgsql"))
        session.execute(
            text(
                "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON api_keys DEFERRABLE INITIALLY DEFERRED"
                " FOR EACH ROW EXECUTE FUNCTION refuse()"
            )
        )
    try:
        answer = customer.post("/auth/api-keys", {"name": "late"})
    finally:
        with transaction() as session:
            session.execute(text("DROP FUNCTION refuse CASCADE"))

    problem_of(answer, 500)
    assert customer.get("/auth/api-keys").json() == {"api_keys": []}


def test_the_statuses_that_we_document_are_those_we_answer_with() -> None:
    documented = error_responses.problems(errors.TaskNotFound, errors.BadParameters, errors.BadRequest)

    assert set(documented) == {401, 404, 422, 429}
    assert set(documented[422]["content"]["application/problem+json"]["examples"]) == {"BAD_PARAMETERS", "BAD_REQUEST"}
