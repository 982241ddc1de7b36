"""Signing in by trying: counted in the database, so for every API process; alike for who is there and who is not."""

from collections.abc import Iterator

import httpx
import pytest
from hall_client import Hall, problem_of
from sqlalchemy import text
from starlette.requests import Request

from api import doorstep
from api.credentials import Verified
from api.doorstep import network_of
from backend.errors import TooManyRequests
from backend.storage.door import Storage
from db.database import transaction
from db.sign_in_tries import Patience
from tests.conftest import forget_settings

PASSWORD = "a long and private sentence"
WRONG = "not the sentence at all"


@pytest.fixture(autouse=True)
def _quick_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about how often, not about argon2id."""
    monkeypatch.setattr("api.auth_routes.hash_password", lambda password: f"hash of {password}")
    monkeypatch.setattr("api.auth_routes.verified", lambda password, kept: Verified(kept == f"hash of {password}"))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorstep, "PAIR", Patience(free=2, first=60, longest=60, forgotten=1000))


@pytest.fixture
def two_processes(database: str, hall_storage: Storage) -> Iterator[tuple[Hall, Hall]]:
    """Two apps with nothing in common but the database."""
    halls = Hall(hall_storage), Hall(hall_storage)
    yield halls
    for hall in halls:
        hall.close()


def login(hall: Hall, email: str, password: str = WRONG) -> httpx.Response:
    return hall.send("POST", "/auth/login", json={"email": email, "password": password})


def register(hall: Hall, email: str) -> httpx.Response:
    return hall.send("POST", "/auth/register", json={"email": email, "password": PASSWORD})


def test_a_password_is_guessed_no_more_often_by_asking_another_process(
    two_processes: tuple[Hall, Hall], impatient: None
) -> None:
    register(two_processes[0], "ada@example.com")
    answers = [login(two_processes[number % 2], "ada@example.com") for number in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    assert problem_of(answers[-1], 429)["error_code"] == "TOO_MANY_REQUESTS"
    assert 30 < int(answers[-1].headers["retry-after"]) <= 60
    assert login(two_processes[1], "ada@example.com", PASSWORD).status_code == 429


def test_an_unknown_account_is_answered_like_a_known_one_to_the_last_word(hall: Hall, impatient: None) -> None:
    register(hall, "ada@example.com")
    known, unknown = ([login(hall, email) for _ in range(5)] for email in ("ada@example.com", "nobody@example.com"))
    assert [answer.status_code for answer in known] == [401, 401, 401, 429, 429]
    for one, other in zip(known, unknown, strict=True):
        assert one.status_code == other.status_code
        assert one.json() | {"request_id": ""} == other.json() | {"request_id": ""}
        assert set(one.headers) == set(other.headers)


def test_who_signs_in_well_is_never_held_up(hall: Hall, impatient: None) -> None:
    register(hall, "ada@example.com")
    assert {login(hall, "ada@example.com", PASSWORD).status_code for _ in range(30)} == {200}


def test_a_try_that_was_never_judged_is_no_failure(
    hall: Hall, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crowd at the door takes every turn at hashing: who is told to come again later does."""
    register(hall, "ada@example.com")
    with monkeypatch.context() as crowd:
        crowd.setattr("api.auth_routes.verified", _no_turn)
        assert {login(hall, "ada@example.com", PASSWORD).status_code for _ in range(6)} == {429}
    assert login(hall, "ada@example.com", PASSWORD).status_code == 200


def _no_turn(_password: str, _kept: str | None) -> Verified:
    raise TooManyRequests("Too many sign in at this moment.")


def test_one_password_is_not_tried_on_many_accounts(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorstep, "NETWORK", Patience(free=3, first=60, longest=60, forgotten=1000))
    answers = [login(hall, f"customer-{number}@example.com").status_code for number in range(6)]
    assert answers == [401, 401, 401, 401, 429, 429]


def test_a_stranger_locks_no_customer_out(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand machines try the account; its customer signs in from where they always do."""
    monkeypatch.setattr(doorstep, "ACCOUNT", Patience(free=3, first=60, longest=60, forgotten=1000))
    networks = iter(["192.0.2.1", "192.0.2.1"] + [f"198.51.100.{number}" for number in range(6)] + ["192.0.2.1"])
    monkeypatch.setattr(doorstep, "network_of", lambda _request: next(networks))
    register(hall, "ada@example.com")
    assert login(hall, "ada@example.com", PASSWORD).status_code == 200
    assert [login(hall, "ada@example.com").status_code for _ in range(6)] == [401, 401, 401, 401, 429, 429]
    assert login(hall, "ada@example.com", PASSWORD).status_code == 200


def test_addresses_are_not_asked_for_one_after_the_other_by_opening_accounts(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EMAIL_TAKEN tells that there is an account; there is no e-mail to tell it by instead, so it is told slowly."""
    monkeypatch.setattr(doorstep, "OPENED", Patience(free=2, first=60, longest=60, forgotten=1000))
    answers = [register(hall, "ada@example.com").status_code for _ in range(5)]
    assert answers == [201, 409, 409, 429, 429]


def test_neither_the_address_nor_the_network_can_be_read_from_what_is_counted(hall: Hall) -> None:
    login(hall, "ada@example.com")
    with transaction() as session:
        kept = session.scalars(text("SELECT t::text FROM sign_in_tries t")).all()
    assert len(kept) == 3
    assert not any("ada" in row or "127.0.0" in row for row in kept)


def test_without_a_rate_nobody_is_counted(hall: Hall, impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_PER_SECOND", "0")
    forget_settings()
    assert {login(hall, "ada@example.com").status_code for _ in range(6)} == {401}


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_who_is_given_many_addresses_is_counted_as_one(host: str, network: str) -> None:
    assert network_of(Request({"type": "http", "client": (host, 1)})) == network
