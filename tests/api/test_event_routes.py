import asyncio
import uuid
from collections.abc import Iterator

import pytest
from batches import at_work, end, finish, split
from hall_client import Customer, problem_of
from served import Served
from task_lives import claimed, deliver, settle

from api import event_stream
from api.following import Hub
from backend.clock import monotonic
from backend.errors import TimeLimit
from db import checkpoints, claims, deletion, task_store
from db.checkpoints import Checkpoint
from db.claims import Claim
from db.database import transaction
from db.endings import Ending
from db.models import StepStatus, Task
from tests.waiting import eventually


@pytest.fixture
def served(customer: Customer) -> Iterator[Served]:
    served = Served()
    yield served
    served.close()


def set_progress(claim: Claim, percent: float) -> None:
    """As a beat does it."""
    with transaction() as session:
        session.get_one(Task, claim.task_id).progress = percent


def test_a_task_is_followed_from_its_snapshot_to_its_end(customer: Customer, served: Served) -> None:
    task_id = customer.queued()
    with served.follow(task_id, customer.headers) as following:
        snapshot = following.next()
        assert (snapshot.kind, snapshot.seq, snapshot.data["status"]) == ("snapshot", 2, "QUEUED")
        assert snapshot.data["steps"][0]["agent_id"] == "counter"

        claim = claimed(customer, task_id)
        started = following.next()
        assert (started.kind, started.seq, started.data["status"]) == ("started", 3, "PROCESSING")
        deliver(claim, "counter", amount=30, progress=50, next_agent="rater")
        delivered = following.next()
        assert delivered.data["data"] == {"agent_id": "counter", "progress": 50, "credits": 30}
        assert (delivered.data["progress"], delivered.data["current_agent"]) == (50, "rater")
        settle(claim, Ending("success", "key"))

        assert [(event.kind, event.seq) for event in following.rest()] == [("completed", 5)]
        assert following.answer.headers["content-type"].startswith("text/event-stream")
        assert following.answer.headers["cache-control"] == "no-store"
    eventually(lambda: not served.hub.followed)


def test_who_comes_back_gets_what_was_missed_and_no_snapshot(customer: Customer, served: Served) -> None:
    task_id = customer.queued()
    claim = claimed(customer, task_id)
    deliver(claim, "counter", amount=30, progress=50)
    with served.follow(task_id, customer.headers, last_event_id="2") as following:
        assert [(event.kind, event.seq) for event in following.until("step_delivered")] == [
            ("started", 3),
            ("step_delivered", 4),
        ]
        settle(claim, Ending("success", "key"))
        assert following.next().kind == "completed"


def test_who_comes_late_gets_a_snapshot_and_the_last_event(customer: Customer) -> None:
    task_id = customer.queued()
    settle(claimed(customer, task_id), Ending(verdict=TimeLimit(detail="/srv/secret").verdict))

    text = customer.get(f"/tasks/{task_id}/events").text

    assert [line for line in text.splitlines() if line.startswith(("event", "id", "retry"))] == [
        "retry: 1000", "event: snapshot", "id: 3", "event: failed", "id: 4",
    ]  # fmt: skip
    assert '"error_code":"TIMEOUT"' in text
    assert "secret" not in text


def test_who_has_the_last_event_is_told_to_stay_away(customer: Customer) -> None:
    task_id = customer.queued()
    settle(claimed(customer, task_id), Ending("success", "key"))

    answer = customer.get(f"/tasks/{task_id}/events", headers={"Last-Event-ID": "4"})

    assert (answer.status_code, answer.content) == (204, b"")
    assert customer.get(f"/tasks/{task_id}/events?last_event_id=4").status_code == 204


@pytest.mark.parametrize("seen", ["5", "-1", "x", "²", "1e3"])
def test_a_number_that_is_none_of_the_tasks_is_answered_with_all_of_it(customer: Customer, seen: str) -> None:
    task_id = customer.queued()
    settle(claimed(customer, task_id), Ending("success", "key"))

    text = customer.get(f"/tasks/{task_id}/events", params={"last_event_id": seen}).text

    kinds = [line for line in text.splitlines() if line.startswith("event")]
    assert kinds == ["event: resync", "event: completed"]


def test_zero_replays_everything(customer: Customer) -> None:
    task_id = customer.queued()
    settle(claimed(customer, task_id), Ending("success", "key"))

    text = customer.get(f"/tasks/{task_id}/events?last_event_id=0").text

    kinds = [line.removeprefix("event: ") for line in text.splitlines() if line.startswith("event")]
    assert kinds == ["created", "queued", "started", "completed"]


def test_events_that_are_gone_are_answered_with_all_of_the_task(customer: Customer) -> None:
    task_id = customer.queued()
    settle(claimed(customer, task_id), Ending("success", "key"))
    with transaction() as session:
        session.connection().exec_driver_sql("DELETE FROM task_events WHERE seq < 4")

    text = customer.get(f"/tasks/{task_id}/events?last_event_id=1").text

    kinds = [line.removeprefix("event: ") for line in text.splitlines() if line.startswith("event")]
    assert kinds == ["resync", "completed"]


def test_progress_is_told_now_and_then_and_never_goes_down(customer: Customer, served: Served) -> None:
    task_id = customer.queued()
    claim = claimed(customer, task_id)
    with served.follow(task_id, customer.headers) as following:
        following.next()
        began = monotonic()
        for percent in range(1, 40):
            set_progress(claim, percent)
        with transaction() as session:
            claims.begin_steps(session, claim, ["rater"])
        told = [following.next()]
        while told[-1].data["progress"] < 39 or told[-1].data["current_agent"] != "rater":
            told.append(following.next())

    assert {event.kind for event in told} == {"progress"}
    assert len(told) <= 2 + 2 * (monotonic() - began)
    assert [event.data["progress"] for event in told] == sorted(event.data["progress"] for event in told)
    assert {event.seq for event in told} == {None}


def test_a_silent_stream_gives_signs_of_life(
    customer: Customer, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_SECONDS", 0.05)
    with served.follow(customer.queued(), customer.headers) as following:
        events = iter(following)
        assert [next(events).kind for _ in range(4)] == ["retry", "snapshot", ":", ":"]


def test_who_falls_behind_gets_everything(customer: Customer, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.following.TAIL", 2)
    monkeypatch.setattr(event_stream, "READ_AT_ONCE", 3)
    task_id = customer.queued()
    claim = claimed(customer, task_id)
    with served.follow(task_id, customer.headers, last_event_id="0") as following:
        for number in range(20):
            deliver(claim, f"agent-{number}", amount=0, progress=number)
        settle(claim, Ending("success", "key"))
        assert [event.seq for event in following.rest() if event.seq] == list(range(1, 25))


def fail_at_length(claim: Claim, count: int) -> None:
    """Events of 100 kB each, far more than sockets hold."""
    for number in range(count):
        step = Checkpoint(f"a{number}", StepStatus.FAILED, "print", 1, error_code="BUG", error_message="x" * 100_000)
        with transaction() as session:
            checkpoints.record(session, claim, step, amount=0, progress=1, next_agent=None)


def test_who_does_not_read_holds_nobody_and_gets_everything_later(customer: Customer, served: Served) -> None:
    task_id = customer.queued()
    claim = claimed(customer, task_id)
    with served.follow(task_id, customer.headers) as idle:
        with served.follow(task_id, customer.headers) as reading:
            fail_at_length(claim, 90)
            settle(claim, Ending("partial", "key"))
            assert [event.seq for event in reading.rest() if event.seq] == list(range(3, 95))
        assert [event.seq for event in idle.rest() if event.seq] == list(range(3, 95))


def test_a_deleted_task_ends_its_stream(customer: Customer, served: Served) -> None:
    task_id = customer.queued()
    with served.follow(task_id, customer.headers) as following:
        following.next()
        customer.send("DELETE", f"/tasks/{task_id}")
        assert [event.kind for event in following.rest()] == ["cancelled"]
    with served.follow(task_id, customer.headers, last_event_id="2") as following:
        assert following.answer.status_code == 404


def test_a_client_that_goes_leaves_nothing_behind(customer: Customer, served: Served) -> None:
    task_id = customer.queued()
    for _ in range(3):
        with served.follow(task_id, customer.headers) as following:
            following.next()
    eventually(lambda: not served.hub.followed)


def test_a_process_that_stops_ends_its_streams(customer: Customer, served: Served) -> None:
    with served.follow(customer.queued(), customer.headers) as following:
        following.next()
        served.hub.close_soon()
        assert following.rest() == []


def test_a_customer_follows_so_many_tasks_at_once_and_no_more(
    customer: Customer, stranger: Customer, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLLOWED_PER_CUSTOMER", "1")
    from backend.settings import get_settings

    get_settings.cache_clear()
    task_id, other = customer.queued(), stranger.queued()
    with served.follow(task_id, customer.headers) as following:
        following.next()
        answer = served.client.get(f"/tasks/{task_id}/events", headers=dict(customer.headers))
        assert problem_of(answer, 429)["error_code"] == "TOO_MANY_FOLLOWED"
        assert int(answer.headers["retry-after"]) > 0
        with served.follow(other, stranger.headers) as theirs:
            assert theirs.next().kind == "snapshot"


def test_a_stream_is_good_for_no_longer_than_a_token(
    customer: Customer, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.event_routes.SECONDS_A_MINUTE", 0.01)
    with served.follow(customer.queued(), customer.headers) as following:
        assert [event.kind for event in following.rest()] == ["snapshot"]


def test_following_needs_the_tasks_own_customer(customer: Customer, stranger: Customer) -> None:
    task_id = customer.queued()

    assert problem_of(stranger.get(f"/tasks/{task_id}/events"), 404)["error_code"] == "TASK_NOT_FOUND"
    problem_of(customer.hall.send("GET", f"/tasks/{task_id}/events"), 401)


def test_the_task_of_a_stream_may_be_deleted_while_it_opens(customer: Customer) -> None:
    task_id = customer.queued()
    opening = event_stream.opening_of(uuid.UUID(task_id), customer.id, None)
    with transaction() as session:
        task_store.cancel(session, uuid.UUID(task_id), customer.id)
        deletion.delete(session, uuid.UUID(task_id), customer.id)

    async def told() -> list[bytes]:
        async with asyncio.timeout(5):
            return [text async for text in event_stream.stream(Hub(), opening)]

    _snapshot, *after = asyncio.run(told())
    assert [text.split(b"\n")[0] for text in after] == [b"event: cancelled"]


def test_text_is_told_while_it_is_written_each_stretch_once_and_with_its_place(
    customer: Customer, served: Served
) -> None:
    task_id = customer.queued()
    with served.follow(task_id, customer.headers) as following:
        following.next()
        claim = claimed(customer, task_id)
        for at, words in ((0, "<b>Par"), (6, "is.</b>")):
            with transaction() as session:
                claims.tell(session, claim, {"text": words, "at": at, "ours": "not to be told"})
        told = following.until("text") + following.until("text")
        settle(claim, Ending("success", "key"))
        following.rest()

    texts = [event for event in told if event.kind == "text"]
    assert [event.data["data"] for event in texts] == [{"text": "<b>Par", "at": 0}, {"text": "is.</b>", "at": 6}]
    assert texts[1].seq == (texts[0].seq or 0) + 1


def test_progress_of_a_batch_comes_with_its_items(customer: Customer, served: Served) -> None:
    batch = split(customer, 1000)
    part = at_work(batch.parts[0])
    with served.follow(batch.task_id, customer.headers) as following:
        assert following.next().data["items"] == {"total": 1000, "ok": 0, "failed": 0}
        finish(part, 0, 1, failed=(2,))

        told = following.next()

        assert (told.kind, told.seq) == ("progress", None)
        assert told.data["items"] == {"total": 1000, "ok": 2, "failed": 1}
        end(customer, batch, part, outcome="partial")
        assert following.rest()[-1].kind == "completed"
