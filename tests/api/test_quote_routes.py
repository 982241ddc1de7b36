import json
import uuid
from datetime import timedelta
from typing import Any

from hall_client import CSV, Customer, new_customer, problem_of
from sqlalchemy import update

from db import paces, task_store, workers
from db.database import transaction
from db.models import CLOCK, AgentPace, Worker
from db.workers import WorkerIdentity


def quote(customer: Customer, task_id: str) -> dict[str, Any]:
    answer = customer.post(f"/tasks/{task_id}/quote")
    assert answer.status_code == 200, answer.text
    return answer.json()


def a_worker(*, memory: int = 500_000_000, tools: tuple[str, ...] = ("trial",)) -> None:
    identity = WorkerIdentity(
        boot_uuid=uuid.uuid4(), host="h", pid=1, pool="solo", slots=1, memory_bytes=memory, queues=("default",),
        tools=tools, code_version="1",
    )  # fmt: skip
    with transaction() as session:
        workers.check_in(session, identity)
        session.execute(update(Worker).values(seen_at=CLOCK + timedelta(minutes=1)))  # a slow test is no silent worker


def a_history(*agents: str) -> None:
    with transaction() as session:
        for agent in agents:
            session.add(
                AgentPace(
                    agent_id=agent, seconds_per_mebibyte=6.0, median_seconds_per_mebibyte=3.0,
                    samples=paces.ENOUGH_SAMPLES, largest_mebibytes=50.0, base_memory_bytes=150e6,
                    memory_bytes_per_mebibyte=1e6, memory_spread_bytes=9e6,
                )
            )  # fmt: skip


def test_a_quote_says_what_the_task_would_take_and_cost(customer: Customer) -> None:
    a_worker()
    a_history("counter", "rater")
    task_id = customer.ready()

    said = quote(customer, task_id)

    seconds = said.pop("seconds")
    assert seconds["low"] < seconds["likely"] < seconds["high"]
    assert seconds["based_on"] == "history"
    rows, prices = {"estimate": 2, "exact": False}, {"counter": 30, "rater": 25}
    assert said == {
        "rows": rows,
        "bytes": len(CSV),
        "memory_bytes": {"likely": 151_000_000, "limit": 500_000_000},
        "credits": {"total": 55, "at_most": False, "by_agent": prices, "balance": 500, "shortfall": 0},
        "agents": ["counter", "rater"],
        "files": {"primary": [{"filename": "data.csv", "size": len(CSV), "format": "csv", "rows": rows}]},
        "missing": {},
        "warnings": ["Comparer will not run: it needs a file for the role 'baseline'."],
    }


def test_a_quote_holds_and_changes_nothing(customer: Customer) -> None:
    task_id = customer.ready()

    def state() -> tuple[object, ...]:
        with transaction() as session:
            task = task_store.get(session, uuid.UUID(task_id), customer.id)
            return task.status, task.last_event, task.inputs, task.prices, customer.balance()

    before = state()
    quote(customer, task_id)

    assert state() == before
    assert customer.process(task_id).status_code == 202


def test_what_it_says_is_what_a_submit_holds(customer: Customer) -> None:
    task_id = customer.ready(agents=["rater"])
    total = quote(customer, task_id)["credits"]["total"]

    customer.process(task_id)

    assert 500 - customer.balance() == total == 25


def test_before_any_file_it_tells_the_price_and_what_is_missing(customer: Customer) -> None:
    said = quote(customer, customer.create())

    assert (said["rows"], said["seconds"], said["memory_bytes"], said["bytes"]) == (None, None, None, 0)
    assert said["credits"]["total"] == 55
    assert said["missing"] == {"primary": "A file for the role 'primary' is missing."}
    assert "No worker is there at the moment; the task would wait for one." in said["warnings"]


def test_a_file_that_was_announced_and_never_sent_is_missing(customer: Customer) -> None:
    task_id = customer.create()
    customer.announce(task_id)

    said = quote(customer, task_id)

    assert "has not arrived" in said["missing"]["primary"]


def test_missing_credits_are_said_before_they_are_missed(customer: Customer) -> None:
    poor = new_customer(customer.hall, balance=54)

    said = quote(poor, poor.ready())

    assert (said["credits"]["balance"], said["credits"]["shortfall"]) == (54, 1)


def test_a_worker_that_does_not_know_the_tool_gives_no_memory(customer: Customer) -> None:
    a_worker(memory=1, tools=("another",))
    a_worker(memory=900_000_000)
    a_worker(memory=700_000_000)
    a_history("counter", "rater")

    assert quote(customer, customer.ready())["memory_bytes"]["limit"] == 700_000_000


def test_a_file_that_a_submit_would_refuse_is_refused_here(customer: Customer) -> None:
    task_id = customer.create()
    customer.upload(task_id, body=b"%PDF-1.7")

    problem = problem_of(customer.post(f"/tasks/{task_id}/quote"), 415)

    assert problem["detail"] == "'data.csv' looks like a PDF document, not like a table."
    assert problem_of(customer.process(task_id), 415)["detail"] == problem["detail"]


def test_parameters_that_a_submit_would_refuse_are_refused_here(customer: Customer) -> None:
    task_id = customer.ready()
    customer.upload(task_id, "parameters", "parameters.json", json.dumps({"rater": {"top": 99}}).encode())

    assert problem_of(customer.post(f"/tasks/{task_id}/quote"), 422)["error_code"] == "BAD_PARAMETERS"


def test_a_submitted_task_and_anothers_have_no_quote(customer: Customer, stranger: Customer) -> None:
    task_id = customer.queued()

    assert problem_of(customer.post(f"/tasks/{task_id}/quote"), 409)["error_code"] == "INVALID_TASK_STATE"
    assert problem_of(stranger.post(f"/tasks/{task_id}/quote"), 404)["error_code"] == "TASK_NOT_FOUND"
