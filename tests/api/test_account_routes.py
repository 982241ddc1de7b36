import uuid
from datetime import datetime, timedelta

import pytest
from hall_client import Customer, Hall, problem_of

from db.database import transaction
from db.models import ApiKey


def make_key(customer: Customer) -> dict[str, str]:
    answer = customer.post("/auth/api-keys", {"name": "nightly"})
    assert answer.status_code == 201
    return answer.json()


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
def test_an_api_key_signs_in_by_either_header(customer: Customer, header: str) -> None:
    key = make_key(customer)["key"]
    value = f"Bearer {key}" if header == "Authorization" else key

    answer = customer.hall.send("GET", "/auth/me", headers={header: value})

    assert answer.json()["user_id"] == customer.id


def test_an_api_key_is_shown_once_and_kept_as_a_digest(customer: Customer) -> None:
    made = make_key(customer)

    listed = customer.get("/auth/api-keys").json()["api_keys"]

    assert made["key"].startswith(f"ag_{made['prefix']}_")
    assert [set(key) for key in listed] == [
        {"id", "name", "prefix", "scope", "created_at", "expires_at", "last_used_at"}
    ]
    with transaction() as session:
        kept = session.query(ApiKey).one()
    assert made["key"].rpartition("_")[2] not in kept.key_hash


def test_a_key_with_the_right_prefix_and_a_wrong_secret_is_refused(customer: Customer) -> None:
    made = make_key(customer)

    answer = customer.hall.send("GET", "/auth/me", headers={"X-API-Key": f"ag_{made['prefix']}_wrong"})

    problem_of(answer, 401)


def test_a_revoked_key_stops_working_and_leaves_the_list(customer: Customer) -> None:
    made = make_key(customer)

    assert customer.send("DELETE", f"/auth/api-keys/{made['id']}").status_code == 204

    problem_of(customer.hall.send("GET", "/auth/me", headers={"X-API-Key": made["key"]}), 401)
    assert customer.get("/auth/api-keys").json() == {"api_keys": []}


def test_another_customers_key_cannot_be_revoked(customer: Customer, stranger: Customer) -> None:
    made = make_key(customer)

    problem_of(stranger.send("DELETE", f"/auth/api-keys/{made['id']}"), 404)

    assert customer.hall.send("GET", "/auth/me", headers={"X-API-Key": made["key"]}).status_code == 200


def test_a_key_that_never_was_cannot_be_revoked(customer: Customer) -> None:
    problem_of(customer.send("DELETE", f"/auth/api-keys/{uuid.uuid4()}"), 404)


def test_an_api_key_without_a_name_is_refused(customer: Customer) -> None:
    problem_of(customer.post("/auth/api-keys", {"name": ""}), 422)


def test_an_administrator_grants_credits_by_id_or_by_address(admin: Customer, customer: Customer) -> None:
    by_id = admin.post("/admin/credits/grant", {"user_id": customer.id, "amount": 40, "note": "Invoice 7"})
    by_email = admin.post("/admin/credits/grant", {"email": customer.email.upper(), "amount": 2})

    assert by_id.json() == {"user_id": customer.id, "balance": 540}
    assert by_email.json() == {"user_id": customer.id, "balance": 542}
    newest = customer.get("/credits/entries").json()["entries"][1]
    assert (newest["kind"], newest["amount"], newest["note"]) == ("GRANT", 40, "Invoice 7")
    assert newest["task_id"] is None
    assert newest["agent_id"] is None


def test_a_customer_cannot_grant_credits_to_anybody(customer: Customer) -> None:
    problem = problem_of(customer.post("/admin/credits/grant", {"user_id": customer.id, "amount": 1}), 403)

    assert problem["error_code"] == "FORBIDDEN"
    assert customer.balance() == 500


def test_the_role_is_the_databases_word_from_one_request_to_the_next(admin: Customer, customer: Customer) -> None:
    from sqlalchemy import text

    with transaction() as session:
        session.execute(text("UPDATE users SET role = 'customer' WHERE id = :id"), {"id": admin.id})

    problem_of(admin.post("/admin/credits/grant", {"user_id": customer.id, "amount": 1}), 403)


def test_granting_twice_with_one_key_grants_once(admin: Customer, customer: Customer) -> None:
    asked = {"user_id": customer.id, "amount": 40}

    answers = [admin.post("/admin/credits/grant", asked, headers={"Idempotency-Key": "invoice-7"}) for _ in range(2)]

    assert answers[0].json() == answers[1].json() == {"user_id": customer.id, "balance": 540}
    assert customer.balance() == 540


NO_GRANTS = [
    {"amount": 5},
    {"user_id": 1, "email": "ada@example.com", "amount": 5},
    {"user_id": 1, "amount": 0},
    {"user_id": 1, "amount": -5},
    {"user_id": 1, "amount": 1.5},
    {"user_id": 1, "amount": 10**12},
    {"user_id": 2**70, "amount": 5},
    {"user_id": 1, "amount": 5, "note": "\0"},
    {"user_id": 1, "amount": 5, "to": "me"},
]


def test_a_grant_that_makes_no_sense_is_refused(admin: Customer) -> None:
    for asked in NO_GRANTS:
        problem = problem_of(admin.post("/admin/credits/grant", asked), 422)
        assert problem["error_code"] == "BAD_REQUEST", asked


def test_a_grant_to_nobody_is_404(admin: Customer) -> None:
    problem = problem_of(admin.post("/admin/credits/grant", {"user_id": 4711, "amount": 5}), 404)

    assert problem["error_code"] == "USER_NOT_FOUND"


def test_movements_come_newest_first_and_page_by_page(customer: Customer) -> None:
    customer.queued()
    pages, cursor = [], None
    while True:
        page = customer.get("/credits/entries", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        pages.append([(entry["kind"], entry["agent_id"]) for entry in page["entries"]])
        if (cursor := page["next"]) is None:
            break

    assert pages == [[("HOLD", "rater"), ("HOLD", "counter")], [("GRANT", None)]]


def test_movements_are_ones_own(customer: Customer, stranger: Customer) -> None:
    customer.queued()

    assert [entry["kind"] for entry in stranger.get("/credits/entries").json()["entries"]] == ["GRANT"]


@pytest.mark.parametrize("path", ["/credits/entries", "/tasks"])
def test_a_cursor_that_is_not_ours_is_refused(customer: Customer, path: str) -> None:
    for cursor in ("x", "WyJhIl0", "W10", "Wy0xXQ", "WzFlOTk5XQ", "W3RydWVd", "é", "WyIyMDI1IiwgIngiXQ"):
        assert problem_of(customer.get(path, params={"cursor": cursor}), 422)["error_code"] == "BAD_REQUEST"


def test_credits_need_somebody_signed_in(lobby: Hall) -> None:
    for path in ("/credits", "/credits/entries", "/auth/api-keys"):
        problem_of(lobby.send("GET", path), 401)


def test_a_key_says_what_it_is_for_and_until_when(customer: Customer) -> None:
    made = customer.post("/auth/api-keys", {"name": "nightly", "scope": "read", "expires_in_days": 90}).json()

    assert customer.hall.send("GET", "/auth/me", headers={"X-API-Key": made["key"]}).status_code == 200
    [listed] = customer.get("/auth/api-keys").json()["api_keys"]
    assert listed["scope"] == "read"
    assert listed["last_used_at"] is not None
    lifetime = datetime.fromisoformat(listed["expires_at"]) - datetime.fromisoformat(listed["created_at"])
    assert 89 < lifetime / timedelta(days=1) <= 90


def test_a_key_is_made_for_everything_unless_it_is_said_otherwise(customer: Customer) -> None:
    assert customer.post("/auth/api-keys", {"name": "nightly"}).json()["scope"] == "manage"


@pytest.mark.parametrize(("scope", "wider"), [("read", "run"), ("run", "manage")])
def test_no_key_makes_a_key_of_a_wider_scope(customer: Customer, scope: str, wider: str) -> None:
    key = customer.post("/auth/api-keys", {"name": "first", "scope": scope}).json()["key"]
    asked = {"json": {"name": "second", "scope": wider}, "headers": {"X-API-Key": key}}

    answer = customer.hall.send("POST", "/auth/api-keys", **asked)

    assert problem_of(answer, 403)["error_code"] == "SCOPE_TOO_SMALL"
    assert len(customer.get("/auth/api-keys").json()["api_keys"]) == 1
