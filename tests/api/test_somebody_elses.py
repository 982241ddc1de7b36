"""Every operation that the interface describes, asked for what is another customer's: it is not there.

The operations come from the OpenAPI document: a new one whose path holds an id is asked as well, and fails here until
it is said how its owner asks.
"""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from hall_client import CSV, Customer, Hall, problem_of
from sqlalchemy import select
from task_lives import published
from test_collection_routes import ingested
from test_documented import DOCUMENT, OPERATIONS

from api.cursors import cursor_of
from db.database import transaction
from db.models import Task
from db.webhook_models import WebhookDelivery

NOT_OWNED = {"tool_id", "what", "link"}  # a declaration, a kind of proof, and what holds its own right
PARTS_OF = {"role": "primary", "name": "report.html"}  # of what is owned; that of a collection is its own name
NOBODYS: Mapping[str, Any] = {
    "task_id": uuid.UUID(int=7), "key_id": uuid.UUID(int=7), "webhook_id": uuid.UUID(int=7), "delivery_id": 4_711,
    "collection": "nobodys",
}  # fmt: skip
BEFORE_ITS_RUN = {"create_upload_urls", "complete_upload", "put_input", "quote_task", "process_task", "cancel_task"}
FILES = {"primary": {"filename": "data.csv", "content_type": "text/csv", "size": len(CSV)}}
BODIES: Mapping[str, dict[str, Any]] = {
    "create_upload_urls": {"json": {"files": FILES}},
    "complete_upload": {"json": {"parts": [{"number": 1, "etag": "abc"}]}},
    "put_input": {"content": CSV, "params": {"filename": "data.csv"}},
    "search_collection": {"json": {"query": "orders"}},
    "change_webhook": {"json": {"description": "mine"}},
}


def holes(path: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", path))


def method_of(operation_id: str) -> str:
    path, operation = OPERATIONS[operation_id]
    [method] = [name for name, one in DOCUMENT["paths"][path].items() if one == operation]
    return method.upper()


OWNED = sorted(name for name, (path, _) in OPERATIONS.items() if holes(path) - NOT_OWNED)
SIGNED_IN = sorted(name for name, (_, operation) in OPERATIONS.items() if "security" in operation)
ADMINS = sorted(name for name, (path, _) in OPERATIONS.items() if path.startswith("/admin/"))


@dataclass(frozen=True)
class Belongings:
    """What one customer has, by the name of the hole in a path."""

    ids: Mapping[str, Any]
    begun: str

    def path(self, operation_id: str, **others: Any) -> str:
        path, _ = OPERATIONS[operation_id]
        given = {**self.ids, **others}
        if operation_id in BEFORE_ITS_RUN and "task_id" not in others:
            given["task_id"] = self.begun
        if path.startswith("/collections/"):
            return path.format(name=given["collection"])
        missing = holes(path) - given.keys() - PARTS_OF.keys()
        assert not missing, f"{operation_id}: say in this test what {missing} is of its owner"
        return path.format(**{**PARTS_OF, **given})


@pytest.fixture
def belongings(customer: Customer) -> Belongings:
    webhook = customer.post("/webhooks", {"url": "https://203.0.113.7.invalid/hook"}).json()["id"]
    done = customer.queued()
    published(customer, done)
    ingested(customer, "handbook")
    with transaction() as session:
        delivery = session.scalars(select(WebhookDelivery.id)).first()
    ids = {
        "task_id": done,
        "key_id": customer.post("/auth/api-keys", {"name": "nightly"}).json()["id"],
        "webhook_id": webhook,
        "delivery_id": delivery,
        "collection": "handbook",
    }
    return Belongings(ids, begun=customer.ready())


def standing(customer: Customer, belongings: Belongings) -> list[Any]:
    """All that a customer sees of what they have."""
    paths = [
        f"/tasks/{belongings.begun}", f"/tasks/{belongings.ids['task_id']}", "/webhooks", "/auth/api-keys",
        "/collections", f"/webhooks/{belongings.ids['webhook_id']}/deliveries", "/credits",
    ]  # fmt: skip
    return [customer.get(path).json() for path in paths]


def refusal(asked: Customer, operation_id: str, path: str, **headers: str) -> tuple[int, str]:
    """The status and the words, without the ids that were asked for."""
    answer = asked.send(method_of(operation_id), path, headers=headers, **BODIES.get(operation_id, {}))
    body = json.dumps(problem_of(answer, 404))
    return answer.status_code, re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}|handbook|nobodys", "<id>", body)


@pytest.mark.parametrize("operation_id", OWNED)
def test_another_customers_is_answered_like_what_does_not_exist(
    operation_id: str, customer: Customer, stranger: Customer, admin: Customer, belongings: Belongings
) -> None:
    """Nor is it there for an administrator, who is a customer on these routes."""
    etag = customer.get(f"/tasks/{belongings.ids['task_id']}").headers["etag"]  # from now on the hub knows it
    before = standing(customer, belongings)

    refusal(admin, operation_id, belongings.path(operation_id))
    theirs = refusal(stranger, operation_id, belongings.path(operation_id), **{"If-None-Match": etag})
    nobodys = refusal(stranger, operation_id, belongings.path(operation_id, **NOBODYS), **{"If-None-Match": etag})

    assert theirs == nobodys
    assert standing(customer, belongings) == before
    own = customer.send(method_of(operation_id), belongings.path(operation_id), **BODIES.get(operation_id, {}))
    assert own.status_code not in {401, 403, 404, 422}, own.text
    assert own.status_code < 500


def test_who_is_not_signed_in_learns_nothing(hall: Hall) -> None:
    for operation_id in SIGNED_IN:
        path = re.sub(r"{(\w+)}", lambda hole: str(NOBODYS.get(hole[1], "handbook")), OPERATIONS[operation_id][0])
        for headers in ({}, {"Authorization": "Bearer ag_0123456789ab_x"}, {"X-API-Key": "ag_0123456789ab_x"}):
            answer = hall.send(method_of(operation_id), path, headers=headers, **BODIES.get(operation_id, {}))
            assert problem_of(answer, 401)["error_code"] == "NOT_AUTHENTICATED", operation_id


def test_administrators_routes_are_closed_to_customers(customer: Customer) -> None:
    assert len(ADMINS) >= 7
    for operation_id in ADMINS:
        path = OPERATIONS[operation_id][0].format(what="ledger")
        for body in ({}, {"json": {"email": customer.email, "amount": 100}}, {"json": {"dry_run": False}}):
            answer = customer.send(method_of(operation_id), path, **body)
            assert problem_of(answer, 403)["error_code"] == "FORBIDDEN", operation_id
    assert customer.balance() == 500


def ids_asked_for(schema: Any, seen: tuple[str, ...] = ()) -> set[str]:
    """The properties of a schema that hold an id, by name."""
    if isinstance(schema, list):
        return set().union(*(ids_asked_for(one, seen) for one in schema), set())
    if not isinstance(schema, dict):
        return set()
    reference = schema.get("$ref")
    if reference is not None:
        name = reference.rpartition("/")[2]
        return set() if name in seen else ids_asked_for(DOCUMENT["components"]["schemas"][name], (*seen, name))
    named = {
        name for name, one in schema.get("properties", {}).items()
        if name == "id" or name.endswith(("_id", "_ids")) or "uuid" in json.dumps(one)
    }  # fmt: skip
    return named.union(*(ids_asked_for(one, seen) for one in schema.values()))


def test_no_body_and_no_query_names_what_is_somebodys_but_the_administrators() -> None:
    """What a body names needs a test like the one above; today an id is in the path, or is of a declaration."""
    found = {
        operation_id: ids_asked_for(operation.get("requestBody"))
        | {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query" and "_id" in one["name"]}
        for operation_id, (_, operation) in OPERATIONS.items()
    }
    assert {name: ids for name, ids in found.items() if ids} == {
        "create_task": {"tool_id"},
        "list_tasks": {"tool_id"},
        "list_all_tasks": {"tool_id"},
        "follow_task": {"last_event_id"},  # a number within the task of the path
        "grant_credits": {"user_id"},
        "replay_tasks": {"tool_id", "user_id"},
    }


def test_a_delivery_of_another_customer_is_not_replayed_through_ones_own_webhook(
    customer: Customer, stranger: Customer, belongings: Belongings
) -> None:
    mine = stranger.post("/webhooks", {"url": "https://203.0.113.7.invalid/hook"}).json()["id"]
    problem_of(stranger.post(f"/webhooks/{mine}/deliveries/{belongings.ids['delivery_id']}/replay"), 404)


def test_a_cursor_of_another_customer_shows_nothing_of_theirs(
    customer: Customer, stranger: Customer, belongings: Belongings
) -> None:
    for _ in range(2):
        stranger.create()
    own = {task["task_id"] for task in stranger.get("/tasks").json()["tasks"]}
    theirs = customer.get("/tasks?limit=1").json()["next"]
    shown = stranger.get("/tasks", params={"cursor": theirs}).json()["tasks"]
    assert {task["task_id"] for task in shown} <= own
    entries = stranger.get("/credits/entries", params={"cursor": cursor_of(2**31)}).json()["entries"]
    assert [entry["note"] for entry in entries] == ["Welcome"]
    listed = stranger.get("/collections", params={"cursor": theirs}).json()
    assert listed["collections"] == []


def test_two_customers_of_one_idempotency_key_get_a_thing_each(customer: Customer, stranger: Customer) -> None:
    key = {"Idempotency-Key": "nightly-0001"}
    first, second = (
        one.post("/tasks", {"tool_id": "trial"}, headers=key).json()["task_id"] for one in (customer, stranger)
    )
    assert first != second
    problem_of(stranger.get(f"/tasks/{first}"), 404)


def test_two_customers_collections_of_one_name_are_two(customer: Customer, stranger: Customer) -> None:
    ingested(customer, "handbook", pages=["the price of my secret recipe"])
    ingested(stranger, "handbook", pages=["orders are shipped on Mondays"])
    hits = stranger.post("/collections/handbook/search", {"query": "secret recipe", "limit": 10}).json()["hits"]
    assert [hit["content"] for hit in hits] == ["orders are shipped on Mondays"]
    assert stranger.send("DELETE", "/collections/handbook").status_code == 204
    assert customer.get("/collections/handbook").json()["document_count"] == 1


def test_a_stream_of_another_customers_task_is_not_resumed(
    customer: Customer, stranger: Customer, belongings: Belongings
) -> None:
    resume = partial(stranger.get, f"/tasks/{belongings.ids['task_id']}/events")
    for place in ("0", "1", "999", "-1", "x"):
        problem_of(resume(headers={"Last-Event-ID": place}), 404)


def test_a_task_never_takes_another_customers_files(customer: Customer, stranger: Customer) -> None:
    """Neither as a retry's, nor by the name of a role or file that climbs out of one's own folder."""
    theirs = customer.ready()
    mine = stranger.create()
    for role in ("..", f"..%2F..%2F{theirs}%2Finputs%2Fprimary", "primary%00", "%2e%2e"):
        answer = stranger.send("PUT", f"/tasks/{mine}/inputs/{role}", content=CSV, params={"filename": "data.csv"})
        assert answer.status_code in {404, 405, 422}, answer.text
    stranger.upload(mine, filename=f"../../../{theirs}/inputs/primary/data.csv")
    with transaction() as session:
        rows = {str(task.id): (task.user_id, task.inputs) for task in session.scalars(select(Task))}
    [file] = rows[mine][1]["primary"]
    assert file["key"].startswith(f"users/{stranger.id}/tasks/{mine}/inputs/primary/")
    assert theirs not in file["key"]
