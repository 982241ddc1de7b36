import hashlib
import json

import httpx
import pytest
from hall_client import NO_CERTIFICATES, Customer, problem_of
from task_lives import claimed, settle

from backend.errors import TimeLimit
from backend.storage import output_key
from db import checkpoints
from db.checkpoints import Checkpoint
from db.claims import Claim
from db.database import transaction
from db.endings import Ending
from db.models import StepStatus
from transformers import artifacts
from transformers.findings import AgentResult
from transformers.tool import Delivery

REPORT = json.dumps({"analysis_id": "x", "status": "success"}).encode()


def published(customer: Customer, task_id: str) -> Claim:
    """A COMPLETED task with its files, as transformers.publish leaves them."""
    claim, storage = claimed(customer, task_id), customer.hall.storage
    files = []
    for name, body, content_type in (
        ("report.json", REPORT, "application/json"),
        ("report.html", b"<p>fine</p>", "text/html"),
    ):
        sent = storage.put_bytes(output_key(customer.id, claim.task_id, claim.epoch, name), body, content_type)
        files.append(
            {"name": name, "key": sent.key, "size": sent.size, "sha256": sent.sha256, "content_type": content_type}
        )
    key = output_key(customer.id, claim.task_id, claim.epoch, "manifest.json")
    manifest = {"task_id": task_id, "epoch": claim.epoch, "files": files}
    storage.put_bytes(key, json.dumps(manifest).encode(), "application/json")
    settle(claim, Ending("success", key))
    return claim


def half_done(customer: Customer, task_id: str) -> Claim:
    """A running task whose first agent has delivered."""
    claim = claimed(customer, task_id)
    result = AgentResult(agent_id="counter", agent_name="Counter", analysis_text="Two rows.")
    _, sent = artifacts.put(customer.hall.storage, claim, Delivery(result=result))
    step = Checkpoint("counter", StepStatus.DELIVERED, "print", 9, sent.key, sent.size, sent.sha256)
    with transaction() as session:
        checkpoints.record(session, claim, step, amount=30, progress=50, next_agent="rater")
    return claim


def fetched(url: str) -> httpx.Response:
    return httpx.get(url, verify=NO_CERTIFICATES)


def test_the_report_of_a_completed_task_is_the_published_one(customer: Customer) -> None:
    task_id = customer.queued()
    published(customer, task_id)

    answer = customer.get(f"/tasks/{task_id}/report")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == REPORT


def test_every_published_file_can_be_fetched_by_its_link(customer: Customer) -> None:
    task_id = customer.queued()
    published(customer, task_id)

    outputs = customer.get(f"/tasks/{task_id}/outputs").json()["outputs"]

    assert [set(output) for output in outputs] == [{"name", "url", "size", "sha256", "content_type", "kind"}] * 2
    assert [output["name"] for output in outputs] == ["report.json", "report.html"]
    for output in outputs:
        got = fetched(output["url"])
        assert hashlib.sha256(got.content).hexdigest() == output["sha256"]
        assert len(got.content) == output["size"]
        assert output["name"] in got.headers["content-disposition"]


def test_the_report_of_a_running_task_shows_what_was_delivered(customer: Customer) -> None:
    task_id = customer.queued()
    half_done(customer, task_id)

    report = customer.get(f"/tasks/{task_id}/report").json()

    assert report["analysis_id"] == task_id
    assert "counter" in report["report"]["agent_results"]


@pytest.mark.parametrize("how", ["failed", "cancelled"])
def test_a_task_that_did_not_complete_still_shows_what_was_delivered(customer: Customer, how: str) -> None:
    task_id = customer.queued()
    claim = half_done(customer, task_id)
    if how == "failed":
        settle(claim, Ending(verdict=TimeLimit().verdict))
    else:
        customer.post(f"/tasks/{task_id}/cancel")

    report = customer.get(f"/tasks/{task_id}/report").json()
    outputs = customer.get(f"/tasks/{task_id}/outputs").json()["outputs"]

    assert "counter" in report["report"]["agent_results"]
    assert [output["name"] for output in outputs] == ["counter.json"]
    assert fetched(outputs[0]["url"]).json()["analysis_text"] == "Two rows."


@pytest.mark.parametrize("what", ["report", "outputs"])
def test_what_nobody_delivered_cannot_be_shown(customer: Customer, what: str) -> None:
    for task_id in (customer.create(), customer.queued()):
        problem = problem_of(customer.get(f"/tasks/{task_id}/{what}"), 409)
        assert problem["error_code"] == "INVALID_TASK_STATE"


def test_a_report_that_cannot_be_fetched_is_a_hiccup(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import ReadTimeoutError

    def fail(_key: str) -> bytes:
        raise ReadTimeoutError(endpoint_url="http://10.1.2.3")

    task_id = customer.queued()
    published(customer, task_id)
    monkeypatch.setattr(customer.hall.storage, "get_bytes", fail)

    assert problem_of(customer.get(f"/tasks/{task_id}/report"), 503)["error_code"] == "STORAGE_UNAVAILABLE"


def test_a_read_changes_nothing(customer: Customer) -> None:
    task_id = customer.queued()
    half_done(customer, task_id)
    prefix = f"users/{customer.id}/tasks/{task_id}/"

    def state() -> tuple[object, list[str]]:
        return customer.get(f"/tasks/{task_id}").json(), [found.key for found in customer.hall.storage.list(prefix)]

    before = state()
    customer.get(f"/tasks/{task_id}/report")
    customer.get(f"/tasks/{task_id}/outputs")

    assert state() == before
