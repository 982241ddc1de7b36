import pytest
from hall_client import Hall, new_customer, problem_of

from api import rate_limits
from api.rate_limits import Buckets
from backend.errors import TooManyRequests
from backend.storage.door import Storage
from tests.conftest import forget_settings


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(rate_limits, "monotonic", lambda: now[0])
    return now


def taken(buckets: Buckets, customer_id: int, times: int) -> int:
    """How many of so many requests go through."""
    count = 0
    for _ in range(times):
        try:
            buckets.take(customer_id)
        except TooManyRequests:
            continue
        count += 1
    return count


def test_a_bucket_takes_a_burst_and_then_its_rate(clock: list[float]) -> None:
    buckets = Buckets(per_second=2, at_once=5)
    assert taken(buckets, 1, 10) == 5
    clock[0] = 2.0
    assert taken(buckets, 1, 10) == 4
    clock[0] = 1000.0
    assert taken(buckets, 1, 10) == 5


def test_a_refusal_says_when_there_is_room_again(clock: list[float]) -> None:
    buckets = Buckets(per_second=0.5, at_once=1)
    buckets.take(1)
    clock[0] = 0.5
    with pytest.raises(TooManyRequests) as caught:
        buckets.take(1)
    assert caught.value.verdict.retry_after == pytest.approx(1.5)
    clock[0] = 2.0
    buckets.take(1)


def test_one_customers_haste_is_not_anothers(clock: list[float]) -> None:
    buckets = Buckets(per_second=1, at_once=1)
    assert (taken(buckets, 1, 3), taken(buckets, 2, 3)) == (1, 1)


def test_without_a_rate_there_is_no_limit(clock: list[float]) -> None:
    assert taken(Buckets(per_second=0, at_once=1), 1, 100) == 100


def test_not_all_customers_are_remembered_for_ever(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "MOST_BUCKETS", 3)
    buckets = Buckets(per_second=1, at_once=100)
    for customer_id in range(10):
        buckets.take(customer_id)
        buckets.take(0)
    assert set(buckets._buckets) == {0, 8, 9}  # who asks all the time is not forgotten, with a full bucket as thanks


def test_who_asks_too_often_is_told_with_a_retry_after(
    database: str, hall_storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_PER_SECOND", "0.1")
    monkeypatch.setenv("REQUESTS_AT_ONCE", "2")
    forget_settings()
    hall = Hall(hall_storage)
    hasty, calm = new_customer(hall), new_customer(hall)
    assert [hasty.get("/credits").status_code for _ in range(2)] == [200, 200]
    refused = hasty.get("/credits")
    assert problem_of(refused, 429)["error_code"] == "TOO_MANY_REQUESTS"
    assert 1 <= int(refused.headers["retry-after"]) <= 10
    polled = hasty.get("/tasks/7b9f5a4e-6d1c-4c55-9a39-0f0d7f6d2b11")
    assert problem_of(polled, 429)["error_code"] == "TOO_MANY_REQUESTS"
    assert calm.get("/credits").status_code == 200
    hall.close()
