import uuid
from datetime import timedelta

import pytest
from side_by_side import in_thread, outcome, sql, together, until_somebody_waits_for_a_lock

from backend.errors import ClaimLost
from db import claims
from db.claims import Claim
from db.database import statement, transaction
from db.models import CLOCK, Queue, Task, TaskStatus
from tests import builders
from tests.builders import LEASE, PRICES
from tests.round_trips import on_linux, trips_of


def take(task: Task, *, user_id: int | None = None, worker: uuid.UUID | None = None) -> Claim | None:
    with transaction() as session:
        return claims.take(session, task.id, user_id or task.user_id, worker or uuid.uuid4(), LEASE)


def test_a_claim_brings_what_the_work_needs_to_know() -> None:
    task = builders.admitted_task(parameters={"depth": 3}, queue=Queue.HIGH_MEMORY, run_seconds=4.5, crashes=1)
    taken = take(task)
    row = builders.read(task.id)
    assert taken == Claim(
        task_id=task.id,
        user_id=task.user_id,
        tool_id=builders.TOOL,
        epoch=1,
        agents=tuple(PRICES),
        parameters={"depth": 3},
        inputs={},
        prices=PRICES,
        queue=Queue.HIGH_MEMORY,
        parent_id=None,
        run_seconds=4.5,
        started_at=row.started_at,
        queued_at=row.queued_at,
        admitted_at=row.admitted_at,
        claimed_at=row.claimed_at,
    )


def test_a_claimed_row_names_its_worker_and_has_a_lease() -> None:
    task, worker = builders.admitted_task(), uuid.uuid4()
    take(task, worker=worker)
    row = builders.read(task.id)
    assert (row.status, row.worker, row.epoch, row.ring_wanted) == (TaskStatus.PROCESSING, worker, 1, False)
    left = sql("SELECT lease_until - clock_timestamp() FROM tasks WHERE id = :id", id=task.id)
    assert LEASE - timedelta(seconds=5) < left <= LEASE
    assert row.claimed_at == row.started_at or abs(row.claimed_at - row.started_at) < timedelta(seconds=1)
    assert builders.story(task.id) == ["created", "queued", "started"]


@pytest.mark.parametrize("status", sorted(set(TaskStatus) - {TaskStatus.QUEUED}))
def test_only_a_queued_task_can_be_claimed(status: TaskStatus) -> None:
    task = builders.admitted_task()
    builders.change(task.id, status=status)
    assert take(task) is None
    assert builders.read(task.id).epoch == 0


def test_a_second_worker_cannot_claim_a_running_task() -> None:
    task = builders.admitted_task()
    assert take(task) is not None
    assert take(task) is None
    assert builders.read(task.id).epoch == 1


def test_a_task_that_was_not_admitted_cannot_be_claimed() -> None:
    assert take(builders.submitted_task()) is None


def test_a_task_that_is_put_off_cannot_be_claimed() -> None:
    task = builders.admitted_task()
    builders.change(task.id, not_before=CLOCK - timedelta(seconds=1))  # past, but no round has let it in
    assert take(task) is None


def test_a_message_with_another_customers_number_claims_nothing() -> None:
    assert take(builders.admitted_task(), user_id=builders.customer()) is None


def test_a_task_that_there_is_not_cannot_be_claimed() -> None:
    with transaction() as session:
        assert claims.take(session, uuid.uuid4(), 1, uuid.uuid4(), LEASE) is None


def test_a_claim_clears_the_errors_of_the_attempt_before() -> None:
    task = builders.admitted_task(
        error_code="STORAGE_UNAVAILABLE", error_message="…", next_action="…", error_detail="…", recoverable=True
    )  # fmt: skip
    take(task)
    row = builders.read(task.id)
    errors = ("error_code", "error_message", "next_action", "error_detail", "recoverable")
    assert [getattr(row, name) for name in errors] == [None] * 5


def test_a_later_claim_has_a_higher_epoch_and_keeps_the_first_start() -> None:
    first = builders.claimed_task()
    started = builders.read(first.task_id).started_at
    row = builders.change(first.task_id, status=TaskStatus.QUEUED)
    assert builders.claim(row).epoch == 2
    assert builders.read(first.task_id).started_at == started


def test_of_two_workers_at_once_one_wins() -> None:
    user = builders.customer(credits=100_000)
    for _ in range(20):
        task = builders.admitted_task(user)
        answers = together(lambda task=task: take(task), lambda task=task: take(task))
        won = [answer for answer in answers if answer is not None]
        assert len(won) == 1
        assert isinstance(won[0], Claim)
        assert builders.read(task.id).epoch == 1
        assert builders.story(task.id) == ["created", "queued", "started"]


def test_a_worker_that_waited_for_another_ones_claim_finds_no_row() -> None:
    task = builders.admitted_task()
    with transaction() as first:
        assert claims.take(first, task.id, task.user_id, uuid.uuid4(), LEASE) is not None
        with in_thread(lambda: outcome(lambda: take(task))) as second:
            until_somebody_waits_for_a_lock()
            first.commit()
    assert second.result() is None


def test_a_station_gets_the_number_of_its_event() -> None:
    claim = builders.claimed_task()  # its events are 1, 2 and 3
    with transaction() as session:
        assert claims.tell(session, claim, {"text": "a word"}) == 4
    assert builders.story(claim.task_id)[-1] == "text"
    assert builders.read(claim.task_id).last_event == 4


def test_whose_turn_it_is_can_be_said_without_an_event() -> None:
    claim = builders.claimed_task()
    with transaction() as session:
        assert not claims.begin_steps(session, claim, ["score-risk", "readiness-rater"])
    assert builders.read(claim.task_id).current_agent == "score-risk"
    assert builders.story(claim.task_id) == ["created", "queued", "started"]


def test_a_task_that_goes_on_says_so_and_it_is_the_turn_of_the_first_that_is_not_finished() -> None:
    claim = builders.claimed_task()
    builders.deliver(claim, "unified-profiler")
    builders.deliver(claim, "readiness-rater")
    with transaction() as session:
        assert claims.begin_steps(session, claim, list(PRICES))
    assert builders.read(claim.task_id).current_agent == "score-risk"


def test_when_all_is_finished_it_is_nobodys_turn() -> None:
    claim = builders.claimed_task()
    builders.deliver(claim, "unified-profiler")
    with transaction() as session:
        assert claims.begin_steps(session, claim, ["unified-profiler"])
    assert builders.read(claim.task_id).current_agent is None


@pytest.mark.parametrize(
    "change", [{"epoch": 2}, {"status": TaskStatus.QUEUED}, {"status": TaskStatus.CANCELLED}], ids=str
)
def test_who_does_not_own_the_row_passes_no_fence(change: dict[str, object]) -> None:
    claim = builders.claimed_task()
    builders.change(claim.task_id, **change)
    with transaction() as session, pytest.raises(ClaimLost):
        claims.tell(session, claim, {})
    with transaction() as session, pytest.raises(ClaimLost):
        claims.begin_steps(session, claim, ["score-risk"])


# ── round trips ──────────────────────────────────────────────────────────────────────────────────────────────────


@on_linux
def test_a_claim_with_its_event_is_one_round_trip() -> None:
    task = builders.admitted_task()
    assert len(trips_of(lambda: take_alone(task))) == 1
    assert builders.story(task.id) == ["created", "queued", "started"]


@on_linux
def test_a_few_words_are_one_round_trip() -> None:
    claim = builders.claimed_task()

    def tell_alone() -> None:
        with statement() as session:
            claims.tell(session, claim, {"text": "a word"})

    assert len(trips_of(tell_alone)) == 1


@on_linux
def test_to_begin_the_steps_is_one_round_trip() -> None:
    claim = builders.claimed_task()
    assert len(trips_of(lambda: begin_alone(claim))) == 1


def take_alone(task: Task) -> Claim | None:
    with statement() as session:
        return claims.take(session, task.id, task.user_id, uuid.uuid4(), LEASE)


def begin_alone(claim: Claim) -> bool:
    with statement() as session:
        return claims.begin_steps(session, claim, list(PRICES))
