import hashlib

import httpx
import pytest
from hall_client import NO_CERTIFICATES, Customer, problem_of
from task_lives import REPORT, half_done, published, settle

from backend.errors import TimeLimit
from db.endings import Ending


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
