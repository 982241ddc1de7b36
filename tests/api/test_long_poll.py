"""`GET /tasks/{id}`: what it says of waiting, and how it is polled."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from hall_client import Customer, problem_of
from served import Served
from task_lives import claimed, deliver, settle

from api import polling
from backend.clock import monotonic
from backend.settings import get_settings
from db.database import transaction
from db.endings import Ending
from db.models import Lane
from tests import builders
from tests.waiting import eventually


@pytest.fixture
def served(customer: Customer) -> Iterator[Served]:
    served = Served()
    yield served
    served.close()


def poll(served: Served, customer: Customer, task_id: str, etag: str, wait: float) -> httpx.Response:
    headers = {**customer.headers, "If-None-Match": etag}
    return served.client.get(f"/tasks/{task_id}", params={"wait": wait}, headers=headers)


@pytest.fixture(autouse=True)
def _a_long_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker of these tests never beats."""
    monkeypatch.setenv("LEASE_SECONDS", "60")


def a_worker() -> None:
    """One that knows the trial tool; that of the builders does not."""
    get_settings.cache_clear()
    builders.live_worker()
    with transaction() as session:
        session.connection().exec_driver_sql("UPDATE workers SET tools = tools || '{trial}'::varchar[]")


def view(customer: Customer, task_id: str) -> dict[str, Any]:
    return customer.get(f"/tasks/{task_id}").json()


def test_a_long_poll_is_answered_when_something_happens(customer: Customer, served: Served) -> None:
    task_id = customer.queued()
    claim = claimed(customer, task_id)
    etag = customer.get(f"/tasks/{task_id}").headers["etag"]
    with ThreadPoolExecutor(1) as beside:
        asked = beside.submit(poll, served, customer, task_id, etag, 20)
        eventually(lambda: served.hub.followed == 1)
        began = monotonic()
        deliver(claim, "counter", amount=30, progress=50)
        answer = asked.result(10)

    assert monotonic() - began < 5
    assert (answer.status_code, answer.json()["progress"]) == (200, 50)
    assert answer.headers["etag"] != etag
    eventually(lambda: not served.hub.followed)


def test_what_happens_before_the_wait_begins_answers_a_long_poll(
    customer: Customer, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else watches the task already: the hub has taken the news, and nothing would wake the poll."""
    monkeypatch.setattr(polling, "SLICE_SECONDS", 20)
    task_id = customer.queued()
    claim = claimed(customer, task_id)
    etag = customer.get(f"/tasks/{task_id}").headers["etag"]
    look, looks = polling.Poll._look, iter([True])

    with served.follow(task_id, customer.headers) as following:
        following.next()

        def look_just_before(poll: polling.Poll) -> polling.Look:
            found = look(poll)
            if next(looks, False):
                deliver(claim, "counter", amount=30, progress=50)
                assert following.until("step_delivered")
            return found

        monkeypatch.setattr(polling.Poll, "_look", look_just_before)
        began = monotonic()
        answer = poll(served, customer, task_id, etag, 9)

    assert (answer.status_code, answer.json()["progress"]) == (200, 50)
    assert monotonic() - began < 5


def test_a_long_poll_ends_unchanged_when_its_time_is_over(customer: Customer, served: Served) -> None:
    task_id = customer.queued()
    claimed(customer, task_id)
    etag = customer.get(f"/tasks/{task_id}").headers["etag"]
    began = monotonic()
    answer = poll(served, customer, task_id, etag, 0.4)
    assert monotonic() - began >= 0.4
    assert (answer.status_code, answer.headers["etag"]) == (304, etag)
    assert int(answer.headers["retry-after"]) >= 1


def test_a_change_of_place_answers_a_long_poll(
    customer: Customer, stranger: Customer, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "SLICE_SECONDS", 0.1)
    a_worker()
    stranger.queued()
    first, second = customer.queued(), customer.queued()
    etag = customer.get(f"/tasks/{second}").headers["etag"]
    with ThreadPoolExecutor(1) as beside:
        asked = beside.submit(poll, served, customer, second, etag, 20)
        eventually(lambda: served.hub.followed == 1)
        customer.post(f"/tasks/{first}/cancel")
        assert asked.result(10).json()["waiting"]["position"] < 3


def test_nothing_is_waited_for_without_an_etag_or_after_the_end(customer: Customer) -> None:
    task_id = customer.queued()
    began = monotonic()
    assert customer.get(f"/tasks/{task_id}?wait=30").status_code == 200
    settle(claimed(customer, task_id), Ending("success", "key"))
    etag = customer.get(f"/tasks/{task_id}").headers["etag"]
    answer = customer.get(f"/tasks/{task_id}?wait=30", headers={"If-None-Match": etag})
    assert answer.status_code == 304
    assert "retry-after" not in answer.headers
    assert monotonic() - began < 20


def test_a_client_that_leaves_a_long_poll_leaves_nothing_behind(
    customer: Customer, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "SLICE_SECONDS", 0.1)
    task_id = customer.queued()
    etag = customer.get(f"/tasks/{task_id}").headers["etag"]
    with pytest.raises(httpx.ReadTimeout):
        served.client.get(f"/tasks/{task_id}?wait=60", headers={**customer.headers, "If-None-Match": etag}, timeout=0.5)
    eventually(lambda: not served.hub.followed)


@pytest.mark.parametrize("wait", ["-1", "61", "soon", "nan"])
def test_one_waits_for_a_minute_at_most(customer: Customer, wait: str) -> None:
    assert problem_of(customer.get(f"/tasks/{customer.create()}?wait={wait}"), 422)["error_code"] == "BAD_REQUEST"


def test_a_task_says_why_it_waits_and_for_how_long(customer: Customer) -> None:
    task_id = customer.create()
    assert (view(customer, task_id)["waiting"], view(customer, task_id)["eta"]) == (None, None)
    customer.upload(task_id)
    customer.process(task_id)
    assert view(customer, task_id)["waiting"]["reason"] == "no_worker"
    a_worker()

    found = view(customer, task_id)

    assert found["waiting"] == {"reason": "behind_others", "message": "It is next.", "position": 1, "until": None}
    assert found["eta"]["based_on"] == "declared"
    assert 0 < found["eta"]["low"] < found["eta"]["likely"] < found["eta"]["high"]
    claim = claimed(customer, task_id)
    assert view(customer, task_id)["waiting"] is None
    assert view(customer, task_id)["eta"]["likely"] > 0
    settle(claim, Ending("success", "key"))
    assert view(customer, task_id)["eta"] is None


def test_a_paused_customer_reads_that_it_is_paused(customer: Customer) -> None:
    task_id = customer.queued()
    before = customer.get(f"/tasks/{task_id}").headers["etag"]
    with transaction() as session:
        session.get_one(Lane, customer.id).cap = 0

    answer = customer.get(f"/tasks/{task_id}", headers={"If-None-Match": before})

    assert answer.status_code == 200
    assert answer.json()["waiting"]["reason"] == "paused"


def test_a_step_says_when_it_began_and_ended(customer: Customer) -> None:
    task_id = customer.queued()
    claim = claimed(customer, task_id)
    deliver(claim, "counter", amount=30, progress=50, next_agent="rater")

    counter, rater = view(customer, task_id)["steps"]

    assert counter["started_at"] < counter["finished_at"]
    assert rater["state"] == "running"
    assert rater["started_at"] >= counter["started_at"]
    assert rater["finished_at"] is None


def test_polls_of_others_do_not_wait_for_a_long_one(customer: Customer, served: Served) -> None:
    """No thread is held: more of them wait than there are threads."""
    task_id = customer.queued()
    etag = customer.get(f"/tasks/{task_id}").headers["etag"]
    started = threading.Barrier(51)

    def wait() -> int:
        started.wait(10)
        return poll(served, customer, task_id, etag, 3).status_code

    with ThreadPoolExecutor(50) as many:
        waiting = [many.submit(wait) for _ in range(50)]
        started.wait(10)
        eventually(lambda: served.hub.followed == 50)
        assert served.client.get(f"/tasks/{task_id}", headers=dict(customer.headers)).status_code == 200
        assert not any(asked.done() for asked in waiting)
        assert {asked.result(15) for asked in waiting} == {304}


def test_long_polls_count_as_tasks_that_are_followed(
    customer: Customer, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLLOWED_PER_CUSTOMER", "1")
    get_settings.cache_clear()
    task_id = customer.queued()
    etag = customer.get(f"/tasks/{task_id}").headers["etag"]
    with served.follow(task_id, customer.headers) as following:
        following.next()
        answer = poll(served, customer, task_id, etag, 5)
        assert problem_of(answer, 429)["error_code"] == "TOO_MANY_FOLLOWED"
        assert poll(served, customer, task_id, etag, 0).status_code == 304
