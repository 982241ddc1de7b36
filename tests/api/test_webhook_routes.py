"""Webhooks as a customer meets them; what is sent is tested in tests/backend/test_courier.py."""

import threading
import uuid
from typing import Any

import pytest
from hall_client import Customer, Hall, problem_of
from sqlalchemy import update

from backend.webhook_door import Answer
from db import webhooks
from db.database import transaction
from db.webhook_models import WebhookDelivery

URL = "https://example.com/hook"


def new_webhook(customer: Customer, **asked: Any) -> dict[str, Any]:
    answer = customer.post("/webhooks", json={"url": URL} | asked)
    assert answer.status_code == 201, answer.text
    view: dict[str, Any] = answer.json()
    return view


def test_a_webhook_is_made_and_its_secret_shown_once(customer: Customer) -> None:
    answer = customer.post("/webhooks", json={"url": URL, "events": ["failed", "completed", "failed"]})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["secret"].startswith("whsec_")
    assert answer.headers["cache-control"] == "no-store"
    assert (made["url"], made["events"], made["disabled"]) == (URL, ["completed", "failed"], False)
    listed = customer.get("/webhooks").json()["webhooks"]
    assert listed == [{name: value for name, value in made.items() if name != "secret"}]
    assert customer.get(f"/webhooks/{made['id']}").json() == listed[0]


@pytest.mark.parametrize("url", ["http://example.com/", "https://192.168.0.1/", "https://localhost:1/ x", "nonsense"])
def test_an_address_that_will_not_do_is_refused_with_the_reason(customer: Customer, url: str) -> None:
    problem = problem_of(customer.post("/webhooks", json={"url": url}), 422)
    assert problem["context"]["fields"][0]["field"] == "url"


def test_an_unknown_kind_of_event_is_refused(customer: Customer) -> None:
    problem_of(customer.post("/webhooks", json={"url": URL, "events": ["exploded"]}), 422)


def test_text_goes_to_no_webhook(customer: Customer) -> None:
    problem = problem_of(customer.post("/webhooks", json={"url": URL, "events": ["text"]}), 422)
    assert "no webhook" in problem["detail"]


def test_a_customer_has_at_most_twenty(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "MOST_ENDPOINTS", 2)
    new_webhook(customer)
    new_webhook(customer)
    problem_of(customer.post("/webhooks", json={"url": URL}), 409)


def test_a_webhook_is_changed_in_what_is_named_only(customer: Customer) -> None:
    made = new_webhook(customer, events=["completed"], description="first")
    changed = customer.send("PATCH", f"/webhooks/{made['id']}", json={"description": "second"}).json()
    assert (changed["description"], changed["events"], changed["url"]) == ("second", ["completed"], URL)
    changed = customer.send("PATCH", f"/webhooks/{made['id']}", json={"events": []}).json()
    assert (changed["description"], changed["events"]) == ("second", [])
    problem_of(customer.send("PATCH", f"/webhooks/{made['id']}", json={"url": "http://10.0.0.1"}), 422)


def test_a_webhook_is_switched_off_and_on(customer: Customer) -> None:
    path = f"/webhooks/{new_webhook(customer)['id']}"
    assert customer.send("PATCH", path, json={"disabled": True}).json()["disabled"] is True
    customer.create()
    assert customer.get(f"{path}/deliveries").json()["deliveries"] == []
    assert customer.send("PATCH", path, json={"disabled": False}).json()["disabled"] is False
    customer.create()
    assert len(customer.get(f"{path}/deliveries").json()["deliveries"]) == 1


def test_a_new_secret_is_another_one(customer: Customer) -> None:
    made = new_webhook(customer)
    rotated = customer.post(f"/webhooks/{made['id']}/rotate-secret").json()
    assert rotated["id"] == made["id"]
    assert rotated["secret"] != made["secret"]


def test_the_log_shows_what_is_on_its_way_newest_first_by_pages(customer: Customer) -> None:
    path = f"/webhooks/{new_webhook(customer)['id']}/deliveries"
    task_ids = [customer.create() for _ in range(3)]
    page = customer.get(f"{path}?limit=2").json()
    rest = customer.get(f"{path}?limit=2&cursor={page['next']}").json()
    shown = page["deliveries"] + rest["deliveries"]
    assert [one["task_id"] for one in shown] == task_ids[::-1]
    assert rest["next"] is None
    assert {(one["type"], one["state"], one["seq"]) for one in shown} == {("task.created", "pending", 1)}
    assert shown[0]["message_id"] == f"msg_{uuid.UUID(task_ids[-1]).hex}_1"


def test_a_delivery_is_sent_again_when_asked(customer: Customer) -> None:
    path = f"/webhooks/{new_webhook(customer)['id']}/deliveries"
    customer.create()
    [one] = customer.get(path).json()["deliveries"]
    with transaction() as session:
        session.execute(update(WebhookDelivery).values(state="GIVEN_UP", attempts=10))
    assert customer.get(path).json()["deliveries"][0]["state"] == "given_up"
    answer = customer.post(f"{path}/{one['id']}/replay")
    assert (answer.status_code, answer.json()["state"], answer.json()["attempts"]) == (202, "pending", 0)
    problem_of(customer.post(f"{path}/{one['id'] + 1}/replay"), 404)


def test_a_test_message_says_at_once_what_came_of_it(customer: Customer) -> None:
    made = new_webhook(customer, url="https://203.0.113.7.invalid/hook")
    attempt = customer.post(f"/webhooks/{made['id']}/test").json()
    assert attempt["delivered"] is False
    assert attempt["failure"] == "The connection failed: ConnectError."


def test_tests_hold_up_no_other_route_and_come_one_at_a_time(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()
    monkeypatch.setattr("backend.webhook_door.WebhookDoor.send", lambda *_: (asked.wait(2) and None) or Answer(204))
    path = f"/webhooks/{new_webhook(customer)['id']}/test"
    answers = customer.hall.together(*[("POST", path, {"headers": customer.headers})] * 3)
    asked.set()
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]


def test_another_customers_webhook_is_not_there(customer: Customer, stranger: Customer) -> None:
    path = f"/webhooks/{new_webhook(customer)['id']}"
    assert stranger.get("/webhooks").json() == {"webhooks": []}
    problem_of(stranger.get(path), 404)
    problem_of(stranger.send("PATCH", path, json={"description": "mine"}), 404)
    problem_of(stranger.send("DELETE", path), 404)
    problem_of(stranger.get(f"{path}/deliveries"), 404)
    for action in ("test", "rotate-secret", "deliveries/1/replay"):
        problem_of(stranger.post(f"{path}/{action}"), 404)


def test_a_removed_webhook_is_gone(customer: Customer) -> None:
    path = f"/webhooks/{new_webhook(customer)['id']}"
    assert customer.send("DELETE", path).status_code == 204
    problem_of(customer.get(path), 404)
    problem_of(customer.send("DELETE", path), 404)


def test_who_is_not_signed_in_has_no_webhooks(hall: Hall) -> None:
    problem_of(hall.send("GET", "/webhooks"), 401)
