"""POST /tasks/{id}/retry, as a customer meets it."""

import uuid
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hall_client import CSV, TRIAL, Customer, new_customer, problem_of
from task_lives import claimed, deliver, settle
from test_submit_routes import row_of

from backend.errors import UnreadableFile
from db import task_store
from db.database import transaction
from db.endings import Ending
from db.models import CLOCK, Task, TaskStep
from transformers import artifacts, catalog
from transformers.findings import AgentResult
from transformers.routing import transformer
from transformers.tool import Delivery

LOST = Ending(verdict=UnreadableFile("Row 3 cannot be read.").verdict)


def failed(customer: Customer, ending: Ending = LOST, **asked: Any) -> str:
    """Its first agent had delivered when it ended so."""
    task_id = customer.queued(**asked)
    claim = claimed(customer, task_id)
    deliver(claim, "counter", amount=30, progress=49.5, next_agent="rater")
    settle(claim, ending)
    return task_id


def change(task_id: str, **columns: Any) -> None:
    with transaction() as session:
        task = session.get_one(Task, uuid.UUID(task_id))
        for name, value in columns.items():
            setattr(task, name, value)


def retry(customer: Customer, task_id: str, **options: Any) -> Any:
    return customer.post(f"/tasks/{task_id}/retry", **options)


def test_a_failed_task_is_repeated_as_a_new_one_that_goes_on_where_it_stopped(customer: Customer) -> None:
    old_id = failed(customer, parameters={"rater": {"top": 5}}, priority=3)
    answer = retry(customer, old_id)
    assert answer.status_code == 201, answer.text
    view = answer.json()
    assert answer.headers["location"] == f"/tasks/{view['task_id']}"
    assert (view["status"], view["retry_of"], view["progress"]) == ("QUEUED", old_id, 49.5)
    assert (view["parameters"], view["priority"]) == ({"rater": {"top": 5}}, 3)
    states = {step["agent_id"]: (step["state"], step["price"], step["attempt"]) for step in view["steps"]}
    assert states == {"counter": ("delivered", 0, 0), "rater": ("pending", 25, None)}
    assert view["credits"] == {"held": 25, "captured": 0, "released": 0}
    assert customer.balance() == 500 - 30 - 25
    assert customer.get(f"/tasks/{view['task_id']}").json() == view
    old, new = row_of(customer, old_id), row_of(customer, view["task_id"])
    assert (new.inputs, new.cost) == (old.inputs, old.cost)
    assert customer.get("/tasks").json()["tasks"][0]["retry_of"] == old_id


def test_what_was_taken_over_is_reported_and_linked_under_the_new_task(customer: Customer) -> None:
    old_id = failed(customer)
    result = AgentResult(agent_id="counter", agent_name="Counter", summary_metrics={"rows": 2})
    first = SimpleNamespace(user_id=customer.id, task_id=uuid.UUID(old_id), epoch=1)
    _, stored = artifacts.put(customer.hall.storage, first, Delivery(result=result))
    with transaction() as session:
        session.get_one(TaskStep, (uuid.UUID(old_id), "counter")).artifact_key = stored.key
    new_id = retry(customer, old_id).json()["task_id"]
    report = customer.get(f"/tasks/{new_id}/report")
    assert report.status_code == 200, report.text
    assert '"rows": 2' in report.text
    (output,) = customer.get(f"/tasks/{new_id}/outputs").json()["outputs"]
    assert (output["name"], f"{old_id}/steps/1/counter/" in output["url"]) == ("counter.json", True)


def test_the_rest_is_priced_as_the_list_says_today(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    old_id = failed(customer)
    dearer = replace(TRIAL, steps=tuple(replace(step, price=step.price * 2) for step in TRIAL.steps))
    monkeypatch.setattr(catalog, "TRANSFORMERS", (transformer(dearer),))
    catalog.transformers.cache_clear()
    assert retry(customer, old_id).json()["credits"]["held"] == 50


def test_a_task_that_completed_in_part_runs_its_failed_agents_again(customer: Customer) -> None:
    view = retry(customer, failed(customer, Ending("partial", "manifest.json"))).json()
    assert {step["agent_id"]: step["state"] for step in view["steps"]} == {"counter": "delivered", "rater": "pending"}


def test_a_cancelled_task_is_repeated(customer: Customer) -> None:
    task_id = customer.queued()
    customer.post(f"/tasks/{task_id}/cancel")
    assert retry(customer, task_id).json()["credits"]["held"] == 55


def test_a_retry_can_be_retried(customer: Customer) -> None:
    second = retry(customer, failed(customer)).json()["task_id"]
    settle(claimed(customer, second), LOST)
    view = retry(customer, second).json()
    assert (view["retry_of"], view["progress"], view["credits"]["held"]) == (second, 49.5, 25)


def test_the_same_key_makes_one_retry(customer: Customer) -> None:
    old_id = failed(customer)
    first, again = [retry(customer, old_id, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["location"] == f"/tasks/{first.json()['task_id']}"
    assert customer.balance() == 445


def test_two_clicks_make_one_retry_and_the_other_names_it(customer: Customer) -> None:
    old_id = failed(customer)
    request = ("POST", f"/tasks/{old_id}/retry", {"headers": dict(customer.headers)})
    made, refused = sorted(customer.hall.together(request, request), key=lambda answer: answer.status_code)
    assert made.status_code == 201
    assert problem_of(refused, 409)["context"] == {"retry_id": made.json()["task_id"]}
    assert customer.balance() == 445


# ── refusals ─────────────────────────────────────────────────────────────────────────────────────────────────────


def created(customer: Customer) -> str:
    return customer.ready()


def running(customer: Customer) -> str:
    task_id = customer.queued()
    claimed(customer, task_id)
    return task_id


def successful(customer: Customer) -> str:
    return failed(customer, Ending("success", "manifest.json"))


def cancelled_before_its_submit(customer: Customer) -> str:
    task_id = customer.ready()
    customer.post(f"/tasks/{task_id}/cancel")
    return task_id


def expired(customer: Customer) -> str:
    task_id = customer.ready()
    with transaction() as session:
        assert task_store.expire(session, timedelta(0), 100) == 1
    return task_id


def child(customer: Customer) -> str:
    task_id = failed(customer)
    change(task_id, parent_id=uuid.UUID(customer.create()))
    return task_id


@pytest.mark.parametrize(
    ("station", "sentence"),
    [
        (created, "The task is created; only one that has ended is retried."),
        (running, "The task is processing; only one that has ended is retried."),
        (successful, "All agents of the task delivered, so there is nothing to repeat."),
        (cancelled_before_its_submit, "The task was never submitted, so there is nothing to repeat."),
        (expired, "The task was never submitted, so there is nothing to repeat."),
        (child, "The task is a part of another one; retry that."),
    ],
)
def test_there_must_be_something_to_repeat(customer: Customer, station: Any, sentence: str) -> None:
    problem = problem_of(retry(customer, station(customer)), 409)
    assert (problem["error_code"], problem["detail"]) == ("INVALID_TASK_STATE", sentence)


def test_a_strangers_task_is_not_found(customer: Customer, stranger: Customer) -> None:
    problem_of(retry(stranger, failed(customer)), 404)


def test_without_credits_nothing_changes(hall: Any) -> None:
    poor = new_customer(hall, balance=55)
    old_id = failed(poor)
    poor.process(poor.ready(agents=["rater"]))
    problem = problem_of(retry(poor, old_id), 402)
    assert problem["context"] == {"available": 0, "required": 25, "shortfall": 25}
    assert len(poor.get("/tasks").json()["tasks"]) == 2


def remove(customer: Customer, task_id: str) -> None:
    customer.hall.storage.delete([row_of(customer, task_id).inputs["primary"][0]["key"]])


def replace_file(customer: Customer, task_id: str) -> None:
    key = row_of(customer, task_id).inputs["primary"][0]["key"]
    customer.hall.storage.put_bytes(key, CSV + b"5,6\n", "text/csv")


def clean(customer: Customer, task_id: str) -> None:
    change(task_id, inputs_cleaned_at=CLOCK)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (remove, "'data.csv' is no longer kept."),
        (replace_file, "'data.csv' was replaced after the task was submitted."),
        (clean, "The task's files are no longer kept."),
    ],
)
def test_the_files_must_be_there_still_and_the_same(customer: Customer, harm: Any, sentence: str) -> None:
    old_id = failed(customer)
    harm(customer, old_id)
    problem = problem_of(retry(customer, old_id), 410)
    assert (problem["error_code"], problem["detail"]) == ("RESULTS_EXPIRED", sentence)
    assert problem["next_action"] == "Create a new task and upload the data again."
    assert customer.balance() == 470


def test_a_tool_that_is_gone_is_said_to_be(customer: Customer) -> None:
    old_id = failed(customer)
    change(old_id, tool_id="gone")
    assert problem_of(retry(customer, old_id), 422)["error_code"] == "UNKNOWN_TOOL"


def test_parameters_that_are_not_valid_any_more_are_named(customer: Customer) -> None:
    old_id = failed(customer)
    change(old_id, parameters={"counter": {"bottom": 1}})
    assert problem_of(retry(customer, old_id), 422)["context"] == {"agent": "counter", "field": "bottom"}
