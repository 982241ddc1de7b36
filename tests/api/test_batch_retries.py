"""A retry of a batch asks and holds credits for what did not go well, and for nothing else."""

import json
import math

import pytest
from batches import Batch, at_work, end, finish, split
from hall_client import Customer, problem_of

QUESTIONS = [{"custom_id": f"item-{number}", "user_message": "Why?" * 300, "max_tokens": 1000} for number in range(4)]
BODY = b"".join(json.dumps(question).encode() + b"\n" for question in QUESTIONS)


@pytest.fixture
def batch(customer: Customer, models_set_up: None) -> Batch:
    """Of four questions, two went well."""
    task_id = customer.create(tool_id="batch-inference")
    customer.upload(task_id, "items", "questions.jsonl", BODY)
    assert customer.process(task_id).status_code == 202
    batch = split(customer, 4, task_id=task_id)
    claim = at_work(batch.parts[0])
    finish(claim, 0, 3, failed=(2,))
    end(customer, batch, claim, outcome="partial")
    return batch


def held(customer: Customer, task_id: str) -> int:
    return customer.get(f"/tasks/{task_id}").json()["credits"]["held"]


def test_what_went_well_is_taken_over_and_the_rest_is_priced(customer: Customer, batch: Batch) -> None:
    answer = customer.post(f"/tasks/{batch.task_id}/retry")

    assert answer.status_code == 201, answer.text
    retry = answer.json()
    assert (retry["retry_of"], retry["status"]) == (batch.task_id, "QUEUED")
    assert retry["items"] == {"total": 4, "ok": 2, "failed": 0}
    assert retry["progress"] == 49.5
    assert retry["credits"]["held"] == math.ceil(held(customer, batch.task_id) / 2)
    found = customer.get(f"/tasks/{retry['task_id']}/items").json()["items"]
    assert [(item["position"], item["ok"]) for item in found] == [(0, True), (3, True)]


def test_it_is_split_anew(customer: Customer, batch: Batch) -> None:
    retry = customer.post(f"/tasks/{batch.task_id}/retry").json()

    assert {step["state"] for step in retry["steps"]} == {"pending"}
    assert retry["children"] is None


def test_a_cancelled_batch_goes_on_where_it_was(customer: Customer, models_set_up: None) -> None:
    task_id = customer.create(tool_id="batch-inference")
    customer.upload(task_id, "items", "questions.jsonl", BODY)
    customer.process(task_id)
    batch = split(customer, 4, task_id=task_id)
    finish(at_work(batch.parts[0]), 1)
    customer.post(f"/tasks/{task_id}/cancel")

    retry = customer.post(f"/tasks/{task_id}/retry").json()

    assert retry["items"] == {"total": 4, "ok": 1, "failed": 0}
    assert retry["credits"]["held"] == math.ceil(held(customer, task_id) * 3 / 4)


def test_of_a_batch_that_went_well_there_is_nothing_to_repeat(customer: Customer, models_set_up: None) -> None:
    task_id = customer.create(tool_id="batch-inference")
    customer.upload(task_id, "items", "questions.jsonl", BODY)
    customer.process(task_id)
    batch = split(customer, 4, task_id=task_id)
    claim = at_work(batch.parts[0])
    finish(claim, 0, 1, 2, 3)
    end(customer, batch, claim, outcome="success")

    assert problem_of(customer.post(f"/tasks/{task_id}/retry"), 409)["error_code"] == "INVALID_TASK_STATE"
