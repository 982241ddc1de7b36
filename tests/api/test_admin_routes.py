"""What an administrator sees; the rows are made by the product's own functions (tests/builders.py)."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from hall_client import TRIAL, Customer, problem_of
from sqlalchemy import text, update
from task_lives import claimed, deliver, settle

from backend.errors import AgentCrashed, UnreadableFile
from db import workers
from db.database import transaction
from db.endings import Ending
from db.models import CLOCK, Worker
from db.workers import Pulse, WorkerIdentity
from tests import builders

ROUTES = ("/admin/overview", "/admin/loads", "/admin/failures", "/admin/tasks", "/admin/verify/ledger")
CRASHED = Ending(verdict=AgentCrashed(detail="a traceback of ours").verdict)
UNREADABLE = Ending(verdict=UnreadableFile("Row 3 cannot be read.").verdict)


def worker(boot_uuid: uuid.UUID, **more: Any) -> None:
    who = {
        "host": "worker-1", "pid": 4711, "pool": "prefork", "slots": 2, "memory_bytes": 10**9,
        "queues": ("default",), "tools": (TRIAL.id,), "code_version": "0.1.0",
    } | more  # fmt: skip
    with transaction() as session:
        workers.check_in(session, WorkerIdentity(boot_uuid=boot_uuid, **who))
        session.execute(update(Worker).values(seen_at=CLOCK + timedelta(minutes=1)))  # a slow test is no silent worker


@pytest.mark.parametrize("path", ROUTES)
def test_customers_see_nothing_of_it(customer: Customer, path: str) -> None:
    assert problem_of(customer.get(path), 403)["error_code"] == "FORBIDDEN"
    assert problem_of(customer.post("/admin/replay", {"error_code": "X"}), 403)["error_code"] == "FORBIDDEN"


def test_the_overview_shows_what_waits_and_what_each_slot_does(customer: Customer, admin: Customer) -> None:
    boot = uuid.uuid4()
    worker(boot)
    builders.change(uuid.UUID(customer.queued()), sort_at=CLOCK - timedelta(seconds=90))
    claim = claimed(customer, customer.queued())
    builders.change(claim.task_id, worker=boot, current_agent="counter")
    with transaction() as session:
        workers.beat(session, boot, [Pulse(claim.task_id, claim.epoch, 12.5, 148_000_000)], timedelta(seconds=30))
    view = admin.get("/admin/overview").json()
    assert (view["tasks"]["queued"], view["tasks"]["processing"]) == (1, 1)
    [backlog] = view["backlogs"]
    assert (backlog["queue"], backlog["waiting"]) == ("default", 1)
    assert 90 <= backlog["oldest_seconds"] < 150
    assert backlog["cost_seconds"] > 0
    [shown] = view["workers"]
    assert (shown["id"], shown["live"], shown["slots"], view["slots"], view["slots_busy"]) == (str(boot), True, 2, 2, 1)
    [slot] = shown["busy"]
    assert (slot["task_id"], slot["user_email"]) == (str(claim.task_id), customer.email)
    assert (slot["agent_id"], slot["progress"], slot["memory_bytes"]) == ("counter", 12.5, 148_000_000)


def test_a_silent_worker_is_shown_and_counts_for_no_slot(admin: Customer) -> None:
    worker(uuid.uuid4())
    with transaction() as session:
        session.execute(update(Worker).values(seen_at=CLOCK - timedelta(seconds=60)))
    view = admin.get("/admin/overview").json()
    assert [(one["live"], one["slots"]) for one in view["workers"]] == [(False, 2)]
    assert (view["slots"], view["slots_busy"]) == (0, 0)


def test_loads_are_told_by_customer_and_by_tool(customer: Customer, stranger: Customer, admin: Customer) -> None:
    customer.queued()
    customer.queued()
    claim = claimed(stranger, stranger.queued())
    deliver(claim, "counter", amount=30, progress=50, next_agent="rater")
    settle(claim, CRASHED)
    view = admin.get("/admin/loads?hours=1").json()
    by_email = {one["email"]: one for one in view["customers"]}
    assert set(by_email) == {customer.email, stranger.email}
    assert (by_email[customer.email]["waiting"], by_email[customer.email]["failed"]) == (2, 0)
    assert (by_email[stranger.email]["waiting"], by_email[stranger.email]["failed"]) == (0, 1)
    assert by_email[stranger.email]["balance"] == 500 - 30
    assert [(one["tool_id"], one["failed"]) for one in view["tools"]] == [(TRIAL.id, 1)]


def test_failures_are_counted_by_code_with_examples(customer: Customer, stranger: Customer, admin: Customer) -> None:
    ids = []
    for who, ending in ((customer, CRASHED), (stranger, CRASHED), (customer, UNREADABLE)):
        claim = claimed(who, who.queued())
        settle(claim, ending)
        ids.append(str(claim.task_id))
    first, second = admin.get("/admin/failures").json()["failures"]
    assert (first["error_code"], first["count"], first["customers"]) == ("AGENT_CRASHED", 2, 2)
    assert first["examples"] == [ids[1], ids[0]]
    assert (second["error_code"], second["message"]) == ("UNREADABLE_FILE", "Row 3 cannot be read.")
    assert "traceback of ours" not in admin.get("/admin/failures").text


def test_every_customers_tasks_are_listed_by_pages_and_filters(
    customer: Customer, stranger: Customer, admin: Customer
) -> None:
    mine, theirs = customer.create(), stranger.create()
    claim = claimed(customer, customer.queued())
    settle(claim, CRASHED)
    page = admin.get("/admin/tasks?limit=2").json()
    rest = admin.get(f"/admin/tasks?limit=2&cursor={page['next']}").json()
    assert [one["task_id"] for one in page["tasks"] + rest["tasks"]] == [str(claim.task_id), theirs, mine]
    assert page["tasks"][1]["user_email"] == stranger.email
    by_email = admin.get("/admin/tasks", params={"email": customer.email.upper()}).json()["tasks"]
    assert {one["task_id"] for one in by_email} == {mine, str(claim.task_id)}
    failed = admin.get("/admin/tasks?status=FAILED&error_code=AGENT_CRASHED").json()["tasks"]
    assert [one["task_id"] for one in failed] == [str(claim.task_id)]
    assert admin.get("/admin/tasks?email=nobody@example.com").json() == {"tasks": [], "next": None}


def test_a_bulk_retry_is_rehearsed_first_and_then_done(customer: Customer, admin: Customer) -> None:
    claim = claimed(customer, customer.queued())
    deliver(claim, "counter", amount=30, progress=50, next_agent="rater")
    settle(claim, CRASHED)
    asked = {"error_code": "AGENT_CRASHED"}
    rehearsed = admin.post("/admin/replay", asked).json()
    assert (rehearsed["dry_run"], rehearsed["made"], rehearsed["skipped"]) == (True, 1, 0)
    [row] = rehearsed["tasks"]
    assert (row["task_id"], row["retry_id"], row["taken_over"], row["credits_to_hold"]) == (
        str(claim.task_id),
        None,
        1,
        25,
    )
    assert len(customer.get("/tasks").json()["tasks"]) == 1

    done = admin.post("/admin/replay", asked | {"dry_run": False}).json()
    retry_id = done["tasks"][0]["retry_id"]
    assert customer.get(f"/tasks/{retry_id}").json()["retry_of"] == str(claim.task_id)
    assert admin.post("/admin/replay", asked | {"dry_run": False}).json()["tasks"] == []


def test_what_cannot_be_retried_is_told_with_the_reason(customer: Customer, admin: Customer) -> None:
    claim = claimed(customer, customer.queued())
    settle(claim, CRASHED)
    builders.change(claim.task_id, inputs_cleaned_at=CLOCK)
    done = admin.post("/admin/replay", {"email": customer.email, "dry_run": False}).json()
    assert (done["made"], done["skipped"]) == (0, 1)
    assert done["tasks"][0]["refused"].startswith("RESULTS_EXPIRED")


def test_who_is_refused_stands_in_nobodys_way(customer: Customer, stranger: Customer, admin: Customer) -> None:
    for _ in range(2):
        settle(claimed(customer, customer.queued()), CRASHED)
    later = claimed(stranger, stranger.queued())
    settle(later, CRASHED)
    with transaction() as session:
        session.execute(text("UPDATE credit_wallets SET balance = 0 WHERE user_id = :id"), {"id": customer.id})
    done = admin.post("/admin/replay", {"error_code": "AGENT_CRASHED", "limit": 1, "dry_run": False}).json()
    assert (done["made"], done["skipped"]) == (1, 2)
    assert done["tasks"][-1]["task_id"] == str(later.task_id)


@pytest.mark.parametrize(
    "asked",
    [{}, {"status": "COMPLETED", "error_code": "X"}, {"error_code": "X", "since": "2025-11-21T09:30:00"},
     {"error_code": "X", "limit": 1000}],
)  # fmt: skip
def test_a_bulk_retry_that_means_nothing_in_particular_is_refused(admin: Customer, asked: dict[str, Any]) -> None:
    problem_of(admin.post("/admin/replay", asked), 422)


def test_an_unknown_customer_is_named(admin: Customer) -> None:
    assert problem_of(admin.post("/admin/replay", {"email": "no@example.com"}), 404)["error_code"] == "USER_NOT_FOUND"


def test_the_ledger_and_the_states_are_proven(customer: Customer, admin: Customer) -> None:
    customer.queued()
    for what in ("ledger", "states"):
        proof = admin.get(f"/admin/verify/{what}").json()
        assert (proof["holds"], proof["breaches"], proof["more"]) == (True, [], False)
        assert proof["rules"] > 4
    with transaction() as session:
        session.execute(
            text("UPDATE credit_wallets SET balance = balance + 1 WHERE user_id = :id"), {"id": customer.id}
        )
    proof = admin.get("/admin/verify/ledger").json()
    assert proof["holds"] is False
    assert [one["subject"] for one in proof["breaches"]] == [f"user {customer.id}"]
    problem_of(admin.get("/admin/verify/everything"), 422)
