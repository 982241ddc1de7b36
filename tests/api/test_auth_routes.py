from typing import Any

import httpx
import jwt
import pytest
from freezegun import freeze_time
from hall_client import Customer, Hall, problem_of
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from api import credentials
from api.credentials import AUDIENCE, ISSUER, access_token
from backend.settings import get_settings
from db.database import transaction
from db.models import RefreshToken, User
from tests.conftest import forget_settings

PASSWORD = "a long sentence, easily remembered"


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2id all the same, at a hundredth of the work."""
    hasher = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1),))
    monkeypatch.setattr(credentials, "_hasher", lambda: hasher)
    credentials._nobodys_hash.cache_clear()


def register(hall: Hall, email: str = "ada@example.com", password: str = PASSWORD) -> httpx.Response:
    return hall.send("POST", "/auth/register", json={"email": email, "password": password})


def refresh(hall: Hall, token: str) -> httpx.Response:
    return hall.send("POST", "/auth/refresh", json={"refresh_token": token})


def me(hall: Hall, token: str) -> httpx.Response:
    return hall.send("GET", "/auth/me", headers={"Authorization": f"Bearer {token}"})


def test_registering_signs_in_at_once(hall: Hall) -> None:
    answer = register(hall, "Ada@Example.com")

    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    told = me(hall, answer.json()["access_token"]).json()
    assert told == {"user_id": answer.json()["user_id"], "email": "ada@example.com", "role": "customer"}


def test_a_new_customer_gets_the_welcome_credits(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    generous = get_settings().model_copy(update={"signup_credits": 70})
    monkeypatch.setattr("api.auth_routes.get_settings", lambda: generous)

    token = register(hall).json()["access_token"]

    assert hall.send("GET", "/credits", headers={"Authorization": f"Bearer {token}"}).json() == {"balance": 70}


def test_an_address_registers_once_whatever_its_case(hall: Hall) -> None:
    register(hall, "ada@example.com")

    assert problem_of(register(hall, "ADA@example.com"), 409)["error_code"] == "EMAIL_TAKEN"


def test_a_short_password_is_refused_by_the_name_of_its_field(hall: Hall) -> None:
    problem = problem_of(register(hall, password="short"), 422)

    assert problem["error_code"] == "BAD_REQUEST"
    assert problem["context"]["fields"][0]["field"] == "password"
    assert "short" not in problem["context"]["fields"][0]["message"].replace("shorter", "")


def test_a_password_is_kept_as_argon2id(hall: Hall) -> None:
    user_id = register(hall).json()["user_id"]

    with transaction() as session:
        user = session.get(User, user_id)
    assert user is not None
    assert user.password_hash.startswith("$argon2id$")


def test_a_registered_customer_signs_in(hall: Hall) -> None:
    user_id = register(hall).json()["user_id"]

    answer = hall.send("POST", "/auth/login", json={"email": "ADA@example.com", "password": PASSWORD})

    assert answer.status_code == 200
    assert me(hall, answer.json()["access_token"]).json()["user_id"] == user_id


def test_a_wrong_password_and_an_unknown_customer_get_the_same_answer(hall: Hall) -> None:
    register(hall)

    wrong = hall.send("POST", "/auth/login", json={"email": "ada@example.com", "password": "not the sentence"})
    unknown = hall.send("POST", "/auth/login", json={"email": "bob@example.com", "password": "not the sentence"})

    told = [problem_of(answer, 401) | {"request_id": ""} for answer in (wrong, unknown)]
    assert told[0] == told[1]


def test_an_unknown_customer_costs_a_hash_like_a_known_one(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    hasher = credentials._hasher()
    verify = hasher.verify_and_update
    monkeypatch.setattr(hasher, "verify_and_update", lambda p, h: hashed.append(h) or verify(p, h))

    hall.send("POST", "/auth/login", json={"email": "bob@example.com", "password": "not the sentence"})

    assert len(hashed) == 1
    assert hashed[0].startswith("$argon2id$")


def test_a_refresh_token_is_exchanged_for_new_tokens(hall: Hall) -> None:
    first = register(hall).json()

    second = refresh(hall, first["refresh_token"])

    assert second.status_code == 200
    assert second.json()["refresh_token"] != first["refresh_token"]
    assert me(hall, second.json()["access_token"]).status_code == 200
    assert refresh(hall, second.json()["refresh_token"]).status_code == 200


def spent_long_ago() -> None:
    with transaction() as session:
        session.query(RefreshToken).filter(RefreshToken.spent_at.is_not(None)).update({"spent_at": "2020-01-01"})


def test_using_a_spent_refresh_token_ends_its_whole_family(hall: Hall) -> None:
    first = register(hall).json()["refresh_token"]
    second = refresh(hall, first).json()["refresh_token"]
    spent_long_ago()

    problem_of(refresh(hall, first), 401)

    problem_of(refresh(hall, second), 401)


def test_a_family_that_ended_leaves_the_customers_other_devices_signed_in(hall: Hall) -> None:
    here = register(hall).json()["refresh_token"]
    login = {"email": "ada@example.com", "password": PASSWORD}
    there = hall.send("POST", "/auth/login", json=login).json()["refresh_token"]
    refresh(hall, here)
    spent_long_ago()
    refresh(hall, here)

    assert refresh(hall, there).status_code == 200


def test_two_tabs_that_refresh_at_one_moment_both_stay_signed_in(hall: Hall) -> None:
    token = register(hall).json()["refresh_token"]
    asked = ("POST", "/auth/refresh", {"json": {"refresh_token": token}})

    answers = hall.together(asked, asked)

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [refresh(hall, answer.json()["refresh_token"]).status_code for answer in answers] == [200, 200]


def test_a_refresh_token_grows_too_old(hall: Hall) -> None:
    token = register(hall).json()["refresh_token"]
    with transaction() as session:
        session.query(RefreshToken).update({"expires_at": "2020-01-01"})

    problem_of(refresh(hall, token), 401)


def test_signing_out_ends_the_refresh_token(hall: Hall) -> None:
    token = register(hall).json()["refresh_token"]

    assert hall.send("POST", "/auth/logout", json={"refresh_token": token}).status_code == 204

    problem_of(refresh(hall, token), 401)


def test_signing_out_with_an_unknown_token_does_not_matter(hall: Hall) -> None:
    assert hall.send("POST", "/auth/logout", json={"refresh_token": "rt_unknown"}).status_code == 204


def test_a_refresh_token_is_kept_as_a_digest_only(hall: Hall) -> None:
    token = register(hall).json()["refresh_token"]

    with transaction() as session:
        kept = session.query(RefreshToken).one()
    assert token not in kept.token_hash
    assert len(kept.token_hash) == 64


def test_an_access_token_grows_too_old_after_a_quarter_of_an_hour(customer: Customer) -> None:
    with freeze_time("2025-03-01 12:00:00") as clock:
        token = access_token(customer.id, 0)
        clock.tick(14 * 60)
        assert me(customer.hall, token).status_code == 200
        clock.tick(2 * 60)
        problem = problem_of(me(customer.hall, token), 401)

    assert problem["error_code"] == "NOT_AUTHENTICATED"


def test_an_access_token_says_only_who(customer: Customer) -> None:
    claims = jwt.decode(access_token(customer.id, 0), options={"verify_signature": False})

    assert set(claims) == {"iss", "aud", "sub", "iat", "exp", "jti", "gen"}
    assert claims["sub"] == str(customer.id)
    assert claims["exp"] - claims["iat"] == 900


@pytest.mark.parametrize(
    ("secret", "algorithm", "changed"),
    [
        ("another secret of at least thirty-two bytes", "HS256", {}),
        (None, "HS512", {}),
        (None, "HS256", {"aud": "somebody-else"}),
        (None, "HS256", {"iss": "somebody-else"}),
        (None, "HS256", {"exp": None}),
        (None, "HS256", {"jti": None}),
    ],
    ids=["forged", "other algorithm", "other audience", "other issuer", "without an end", "without an id"],
)
def test_a_token_that_is_not_ours_signs_nobody_in(
    customer: Customer, secret: str | None, algorithm: str, changed: dict[str, str | None]
) -> None:
    ours = jwt.decode(access_token(customer.id, 0), options={"verify_signature": False})
    assert ours["iss"] == ISSUER
    assert ours["aud"] == AUDIENCE
    claims = {name: value for name, value in (ours | changed).items() if value is not None}
    key = secret or get_settings().secret_key.get_secret_value().ljust(64)
    if secret is None and algorithm == "HS256":
        key = get_settings().secret_key.get_secret_value()

    problem_of(me(customer.hall, jwt.encode(claims, key, algorithm)), 401)


def test_a_token_of_a_customer_who_is_gone_signs_nobody_in(hall: Hall) -> None:
    problem_of(me(hall, access_token(4711, 0)), 401)


def test_no_token_and_no_sense_are_401_with_the_way_to_sign_in(hall: Hall) -> None:
    for header in ("", "Bearer", "Bearer ", "Basic YTpi", "Bearer ag_", "Bearer ag_x_y", "Bearer a.b.c"):
        answer = hall.send("GET", "/auth/me", headers={"Authorization": header})

        assert "login" in problem_of(answer, 401)["next_action"]
        assert answer.headers["www-authenticate"] == "Bearer"


NEW_PASSWORD = "another private sentence"


def change(hall: Hall, token: str, **asked: Any) -> httpx.Response:
    body = {"password": PASSWORD, "new_password": NEW_PASSWORD} | asked
    return hall.send("POST", "/auth/password", json=body, headers={"Authorization": f"Bearer {token}"})


def test_a_changed_password_signs_everybody_else_out_at_once(hall: Hall) -> None:
    here = register(hall).json()
    there = hall.send("POST", "/auth/login", json={"email": "ada@example.com", "password": PASSWORD}).json()

    changed = change(hall, here["access_token"])

    assert changed.headers["cache-control"] == "no-store"
    assert me(hall, changed.json()["access_token"]).status_code == 200
    assert refresh(hall, changed.json()["refresh_token"]).status_code == 200
    for stolen in (here, there):
        problem_of(me(hall, stolen["access_token"]), 401)
        problem_of(refresh(hall, stolen["refresh_token"]), 401)
    for password, status in ((PASSWORD, 401), (NEW_PASSWORD, 200)):
        login = {"email": "ada@example.com", "password": password}
        assert hall.send("POST", "/auth/login", json=login).status_code == status


def test_api_keys_go_on_unless_they_are_to_end_too(hall: Hall) -> None:
    token = register(hall).json()["access_token"]
    key = hall.send(
        "POST", "/auth/api-keys", json={"name": "nightly"}, headers={"Authorization": f"Bearer {token}"}
    ).json()["key"]
    token = change(hall, token).json()["access_token"]
    assert me(hall, key).status_code == 200

    change(hall, token, password=NEW_PASSWORD, new_password=PASSWORD, revoke_api_keys=True)

    problem_of(me(hall, key), 401)


def test_the_password_is_not_changed_by_who_does_not_know_it(hall: Hall) -> None:
    token = register(hall).json()["access_token"]

    problem_of(change(hall, token, password="a guess of a sentence"), 401)
    problem_of(change(hall, token, new_password="short"), 422)

    assert me(hall, token).status_code == 200


def test_no_api_key_changes_the_password(hall: Hall) -> None:
    token = register(hall).json()["access_token"]
    key = hall.send(
        "POST", "/auth/api-keys", json={"name": "nightly"}, headers={"Authorization": f"Bearer {token}"}
    ).json()["key"]

    assert problem_of(change(hall, key), 403)["error_code"] == "SCOPE_TOO_SMALL"


def test_a_password_that_was_hashed_more_weakly_is_hashed_anew_when_it_is_next_used(hall: Hall) -> None:
    register(hall)
    weak = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=32, parallelism=1),)).hash(PASSWORD)
    with transaction() as session:
        session.query(User).update({"password_hash": weak})
    login = {"email": "ada@example.com", "password": PASSWORD}

    token = hall.send("POST", "/auth/login", json=login).json()["access_token"]

    with transaction() as session:
        kept = session.query(User).one().password_hash
    assert kept.startswith("$argon2id$v=19$m=64,t=1,p=1$")  # as `_quick_hashes` does it today
    assert me(hall, token).status_code == 200
    assert hall.send("POST", "/auth/login", json=login).status_code == 200


def test_the_secret_key_is_exchanged_without_signing_anybody_out(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, old = access_token(customer.id, 0), get_settings().secret_key.get_secret_value()
    monkeypatch.setenv("SECRET_KEY", "another secret of at least thirty-two bytes")
    forget_settings()
    problem_of(me(customer.hall, token), 401)

    monkeypatch.setenv("SECRET_KEY_PREVIOUS", old)
    forget_settings()

    assert me(customer.hall, token).status_code == 200
    assert jwt.decode(access_token(customer.id, 0), options={"verify_signature": False})["sub"] == str(customer.id)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(access_token(customer.id, 0), old, ["HS256"], audience=AUDIENCE)
    monkeypatch.undo()
    forget_settings()
