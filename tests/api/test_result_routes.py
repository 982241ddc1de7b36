import hashlib
from datetime import timedelta

import httpx
import pytest
from hall_client import NO_CERTIFICATES, Customer, problem_of
from task_lives import REPORT, half_done, published, settle

from api.credentials import access_token
from backend.clock import now
from backend.errors import TimeLimit
from db.endings import Ending

OURS = "http://hall"


def fetched(customer: Customer, url: str) -> httpx.Response:
    """By who is not signed in: from the store, or from our own address."""
    if url.startswith(OURS):
        return customer.hall.send("GET", url.removeprefix(OURS))
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
        got = fetched(customer, output["url"])
        assert hashlib.sha256(got.content).hexdigest() == output["sha256"]
        assert len(got.content) == output["size"]
        assert output["name"] in got.headers["content-disposition"]


def test_the_report_of_a_running_task_shows_what_was_delivered(customer: Customer) -> None:
    task_id = customer.queued()
    half_done(customer, task_id)

    report = customer.get(f"/tasks/{task_id}/report").json()

    assert report["analysis_id"] == task_id
    assert "counter" in report["report"]["agent_results"]


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("how", ["failed", "cancelled", "running"])
def test_a_task_that_did_not_complete_still_shows_what_was_delivered(customer: Customer, how: str, small: bool) -> None:
    task_id = customer.queued()
    claim = half_done(customer, task_id, small=small)
    if how == "failed":
        settle(claim, Ending(verdict=TimeLimit().verdict))
    elif how == "cancelled":
        customer.post(f"/tasks/{task_id}/cancel")

    report = customer.get(f"/tasks/{task_id}/report").json()
    outputs = customer.get(f"/tasks/{task_id}/outputs").json()["outputs"]

    assert "counter" in report["report"]["agent_results"]
    assert [output["name"] for output in outputs] == ["counter.json"]
    got = fetched(customer, outputs[0]["url"])
    assert got.json()["analysis_text"] == "Two rows."
    assert (hashlib.sha256(got.content).hexdigest(), len(got.content)) == (outputs[0]["sha256"], outputs[0]["size"])


def linked(customer: Customer, task_id: str) -> str:
    """The address of what an agent of a running task found, under our own."""
    (output,) = customer.get(f"/tasks/{task_id}/outputs").json()["outputs"]
    url: str = output["url"]
    assert url.startswith(OURS)
    return url.removeprefix(OURS)


def test_a_link_to_our_own_address_is_for_one_file_and_for_an_hour(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = customer.queued()
    half_done(customer, task_id, small=True)
    link = linked(customer, task_id)
    assert problem_of(customer.hall.send("GET", link[:-2]), 403)["error_code"] == "FORBIDDEN"
    token = link.rpartition("/")[2]
    answer = customer.hall.send("GET", "/tasks", headers={"Authorization": f"Bearer {token}"})
    assert problem_of(answer, 401)["error_code"] == "NOT_AUTHENTICATED"
    monkeypatch.setattr("api.credentials.now", lambda: now() - timedelta(minutes=61))
    assert problem_of(customer.hall.send("GET", linked(customer, task_id)), 403)["error_code"] == "FORBIDDEN"


def test_no_access_token_is_taken_for_a_link(customer: Customer) -> None:
    problem_of(customer.hall.send("GET", f"/outputs/{access_token(customer.id, 0)}"), 403)


def test_a_link_leads_nowhere_when_the_task_is_deleted(customer: Customer) -> None:
    task_id = customer.queued()
    half_done(customer, task_id, small=True)
    link = linked(customer, task_id)
    assert customer.hall.send("GET", link).status_code == 200
    customer.send("DELETE", f"/tasks/{task_id}")
    assert problem_of(customer.hall.send("GET", link), 404)["error_code"] == "TASK_NOT_FOUND"


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
