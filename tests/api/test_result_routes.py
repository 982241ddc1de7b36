import hashlib
import json

import httpx
import pytest
from hall_client import NO_CERTIFICATES, Customer, problem_of
from task_lives import claimed, settle

from api import result_routes
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

    assert [set(output) for output in outputs] == [{"name", "url", "size", "sha256", "content_type", "kind"}] * 3
    assert [output["name"] for output in outputs] == ["report.json", "report.html", "manifest.json"]
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
        view = customer.get(f"/tasks/{task_id}").json()
        return view | {"eta": None}, [found.key for found in customer.hall.storage.list(prefix)]

    before = state()
    customer.get(f"/tasks/{task_id}/report")
    customer.get(f"/tasks/{task_id}/outputs")

    assert state() == before


def output_of(customer: Customer, task_id: str, name: str = "report.html", **headers: str) -> httpx.Response:
    asked = {key.replace("_", "-"): value for key, value in headers.items()}
    return customer.get(f"/tasks/{task_id}/outputs/{name}", headers=asked)


@pytest.fixture
def done(customer: Customer) -> str:
    """A COMPLETED task with its files."""
    task_id = customer.queued()
    published(customer, task_id)
    return task_id


def test_every_output_can_be_had_from_our_own_address_too(customer: Customer, done: str) -> None:
    for output in customer.get(f"/tasks/{done}/outputs").json()["outputs"]:
        answer = output_of(customer, done, output["name"])

        assert answer.status_code == 200
        assert hashlib.sha256(answer.content).hexdigest() == output["sha256"]
        assert answer.headers["content-length"] == str(output["size"])
        assert answer.headers["content-type"] == output["content_type"] + "; charset=utf-8" * (
            output["content_type"] == "text/html"
        )


def test_no_browser_runs_an_output(customer: Customer, done: str) -> None:
    headers = output_of(customer, done).headers

    assert headers["content-security-policy"] == "sandbox"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-disposition"].startswith('attachment; filename="report.html"')


def test_an_output_is_fetched_by_pieces_however_large(
    customer: Customer, done: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_routes, "PIECE_BYTES", 3)

    assert output_of(customer, done).content == b"<p>fine</p>"
    assert output_of(customer, done, Range="bytes=2-8").content == b">fine</"


@pytest.mark.parametrize(
    ("asked", "content", "told"),
    [
        ("bytes=3-6", b"fine", "bytes 3-6/11"),
        ("bytes=7-", b"</p>", "bytes 7-10/11"),
        ("bytes=-4", b"</p>", "bytes 7-10/11"),
        ("bytes=0-999", b"<p>fine</p>", "bytes 0-10/11"),
    ],
)
def test_a_range_of_an_output_is_that_piece(
    customer: Customer, done: str, asked: str, content: bytes, told: str
) -> None:
    answer = output_of(customer, done, Range=asked)

    assert (answer.status_code, answer.content) == (206, content)
    assert answer.headers["content-range"] == told
    assert answer.headers["content-length"] == str(len(content))


@pytest.mark.parametrize("asked", ["bytes=0-1,3-4", "lines=1-2", "bytes=5-2", "bytes=-", "nonsense"])
def test_a_range_that_may_be_ignored_is(customer: Customer, done: str, asked: str) -> None:
    assert output_of(customer, done, Range=asked).content == b"<p>fine</p>"


def test_a_range_beyond_the_end_is_refused_with_the_size(customer: Customer, done: str) -> None:
    for asked in ("bytes=11-", "bytes=-0"):
        assert problem_of(output_of(customer, done, Range=asked), 416)["context"] == {"size": 11}


def test_an_output_that_is_known_already_is_not_sent_again(customer: Customer, done: str) -> None:
    etag = output_of(customer, done).headers["etag"]

    assert etag == f'"{hashlib.sha256(b"<p>fine</p>").hexdigest()}"'
    known = output_of(customer, done, If_None_Match=etag)
    assert (known.status_code, known.content) == (304, b"")
    assert output_of(customer, done, If_Range=etag, Range="bytes=0-1").status_code == 206
    assert output_of(customer, done, If_Range='"another"', Range="bytes=0-1").status_code == 200


def test_only_what_the_manifest_names_is_an_output(customer: Customer, done: str) -> None:
    problem = problem_of(output_of(customer, done, "artifact.json"), 404)

    assert problem["error_code"] == "OUTPUT_NOT_FOUND"
    assert problem["context"]["outputs"] == ["report.json", "report.html", "manifest.json"]
    problem_of(output_of(customer, done, "..%2Freport.json"), 404)


def test_another_customers_output_is_none(customer: Customer, stranger: Customer, done: str) -> None:
    assert problem_of(output_of(stranger, done), 404)["error_code"] == "TASK_NOT_FOUND"


def test_what_was_delivered_so_far_can_be_had_too(customer: Customer) -> None:
    task_id = customer.queued()
    half_done(customer, task_id)

    assert output_of(customer, task_id, "counter.json").json()["analysis_text"] == "Two rows."
