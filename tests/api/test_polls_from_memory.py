"""Who polls a task again and again is answered from what the hub saw just now, and wrongly for no longer than that."""

import uuid
from collections.abc import Iterator

import httpx
import pytest
from hall_client import Customer
from served import Served
from task_lives import claimed, deliver, settle

from api import following
from db import accounts
from db.claims import Claim
from db.database import transaction
from db.endings import Ending
from tests.waiting import eventually


@pytest.fixture
def served(customer: Customer) -> Iterator[Served]:
    served = Served()
    yield served
    served.close()


@pytest.fixture
def claim(customer: Customer) -> Claim:
    return claimed(customer, customer.queued())


def poll(served: Served, customer: Customer, claim: Claim, etag: str = '"none"') -> httpx.Response:
    headers = {**customer.headers, "If-None-Match": etag}
    return served.client.get(f"/tasks/{claim.task_id}", headers=headers)


def polled_often(served: Served, customer: Customer, claim: Claim) -> str:
    """The task's ETag, after so many polls that the next one is answered from memory."""

    def from_memory() -> bool:
        poll(served, customer, claim)
        return served.hub.unchanged(str(claim.task_id), customer.id) is not None

    eventually(from_memory)
    return poll(served, customer, claim).headers["etag"]


def test_a_poll_is_answered_without_the_database(
    customer: Customer, served: Served, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    etag = polled_often(served, customer, claim)

    def from_memory() -> bool:  # again where the last look is older than a poll may be: the machine is busy
        monkeypatch.setattr("api.polling.task_store.get", lambda *_: pytest.fail("it was asked"))
        answer = poll(served, customer, claim, etag)
        monkeypatch.undo()
        return answer.status_code == 304 and answer.headers["etag"] == etag and answer.headers["retry-after"] == "2"

    eventually(from_memory)


def test_seldom_polls_are_always_answered_from_the_database(customer: Customer, served: Served, claim: Claim) -> None:
    for _ in range(following.POLLS_A_SECOND - 1):
        poll(served, customer, claim)
    assert served.hub.unchanged(str(claim.task_id), customer.id) is None


def test_what_changes_is_seen_within_a_moment(customer: Customer, served: Served, claim: Claim) -> None:
    etag = polled_often(served, customer, claim)
    deliver(claim, "counter", amount=30, progress=50)
    eventually(lambda: poll(served, customer, claim, etag).status_code == 200, seconds=2)
    assert poll(served, customer, claim).json()["progress"] == 50


def test_who_cancels_reads_it_at_once(customer: Customer, served: Served, claim: Claim) -> None:
    etag = polled_often(served, customer, claim)
    served.client.post(f"/tasks/{claim.task_id}/cancel", headers=dict(customer.headers))
    answer = poll(served, customer, claim, etag)
    assert (answer.status_code, answer.json()["status"]) == (200, "CANCELLED")


def test_who_deletes_reads_it_at_once(customer: Customer, served: Served, claim: Claim) -> None:
    etag = polled_often(served, customer, claim)
    served.client.delete(f"/tasks/{claim.task_id}", headers=dict(customer.headers))
    assert poll(served, customer, claim, etag).status_code == 404


def test_another_customer_is_not_answered_from_memory(
    customer: Customer, stranger: Customer, served: Served, claim: Claim
) -> None:
    etag = polled_often(served, customer, claim)
    assert poll(served, stranger, claim).status_code == 404
    assert poll(served, stranger, claim, etag).status_code == 404


def test_nobody_is_not_answered_at_all(customer: Customer, served: Served, claim: Claim) -> None:
    etag = polled_often(served, customer, claim)
    answer = served.client.get(f"/tasks/{claim.task_id}", headers={"If-None-Match": etag})
    assert answer.status_code == 401


def test_a_task_that_has_ended_is_answered_so_too(customer: Customer, served: Served, claim: Claim) -> None:
    settle(claim, Ending("success", "key"))
    etag = polled_often(served, customer, claim)
    answer = poll(served, customer, claim, etag)
    assert answer.status_code == 304
    assert "retry-after" not in answer.headers


def test_the_hub_forgets_a_task_that_nobody_polls_any_more(
    customer: Customer, served: Served, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LINGER_SECONDS", 0.3)
    polled_often(served, customer, claim)
    eventually(lambda: not served.hub.looks)


def api_key(served: Served, customer: Customer) -> tuple[dict[str, str], uuid.UUID]:
    made = served.client.post("/auth/api-keys", json={"name": "poller"}, headers=dict(customer.headers)).json()
    with transaction() as session:
        return {"X-API-Key": made["key"]}, accounts.api_keys(session, customer.id)[0].id


def test_a_revoked_key_reads_on_for_the_seconds_of_the_setting_and_no_longer(
    customer: Customer, served: Served, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backend.settings import get_settings

    for seconds, then in (("60", 200), ("0", 401)):
        monkeypatch.setenv("SIGN_IN_REMEMBERED_SECONDS", seconds)
        get_settings.cache_clear()
        headers, key_id = api_key(served, customer)
        assert served.client.get(f"/tasks/{claim.task_id}", headers=headers).status_code == 200
        with transaction() as session:
            accounts.revoke_api_key(session, customer.id, key_id)
        assert served.client.get(f"/tasks/{claim.task_id}", headers=headers).status_code == then
        assert served.client.get("/tasks", headers=headers).status_code == 401
