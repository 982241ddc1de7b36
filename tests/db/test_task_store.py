import uuid
from datetime import timedelta

import pytest
from side_by_side import in_thread, outcome, together, until_somebody_waits_for_a_lock

from backend.errors import ClaimLost, Conflict, InsufficientCredits, InvalidTaskState, TaskNotCancellable, TaskNotFound
from db import claims, endings, ledger, submits, task_store
from db.claims import Claim
from db.database import statement, transaction
from db.endings import Ending
from db.models import CLOCK, TERMINAL, EntryKind, Task, TaskStatus
from db.task_store import AGEING_STEP, Submission
from tests import builders
from tests.builders import PRICES
from tests.round_trips import on_linux, trips_of

HELD = sum(PRICES.values())


def submit(task: Task, submission: Submission | None = None) -> Task:
    with transaction() as session:
        return task_store.submit(session, task, submission or Submission(list(PRICES), PRICES, {}, 1.0))


def cancel(task: Task | Claim) -> Task:
    task_id = task.id if isinstance(task, Task) else task.task_id
    with transaction() as session:
        return task_store.cancel(session, task_id, task.user_id)


def complete(claim: Claim) -> None:
    with transaction() as session:
        endings.settle(session, claim, Ending(outcome="success", manifest_key="manifest.json"))


def balance(user_id: int) -> int:
    with transaction() as session:
        return ledger.balance(session, user_id)


def amounts(task_id: uuid.UUID, kind: EntryKind) -> dict[str, int]:
    with transaction() as session:
        return {entry.agent_id: entry.amount for entry in ledger.of_task(session, task_id) if entry.kind == kind}


# ── create and read ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_task_is_created_with_its_first_event() -> None:
    task = builders.created_task()
    assert task.status == TaskStatus.CREATED
    assert builders.story(task.id) == ["created"]


def test_a_customer_reads_their_own_task() -> None:
    task = builders.created_task()
    with transaction() as session:
        assert task_store.get(session, task.id, task.user_id).id == task.id


@pytest.mark.parametrize("lock", [False, True])
def test_another_customers_task_is_not_found(lock: bool) -> None:
    task, stranger = builders.created_task(), builders.customer()
    with transaction() as session, pytest.raises(TaskNotFound):
        task_store.get(session, task.id, stranger, lock=lock)


def test_a_task_that_there_is_not_is_not_found() -> None:
    with transaction() as session, pytest.raises(TaskNotFound):
        task_store.get(session, uuid.uuid4(), builders.customer())


def test_who_reads_with_a_lock_sees_what_the_one_before_committed() -> None:
    task = builders.created_task()

    def read() -> str:
        with transaction() as session:
            return task_store.get(session, task.id, task.user_id, lock=True).status

    with transaction() as first:
        task_store.submit(first, task, Submission(list(PRICES), PRICES, {}, 1.0))
        with in_thread(read) as later:
            until_somebody_waits_for_a_lock()
            first.commit()
    assert later.result() == TaskStatus.QUEUED


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────


def page(user_id: int, **how: object) -> list[uuid.UUID]:
    with transaction() as session:
        return [task.id for task in task_store.page(session, user_id, **how)]  # type: ignore[arg-type]


def test_a_page_has_the_newest_first_and_the_next_begins_where_it_ended() -> None:
    user = builders.customer()
    tasks = [builders.created_task(user) for _ in range(5)]
    tasks.sort(key=lambda task: (task.created_at, task.id), reverse=True)
    newest_first = [task.id for task in tasks]

    assert page(user) == newest_first
    assert page(user, limit=2) == newest_first[:2]
    assert page(user, limit=2, before=(tasks[1].created_at, tasks[1].id)) == newest_first[2:4]
    assert page(user, limit=2, before=(tasks[4].created_at, tasks[4].id)) == []


def test_pages_lose_no_task_where_many_were_made_at_the_same_moment() -> None:
    user = builders.customer()
    moment = builders.created_task(user).created_at
    tasks = {builders.created_task(user, created_at=moment).id for _ in range(5)}

    seen, before = [], None
    while found := _next_page(user, before):
        seen += found
        before = (found[-1].created_at, found[-1].id)
    assert len(seen) == 6
    assert tasks < {task.id for task in seen}


def _next_page(user: int, before: object) -> list[Task]:
    with transaction() as session:
        return list(task_store.page(session, user, before=before, limit=2))  # type: ignore[arg-type]


def test_a_page_shows_nobody_elses_tasks() -> None:
    mine, _theirs = builders.created_task(), builders.created_task()
    assert page(mine.user_id) == [mine.id]


def test_a_page_can_be_of_one_status_or_one_tool() -> None:
    user = builders.customer()
    queued, created = builders.submitted_task(user), builders.created_task(user)
    other = builders.created_task(user, tool_id="clean-my-data")
    assert page(user, status=TaskStatus.QUEUED) == [queued.id]
    assert page(user, status=TaskStatus.CREATED) == [other.id, created.id]
    assert page(user, tool_id="clean-my-data") == [other.id]


def test_a_page_shows_parents_and_not_their_children() -> None:
    parent, _children = builders.waiting_parent()
    assert page(parent.user_id) == [parent.task_id]


# ── inputs ───────────────────────────────────────────────────────────────────────────────────────────────────────


def plan(task: Task, inputs: dict[str, object]) -> None:
    with transaction() as session:
        task_store.plan_inputs(session, task_store.get(session, task.id, task.user_id, lock=True), inputs)


def test_a_planned_role_is_added_and_one_named_again_is_replaced() -> None:
    task = builders.created_task()
    plan(task, {"primary": ["old.csv"], "schema": ["schema.json"]})
    plan(task, {"primary": ["new.csv"]})
    assert builders.read(task.id).inputs == {"primary": ["new.csv"], "schema": ["schema.json"]}


def test_the_inputs_of_a_submitted_task_are_fixed() -> None:
    task = builders.submitted_task()
    with pytest.raises(InvalidTaskState):
        plan(task, {"primary": ["late.csv"]})


# ── submit ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_submit_queues_the_task_and_holds_its_prices() -> None:
    user = builders.customer(credits=100)
    task = builders.created_task(user)

    queued = submit(task, Submission(["score-risk"], {"score-risk": 20}, {"primary": []}, 3.5))

    assert (queued.status, queued.agents, queued.prices) == (TaskStatus.QUEUED, ["score-risk"], {"score-risk": 20})
    assert (queued.cost, queued.inputs) == (3.5, {"primary": []})
    assert queued.celery_task_id is not None
    assert (queued.admitted_at, queued.not_before, queued.ring_wanted) == (None, None, False)
    assert builders.story(task.id) == ["created", "queued"]
    assert balance(user) == 80
    assert amounts(task.id, EntryKind.HOLD) == {"score-risk": 20}


def test_a_submit_without_parameters_keeps_those_of_the_row() -> None:
    kept, replaced = (builders.created_task(parameters={"depth": 3}) for _ in range(2))
    assert submit(kept).parameters == {"depth": 3}
    assert submit(replaced, Submission([], {}, {}, 1.0, parameters={})).parameters == {}


def test_a_steps_priority_is_worth_a_steps_waiting() -> None:
    task = submit(builders.created_task(priority=3))
    assert task.queued_at is not None
    assert task.sort_at is not None
    head_start = task.queued_at - task.sort_at
    assert abs(head_start - 3 * AGEING_STEP) < timedelta(seconds=1)


def test_a_second_submit_is_refused_and_holds_nothing_more() -> None:
    task = builders.submitted_task()
    with pytest.raises(InvalidTaskState):
        submit(task)
    assert balance(task.user_id) == 1000 - HELD
    assert builders.story(task.id) == ["created", "queued"]


def test_two_submits_at_once_hold_once() -> None:
    for _ in range(10):
        task = builders.created_task()
        answers = together(lambda task=task: submit(task), lambda task=task: submit(task))
        assert {type(answer) for answer in answers} == {Task, InvalidTaskState}
        assert balance(task.user_id) == 1000 - HELD


def test_a_submit_that_cannot_be_paid_changes_nothing() -> None:
    user = builders.customer(credits=HELD - 1)
    task = builders.created_task(user)
    with pytest.raises(InsufficientCredits):
        submit(task)
    assert builders.read(task.id).status == TaskStatus.CREATED
    assert builders.story(task.id) == ["created"]
    assert balance(user) == HELD - 1
    assert amounts(task.id, EntryKind.HOLD) == {}


def test_a_submit_holds_nothing_for_what_costs_nothing() -> None:
    task = submit(builders.created_task(), Submission(["a", "b"], {"a": 0, "b": 7}, {}, 1.0))
    assert amounts(task.id, EntryKind.HOLD) == {"b": 7}


def test_a_submit_is_refused_when_other_files_were_announced_since_the_task_was_read() -> None:
    task = builders.created_task()
    builders.change(task.id, inputs={"primary": ["late.csv"]})
    with pytest.raises(Conflict):
        submit(task)
    assert balance(task.user_id) == 1000
    assert builders.story(task.id) == ["created"]


def test_a_deleted_task_cannot_be_submitted() -> None:
    task = builders.created_task()
    builders.change(task.id, deleted_at=CLOCK)
    with pytest.raises(TaskNotFound):
        submit(task)
    assert balance(task.user_id) == 1000


@on_linux
def test_a_submit_is_one_round_trip() -> None:
    task = builders.created_task()
    assert len(trips_of(lambda: enqueue(task))) == 1
    assert builders.read(task.id).status == TaskStatus.QUEUED


@pytest.mark.parametrize(
    "change",
    [{"status": TaskStatus.QUEUED}, {"deleted_at": CLOCK}, {"inputs": {"primary": []}}],
    ids=["queued", "deleted", "other files"],
)
def test_a_submit_that_is_refused_writes_nothing(change: dict[str, object]) -> None:
    task = builders.created_task()
    before = builders.change(task.id, **change)
    assert enqueue(task) is None
    row = builders.read(task.id)
    assert (row.status, row.last_event, row.prices) == (before.status, 1, {})
    assert balance(task.user_id) == 1000


def test_a_submit_that_the_wallet_refuses_writes_nothing() -> None:
    task = builders.created_task(builders.customer(credits=59))
    assert enqueue(task) is None
    row = builders.read(task.id)
    assert (row.status, row.last_event, row.prices, row.celery_task_id) == (TaskStatus.CREATED, 1, {}, None)
    assert balance(task.user_id) == 59


def test_a_submit_waits_for_whoever_has_the_row_before_it_takes_the_wallet() -> None:
    task = builders.created_task()
    with transaction() as holder:
        task_store.get(holder, task.id, task.user_id, lock=True)
        with in_thread(lambda: enqueue(task)) as submitting:
            until_somebody_waits_for_a_lock()
            with transaction() as other:
                assert ledger.grant(other, task.user_id, 1, "nobody holds the wallet") == 1001
            holder.commit()
    assert submitting.result() is not None
    assert balance(task.user_id) == 1001 - 60


def enqueue(task: Task) -> uuid.UUID | None:
    with statement() as session:
        return submits.enqueue(session, task, Submission(list(PRICES), PRICES, {}, 1.0))


@pytest.mark.parametrize("status", sorted(set(TaskStatus) - {TaskStatus.CREATED}))
def test_only_a_created_task_can_be_submitted(status: TaskStatus) -> None:
    task = builders.created_task(status=status)
    with pytest.raises(InvalidTaskState):
        submit(task)
    assert balance(task.user_id) == 1000


# ── cancel ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", sorted(set(TaskStatus) - TERMINAL))
def test_a_task_that_has_not_ended_can_be_cancelled_and_asking_twice_gives_the_same_answer(status: TaskStatus) -> None:
    task = builders.created_task(status=status)
    first, second = cancel(task), cancel(task)
    assert first.status == second.status == TaskStatus.CANCELLED
    assert (first.finished_at, first.epoch, first.last_event) == (second.finished_at, second.epoch, second.last_event)
    assert builders.story(task.id) == ["created", "cancelled"]


@pytest.mark.parametrize("status", sorted(TERMINAL - {TaskStatus.CANCELLED}))
def test_a_task_that_ended_otherwise_cannot_be_cancelled(status: TaskStatus) -> None:
    task = builders.created_task(status=status)
    with pytest.raises(TaskNotCancellable) as refusal:
        cancel(task)
    assert refusal.value.context == {"status": status}
    assert builders.read(task.id).status == status


def test_another_customers_task_cannot_be_cancelled() -> None:
    task, stranger = builders.submitted_task(), builders.customer()
    with transaction() as session, pytest.raises(TaskNotFound):
        task_store.cancel(session, task.id, stranger)
    assert builders.read(task.id).status == TaskStatus.QUEUED


def test_a_cancelled_task_keeps_what_was_delivered_and_gets_the_rest_back() -> None:
    claim = builders.claimed_task()
    builders.deliver(claim, "unified-profiler")
    cancel(claim)
    assert amounts(claim.task_id, EntryKind.CAPTURE) == {"unified-profiler": 30}
    assert amounts(claim.task_id, EntryKind.RELEASE) == {"score-risk": 20, "readiness-rater": 10}
    assert balance(claim.user_id) == 1000 - 30


def test_a_cancel_that_is_asked_twice_releases_once() -> None:
    task = builders.submitted_task()
    cancel(task)
    cancel(task)
    assert balance(task.user_id) == 1000


def test_a_cancel_fences_the_worker_off() -> None:
    claim = builders.claimed_task()
    cancelled = cancel(claim)
    assert cancelled.epoch == claim.epoch + 1
    assert (cancelled.worker, cancelled.lease_until, cancelled.ring_wanted) == (None, None, False)
    with pytest.raises(ClaimLost):
        builders.deliver(claim, "unified-profiler")
    assert balance(claim.user_id) == 1000


def test_an_admitted_task_that_is_cancelled_is_not_rung_and_not_claimed() -> None:
    task = builders.admitted_task()
    assert cancel(task).ring_wanted is False
    with transaction() as session:
        assert claims.take(session, task.id, task.user_id, uuid.uuid4(), builders.LEASE) is None


def test_cancelling_a_parent_cancels_its_children_and_pays_what_they_delivered() -> None:
    parent, (ended, running, queued) = builders.waiting_parent(children_count=3)
    first, second = builders.claimed_child(ended), builders.claimed_child(running)
    builders.deliver(first, "unified-profiler")
    complete(first)
    builders.deliver(second, "score-risk")

    cancel(parent)

    assert builders.read(ended.id).status == TaskStatus.COMPLETED
    assert builders.read(running.id).status == TaskStatus.CANCELLED
    assert builders.read(queued.id).status == TaskStatus.CANCELLED
    assert balance(parent.user_id) == 1000 - 30 - 20
    with pytest.raises(ClaimLost):
        builders.deliver(second, "readiness-rater")


def test_cancelling_the_last_child_lets_the_parent_go_on() -> None:
    parent, (child,) = builders.waiting_parent(children_count=1)
    cancel(child)
    row = builders.read(parent.task_id)
    assert (row.status, row.open_children, row.ring_wanted) == (TaskStatus.QUEUED, 0, True)
    assert balance(parent.user_id) == 1000 - HELD  # a child releases nothing: the hold is its parent's


# ── races ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_cancel_that_comes_while_the_task_settles_finds_it_completed() -> None:
    claim = builders.claimed_task()
    with transaction() as settling:
        endings.settle(settling, claim, Ending(outcome="success"))
        with in_thread(lambda: outcome(lambda: cancel(claim))) as cancelling:
            until_somebody_waits_for_a_lock()
            settling.commit()
    assert isinstance(cancelling.result(), TaskNotCancellable)
    assert builders.read(claim.task_id).status == TaskStatus.COMPLETED


def test_a_settle_that_comes_while_the_task_is_cancelled_has_lost_its_claim() -> None:
    claim = builders.claimed_task()
    with transaction() as cancelling:
        task_store.cancel(cancelling, claim.task_id, claim.user_id)
        with in_thread(lambda: outcome(lambda: complete(claim))) as settling:
            until_somebody_waits_for_a_lock()
            cancelling.commit()
    assert isinstance(settling.result(), ClaimLost)
    assert builders.read(claim.task_id).status == TaskStatus.CANCELLED


def test_of_a_cancel_and_an_ending_at_once_exactly_one_wins() -> None:
    user = builders.customer(credits=100_000)
    for _ in range(20):
        claim = builders.claimed_task(user)
        builders.deliver(claim, "unified-profiler")
        before = balance(user)

        cancelled, settled = together(lambda claim=claim: cancel(claim), lambda claim=claim: complete(claim))

        row = builders.read(claim.task_id)
        if row.status == TaskStatus.CANCELLED:
            assert isinstance(settled, ClaimLost)
        else:
            assert row.status == TaskStatus.COMPLETED
            assert isinstance(cancelled, TaskNotCancellable)
        assert len(builders.story(row.id)) == 5  # created, queued, started, a step, and one ending
        assert balance(user) == before + HELD - 30


# ── expire ───────────────────────────────────────────────────────────────────────────────────────────────────────


def expire(limit: int = 100) -> int:
    with transaction() as session:
        return task_store.expire(session, timedelta(hours=24), limit)


@pytest.mark.parametrize("status", sorted(TaskStatus))
def test_only_a_task_that_was_never_started_expires_by_age(status: TaskStatus) -> None:
    task = builders.created_task(status=status, created_at=CLOCK - timedelta(hours=25))
    assert expire() == (1 if status == TaskStatus.CREATED else 0)
    assert builders.read(task.id).status == (TaskStatus.EXPIRED if status == TaskStatus.CREATED else status)


def test_a_created_task_has_its_day() -> None:
    builders.created_task(created_at=CLOCK - timedelta(hours=23))
    assert expire() == 0


def test_an_expired_task_says_so() -> None:
    task = builders.created_task(created_at=CLOCK - timedelta(hours=25))
    expire()
    row = builders.read(task.id)
    assert (row.error_code, row.finished_at is not None) == ("EXPIRED", True)
    assert builders.story(task.id) == ["created", "expired"]


def test_expiring_leaves_a_task_alone_that_is_being_submitted() -> None:
    task = builders.created_task(created_at=CLOCK - timedelta(hours=25))
    with transaction() as submitting:
        task_store.submit(submitting, task, Submission([], {}, {}, 1.0))
        assert expire() == 0
    assert builders.read(task.id).status == TaskStatus.QUEUED


def test_expiring_goes_on_where_its_limit_stopped_it() -> None:
    for _ in range(3):
        builders.created_task(created_at=CLOCK - timedelta(hours=25))
    assert [expire(limit=2), expire(limit=2), expire(limit=2)] == [2, 1, 0]
