"""Retries: what the new row takes from the old one, who pays, and that there is one at a time."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from side_by_side import together

from backend.errors import InsufficientCredits, InvalidTaskState, ResultsExpired, TaskNotFound
from db import checkpoints, deletion, endings, ledger, retries, task_store
from db.claims import Claim
from db.database import transaction
from db.endings import Ending
from db.models import CLOCK, Task, TaskStatus, TaskStep
from db.retention import Kept
from db.retries import EARLIER_TASK, Resubmission, Wanted
from db.task_store import AGEING_STEP, Submission
from db.verification import LEDGER, STATES, breaches
from tests import builders
from tests.builders import PRICES

FIRST, *REST = PRICES
INPUTS = {"primary": [{"filename": "a.csv", "key": "inputs/a.csv", "size": 3, "etag": "e"}]}
KEPT = Kept(timedelta(days=7), timedelta(days=30), timedelta(minutes=15), timedelta(hours=1))


def failed(user_id: int | None = None, *, delivered: Sequence[str] = (FIRST,), **columns: Any) -> Task:
    """A task that ended in FAILED after these agents had delivered."""
    return fail(builders.claimed_task(user_id, inputs=INPUTS), delivered, **columns)


def fail(claim: Claim, delivered: Sequence[str] = (), **columns: Any) -> Task:
    for agent in delivered:
        builders.deliver(claim, agent)
    with transaction() as session:
        endings.settle(session, claim, Ending(verdict=InvalidTaskState("It broke.").verdict))
    return builders.change(claim.task_id, **columns) if columns else builders.read(claim.task_id)


def asked(task: Task, taken_over: Sequence[str] = (FIRST,)) -> Resubmission:
    prices = {agent: 0 if agent in taken_over else price for agent, price in PRICES.items()}
    submission = Submission(list(PRICES), prices, task.inputs, 2.5, task.parameters)
    return Resubmission(task.id, submission, list(taken_over), 33.0 * len(taken_over))


def retry(task: Task, taken_over: Sequence[str] = (FIRST,)) -> Task:
    with transaction() as session:
        return retries.create(session, task.user_id, asked(task, taken_over), KEPT)


def steps(task_id: uuid.UUID) -> dict[str, TaskStep]:
    with transaction() as session:
        return dict(checkpoints.of_task(session, task_id))


def run(task: Task) -> Claim:
    return builders.claim(builders.change(task.id, admitted_at=CLOCK))


def complete(claim: Claim) -> None:
    with transaction() as session:
        endings.settle(session, claim, Ending("success", "manifest.json"))


def balance(user_id: int) -> int:
    with transaction() as session:
        return ledger.balance(session, user_id)


def prove() -> None:
    with transaction() as session:
        assert [*breaches(session, LEDGER), *breaches(session, STATES)] == []


def tasks_of(user_id: int) -> int:
    with transaction() as session:
        return len(task_store.page(session, user_id))


# ── the new task ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_retry_is_a_queued_task_of_its_own_in_the_same_words() -> None:
    old = failed(parameters={FIRST: {"top": 3}}, priority=2)
    new = retry(old)
    assert (new.status, new.retry_of, new.epoch, new.error_code) == (TaskStatus.QUEUED, old.id, 0, None)
    for name in ("user_id", "tool_id", "agents", "parameters", "inputs", "priority"):
        assert getattr(new, name) == getattr(old, name), name
    assert (new.cost, new.progress) == (2.5, 33.0)
    assert new.celery_task_id not in {None, old.celery_task_id}
    assert new.queued_at is not None
    assert abs(new.queued_at - new.sort_at - 2 * AGEING_STEP) < timedelta(seconds=1)
    assert builders.story(new.id) == ["created", "queued"]


def test_the_old_task_is_not_touched() -> None:
    old = failed()
    before = {column.name: getattr(old, column.name) for column in Task.__table__.columns}
    retry(old)
    after = builders.read(old.id)
    assert {name: getattr(after, name) for name in before} == before


def test_delivered_steps_are_taken_over_as_they_are_and_failed_ones_are_not() -> None:
    claim = builders.claimed_task(inputs=INPUTS)
    with transaction() as session:
        checkpoints.record(session, claim, builders.failed_step(REST[0]), amount=0, progress=9, next_agent=None)
    old = fail(claim, [FIRST])
    new = retry(old, [FIRST, REST[0]])
    (taken,) = steps(new.id).values()
    delivered = steps(old.id)[FIRST]
    assert (taken.agent_id, taken.epoch) == (FIRST, EARLIER_TASK)
    for name in (
        "fingerprint", "artifact_key", "artifact_size", "artifact_sha256", "duration_ms", "peak_memory_bytes",
        "finished_at", "status",
    ):  # fmt: skip
        assert getattr(taken, name) == getattr(delivered, name), name


def test_a_small_artifact_is_taken_over_with_its_step() -> None:
    claim = builders.claimed_task(inputs=INPUTS)
    builders.deliver(claim, FIRST, inline='{"z": 1, "a": 2}')
    new = retry(fail(claim, []), [FIRST])
    (taken,) = steps(new.id).values()
    assert (taken.inline, taken.artifact_key) == ({"z": 1, "a": 2}, None)


def test_only_the_rest_is_held_and_the_whole_is_paid_once() -> None:
    user = builders.customer(100)
    new = retry(failed(user))
    assert balance(user) == 100 - sum(PRICES.values())
    claim = run(new)
    for agent in REST:
        builders.deliver(claim, agent)
    complete(claim)
    assert balance(user) == 100 - sum(PRICES.values())
    with transaction() as session:
        entries = {(e.kind, e.agent_id): e.amount for e in ledger.of_task(session, new.id)}
    assert entries == {(kind, agent): PRICES[agent] for kind in ("HOLD", "CAPTURE") for agent in REST}
    prove()


def test_a_taken_over_agent_that_runs_again_costs_nothing() -> None:
    user = builders.customer(100)
    claim = run(retry(failed(user)))
    builders.deliver(claim, FIRST)  # its version has changed
    fail(claim)
    assert steps(claim.task_id)[FIRST].epoch == 1
    assert balance(user) == 100 - PRICES[FIRST]
    prove()


def test_a_retry_of_a_retry_takes_over_what_that_one_took_over() -> None:
    user = builders.customer(100)
    second = fail(run(retry(failed(user))), [REST[0]])
    third = retry(second, [FIRST, REST[0]])
    assert {agent: step.epoch for agent, step in steps(third.id).items()} == {FIRST: 0, REST[0]: 0}
    assert third.prices == {FIRST: 0, REST[0]: 0, REST[1]: PRICES[REST[1]]}
    claim = run(third)
    builders.deliver(claim, REST[1])
    complete(claim)
    assert balance(user) == 100 - sum(PRICES.values())
    prove()


def test_a_cancelled_retry_gives_back_what_it_held() -> None:
    user = builders.customer(100)
    new = retry(failed(user))
    with transaction() as session:
        task_store.cancel(session, new.id, user)
    assert balance(user) == 100 - PRICES[FIRST]
    prove()


def test_a_retry_with_nothing_left_to_pay_is_made_with_an_empty_wallet() -> None:
    user = builders.customer(sum(PRICES.values()))
    new = retry(failed(user, delivered=list(PRICES)), list(PRICES))
    assert (new.status, balance(user)) == (TaskStatus.QUEUED, 0)


# ── refusals ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_credits_nothing_is_made() -> None:
    user = builders.customer(sum(PRICES.values()))
    old = failed(user)
    builders.submitted_task(user, prices={"score-risk": 1})
    with pytest.raises(InsufficientCredits):
        retry(old)
    assert tasks_of(user) == 2
    prove()


def test_two_clicks_at_once_make_one_retry() -> None:
    user = builders.customer(10_000)
    old = failed(user)
    answers = together(*[lambda: retry(old)] * 4)
    (made,) = [answer for answer in answers if isinstance(answer, Task)]
    refused = [answer for answer in answers if answer is not made]
    assert [type(error) for error in refused] == [InvalidTaskState] * 3
    assert {error.context["retry_id"] for error in refused} == {str(made.id)}
    assert tasks_of(user) == 2


def test_when_a_retry_has_ended_there_may_be_another() -> None:
    old = failed()
    fail(run(retry(old)))
    assert retry(old).retry_of == old.id


def delivering(task: Task, outcome: str = "success") -> Task:
    """A retry that runs to its end."""
    claim = run(task)
    for agent in REST:
        builders.deliver(claim, agent)
    with transaction() as session:
        endings.settle(session, claim, Ending(outcome, "manifest.json"))
    return builders.read(task.id)


def test_when_a_retry_has_completed_there_is_no_other() -> None:
    user = builders.customer(10_000)
    old = failed(user)
    done = delivering(retry(old))
    before = balance(user)
    with pytest.raises(InvalidTaskState, match="A retry of this task has completed already") as refused:
        retry(old)
    assert (refused.value.context, balance(user)) == ({"retry_id": str(done.id)}, before)
    with transaction() as session:
        deletion.delete(session, done.id, user)
    assert retry(old).retry_of == old.id, "who has thrown the result away may pay for it anew"


def test_when_a_retry_has_completed_in_part_there_may_be_another() -> None:
    old = failed()
    delivering(retry(old), "partial")
    assert retry(old).retry_of == old.id


def test_of_a_batch_that_one_is_repeated_that_went_furthest() -> None:
    old = failed()
    builders.change(old.id, items=10, items_ok=4)
    further = delivering(retry(builders.read(old.id)), "partial")
    builders.change(further.id, items=10, items_ok=7)
    with pytest.raises(InvalidTaskState, match="has finished more of its items") as refused:
        retry(old)
    assert refused.value.context == {"retry_id": str(further.id)}
    assert retry(builders.read(further.id)).retry_of == further.id


@pytest.mark.parametrize("of", ["first", "second"])
def test_what_any_task_of_the_line_has_delivered_is_not_paid_for_again(of: str) -> None:
    first = failed(builders.customer(10_000))
    second = fail(run(retry(first)))
    done = delivering(retry({"first": second, "second": first}[of]))
    with pytest.raises(InvalidTaskState) as refused:
        retry({"first": first, "second": second}[of])
    assert refused.value.context == {"retry_id": str(done.id)}


def test_two_tasks_of_one_line_retried_at_once_make_one() -> None:
    first = failed(builders.customer(10_000))
    second = fail(run(retry(first)))
    answers = together(lambda: retry(first), lambda: retry(second))
    assert sorted(type(answer).__name__ for answer in answers) == ["InvalidTaskState", "Task"]


def test_an_operators_retry_is_the_only_one() -> None:
    old = failed()
    ended = fail(run(retry(old)))
    with pytest.raises(InvalidTaskState, match="has a retry already") as refused, transaction() as session:
        retries.create(session, old.user_id, asked(old), KEPT, only_if_never_retried=True)
    assert refused.value.context == {"retry_id": str(ended.id)}


@pytest.mark.parametrize(
    "columns",
    [{"inputs_cleaned_at": CLOCK}, {"finished_at": CLOCK - timedelta(days=8)}],
    ids=["cleaned", "about-to-be-cleaned"],
)
def test_a_task_whose_files_have_had_their_time_is_not_repeated(columns: dict[str, Any]) -> None:
    old = failed(**columns)
    with pytest.raises(ResultsExpired):
        retry(old)


def test_another_customers_task_and_a_deleted_one_are_not_found() -> None:
    old = failed()
    with pytest.raises(TaskNotFound), transaction() as session:
        retries.create(session, builders.customer(), asked(old), KEPT)
    with transaction() as session:
        deletion.delete(session, old.id, old.user_id)
    with pytest.raises(TaskNotFound):
        retry(old)


# ── which tasks an operator means ────────────────────────────────────────────────────────────────────────────────


def chosen(wanted: Wanted = Wanted(), **page: Any) -> list[uuid.UUID]:  # noqa: B008 (frozen)
    with transaction() as session:
        return [task.id for task in retries.never_retried(session, wanted, **page)]


def at(hour: int) -> datetime:
    return datetime(2025, 11, 21, hour, tzinfo=UTC)


def test_failed_tasks_without_a_retry_are_chosen_in_the_order_in_which_they_ended() -> None:
    late, early, retried = failed(finished_at=at(9)), failed(finished_at=at(8)), failed()
    retry(retried)
    complete(builders.claimed_task())
    builders.submitted_task()
    assert chosen() == [early.id, late.id]


def test_what_can_never_be_repeated_is_not_chosen() -> None:
    failed(deleted_at=CLOCK)
    failed(outputs_cleaned_at=CLOCK)
    failed(parent_id=builders.created_task().id)
    never_submitted = builders.created_task()
    with transaction() as session:
        task_store.cancel(session, never_submitted.id, never_submitted.user_id)
    assert chosen() == []
    assert chosen(Wanted(TaskStatus.CANCELLED)) == []


def test_every_filter_narrows_the_choice() -> None:
    lost, other = failed(error_code="WORKER_LOST", finished_at=at(8)), failed(tool_id="other", finished_at=at(9))
    cancelled = builders.submitted_task()
    with transaction() as session:
        task_store.cancel(session, cancelled.id, cancelled.user_id)
    assert chosen(Wanted(error_code="WORKER_LOST")) == [lost.id]
    assert chosen(Wanted(tool_id="other")) == [other.id]
    assert chosen(Wanted(user_id=lost.user_id)) == [lost.id]
    assert chosen(Wanted(since=at(9))) == [other.id]
    assert chosen(Wanted(until=at(9))) == [lost.id]
    assert chosen(Wanted(TaskStatus.CANCELLED)) == [cancelled.id]


def test_pages_leave_out_nothing_also_among_tasks_that_ended_at_one_moment() -> None:
    user = builders.customer(10_000)
    ended = {failed(user, finished_at=at(8)).id for _ in range(5)}
    seen: list[uuid.UUID] = []
    last: Task | None = None
    while page := chosen(after=last, limit=2):
        seen += page
        last = builders.read(page[-1])
    assert (len(seen), set(seen)) == (5, ended)
