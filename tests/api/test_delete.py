"""DELETE /tasks/{id}, and what is answered when files are no longer kept."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from hall_client import Customer, problem_of
from sqlalchemy import select
from task_lives import claimed, deliver, settle

from backend.errors import ClaimLost
from backend.settings import get_settings
from backend.storage.keys import output_key
from db import retention
from db.database import transaction
from db.endings import Ending
from db.models import CLOCK, IdempotencyKey
from db.retention import Kept, Stage
from tests import builders
from transformers.stored_files import Manifest


def finished(customer: Customer, ago: timedelta = timedelta(0)) -> str:
    """A COMPLETED task of so long ago, with a manifest that names nothing."""
    task_id = customer.queued()
    claim = claimed(customer, task_id)
    key = output_key(customer.id, claim.task_id, claim.epoch, "manifest.json")
    manifest = Manifest(task_id=claim.task_id, epoch=claim.epoch, files=())
    customer.hall.storage.put_bytes(key, manifest.model_dump_json().encode(), "application/json")
    settle(claim, Ending("success", key))
    builders.change(claim.task_id, finished_at=CLOCK - ago)
    return task_id


def delete(customer: Customer, task_id: str, **headers: str) -> int:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return customer.send("DELETE", f"/tasks/{task_id}", headers=sent).status_code


def test_a_deleted_task_is_gone_from_every_route_and_from_the_list(customer: Customer) -> None:
    task_id, other = finished(customer), customer.create()

    answer = customer.send("DELETE", f"/tasks/{task_id}")

    assert (answer.status_code, answer.content) == (204, b"")
    files = {"files": {"primary": {"filename": "a.csv", "size": 1}}}
    for method, route, body in [
        ("GET", "", None), ("GET", "/report", None), ("GET", "/outputs", None), ("POST", "/cancel", None),
        ("POST", "/process", None), ("POST", "/upload-urls", files), ("DELETE", "", None),
    ]:  # fmt: skip
        problem = problem_of(customer.send(method, f"/tasks/{task_id}{route}", json=body), 404)
        assert problem["error_code"] == "TASK_NOT_FOUND", route
    assert [task["task_id"] for task in customer.get("/tasks").json()["tasks"]] == [other]


def test_a_queued_task_is_cancelled_by_its_deletion_and_the_credits_are_back(customer: Customer) -> None:
    task_id = customer.queued()
    assert customer.balance() == 445

    assert delete(customer, task_id) == 204

    assert customer.balance() == 500
    assert builders.read(uuid.UUID(task_id)).status == "CANCELLED"


def test_a_running_tasks_deletion_pays_what_was_delivered_and_fences_its_worker_off(customer: Customer) -> None:
    task_id = customer.queued()
    claim = claimed(customer, task_id)
    deliver(claim, "counter", amount=30, progress=50)

    assert delete(customer, task_id) == 204

    assert customer.balance() == 470
    with pytest.raises(ClaimLost):
        deliver(claim, "rater", amount=25, progress=99)
    with pytest.raises(ClaimLost):
        settle(claim, Ending("success", "key"))
    entries = customer.get("/credits/entries").json()["entries"]
    assert {entry["task_id"] for entry in entries if entry["kind"] == "CAPTURE"} == {task_id}, "the bill stays"


def test_deleting_twice_is_a_404_and_with_its_key_the_same_answer(customer: Customer) -> None:
    task_id, other = customer.create(), customer.create()

    assert [delete(customer, task_id, Idempotency_Key="k1") for _ in range(2)] == [204, 204]
    assert delete(customer, task_id) == 404
    assert delete(customer, other, Idempotency_Key="k1") == 422


@pytest.mark.parametrize("route", ["process", "cancel"])
def test_a_kept_answer_of_a_deleted_task_is_not_shown_again(customer: Customer, route: str) -> None:
    task_id = customer.ready()
    headers = {"Idempotency-Key": "once"}
    assert customer.post(f"/tasks/{task_id}/{route}", headers=headers).is_success
    assert customer.post(f"/tasks/{task_id}/{route}", headers=headers).is_success

    delete(customer, task_id)

    problem_of(customer.post(f"/tasks/{task_id}/{route}", headers=headers), 404)


SECRET = {"counter": {"top": 3, "label": "of-4711"}}


def test_a_task_that_was_deleted_is_not_shown_by_the_answer_to_its_creation(customer: Customer) -> None:
    asked = {"json": {"tool_id": "trial", "parameters": SECRET}, "headers": {"Idempotency-Key": "once"}}
    made = customer.post("/tasks", **asked)
    assert customer.post("/tasks", **asked).json() == made.json()

    delete(customer, made.json()["task_id"])

    assert problem_of(customer.post("/tasks", **asked), 404)["error_code"] == "TASK_NOT_FOUND"
    assert "4711" not in str(kept_answers())


def test_a_retry_that_was_deleted_is_not_shown_by_the_answer_to_its_creation(customer: Customer) -> None:
    task_id = customer.queued(parameters=SECRET)
    customer.post(f"/tasks/{task_id}/cancel")
    headers = {"Idempotency-Key": "once"}
    made = customer.post(f"/tasks/{task_id}/retry", headers=headers)
    assert (made.status_code, made.json()["parameters"]) == (201, SECRET)

    delete(customer, made.json()["task_id"])

    problem_of(customer.post(f"/tasks/{task_id}/retry", headers=headers), 404)
    assert "4711" not in str(kept_answers())


def test_the_names_of_a_deleted_tasks_files_are_not_kept(customer: Customer) -> None:
    task_id = customer.create()
    body = {"files": {"primary": {"filename": "of-4711.csv", "content_type": "text/csv", "size": 1}}}
    headers = {"Idempotency-Key": "once"}
    assert customer.post(f"/tasks/{task_id}/upload-urls", body, headers=headers).is_success
    assert "4711" in str(kept_answers())

    delete(customer, task_id)

    problem_of(customer.post(f"/tasks/{task_id}/upload-urls", body, headers=headers), 404)
    assert "4711" not in str(kept_answers())


def test_the_answers_of_other_tasks_stay(customer: Customer) -> None:
    headers = {"Idempotency-Key": "once"}
    made = customer.post("/tasks", json={"tool_id": "trial"}, headers=headers)

    delete(customer, customer.create())

    assert customer.post("/tasks", json={"tool_id": "trial"}, headers=headers).json() == made.json()


def kept_answers() -> list[Any]:
    with transaction() as session:
        return list(session.scalars(select(IdempotencyKey.response)))


def test_a_part_of_another_task_cannot_be_deleted_alone(customer: Customer) -> None:
    parent, child = customer.create(), customer.create()
    builders.change(uuid.UUID(child), parent_id=uuid.UUID(parent))

    problem = problem_of(customer.send("DELETE", f"/tasks/{child}"), 409)

    assert problem["context"] == {"parent_id": parent}
    assert delete(customer, parent) == 204
    problem_of(customer.get(f"/tasks/{child}"), 404)


def test_two_deletions_at_once_are_one(customer: Customer) -> None:
    task_id = customer.queued()
    asked = ("DELETE", f"/tasks/{task_id}", {"headers": customer.headers})

    answers = sorted(answer.status_code for answer in customer.hall.together(asked, asked, asked))

    assert answers == [204, 404, 404]
    assert customer.balance() == 500


@pytest.mark.parametrize("what", ["report", "outputs"])
def test_results_whose_time_is_over_are_410_and_the_task_stays_readable(customer: Customer, what: str) -> None:
    over, kept = finished(customer, timedelta(days=30, minutes=1)), finished(customer, timedelta(days=29))

    problem = problem_of(customer.get(f"/tasks/{over}/{what}"), 410)

    assert problem["error_code"] == "RESULTS_EXPIRED"
    assert customer.get(f"/tasks/{over}").json()["status"] == "COMPLETED"
    assert customer.get(f"/tasks/{kept}/outputs").json()["outputs"][0]["name"] == "manifest.json"


@pytest.mark.parametrize("what", ["report", "outputs"])
def test_results_that_were_cleaned_are_410_whatever_the_setting_says_now(customer: Customer, what: str) -> None:
    task_id = finished(customer)
    with transaction() as session:
        retention.mark_cleaned(session, Stage.OUTPUTS, Kept.by(get_settings()), [uuid.UUID(task_id)])

    assert problem_of(customer.get(f"/tasks/{task_id}/{what}"), 410)["error_code"] == "RESULTS_EXPIRED"


def test_a_cleaned_tasks_inputs_leave_its_results(customer: Customer) -> None:
    task_id = finished(customer, timedelta(days=8))
    with transaction() as session:
        retention.mark_cleaned(session, Stage.INPUTS, Kept.by(get_settings()), [uuid.UUID(task_id)])

    assert customer.get(f"/tasks/{task_id}/outputs").status_code == 200
