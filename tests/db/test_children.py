from contextlib import suppress
from threading import Event

import pytest
from side_by_side import in_thread, outcome, said, sql, together, until_somebody_waits_for_a_lock

from backend.errors import ClaimLost, TaskNotCancellable
from db import children, endings, ledger, task_store
from db.children import ChildTask
from db.claims import Claim
from db.database import transaction
from db.endings import Ending
from db.models import Task, TaskStatus
from tests import builders
from tests.builders import PRICES
from tests.round_trips import on_linux, trips_of


def settle(claim: Claim) -> None:
    with transaction() as session:
        endings.settle(session, claim, Ending(outcome="success"))


def cancel(task: Task) -> None:
    with transaction() as session:
        task_store.cancel(session, task.id, task.user_id)


def test_a_parent_with_children_waits_and_holds_no_worker() -> None:
    parent, born = builders.waiting_parent(children_count=3)
    row = builders.read(parent.task_id)
    assert (row.status, row.open_children, row.worker, row.lease_until) == (TaskStatus.WAITING, 3, None, None)
    assert [child.status for child in born] == [TaskStatus.QUEUED] * 3
    assert builders.story(parent.task_id)[-1] == "waiting"


def test_a_child_waits_in_its_parents_lane_with_a_celery_id_of_its_own() -> None:
    parent, (first, second) = builders.waiting_parent()
    row = builders.read(parent.task_id)
    for child in (first, second):
        assert (child.user_id, child.parent_id, child.tool_id) == (row.user_id, row.id, row.tool_id)
        assert (child.sort_at, child.prices, child.admitted_at) == (row.sort_at, dict(PRICES), None)
        assert builders.story(child.id) == ["queued"]
    assert len({first.celery_task_id, second.celery_task_id, row.celery_task_id}) == 3


@on_linux
def test_any_number_of_children_is_made_in_as_many_round_trips() -> None:
    """BEGIN, the parent's move, its event, the children, the wake-up, COMMIT."""
    for count in (1, 40):
        claim = builders.claimed_task()

        def fan_out(claim: Claim = claim, count: int = count) -> None:
            with transaction() as session:
                wanted = [ChildTask(["a", "b"], {"a": {"n": 1.5}}, {"primary": []}, 2.5, n, 1) for n in range(count)]
                children.add_children(session, claim.task_id, claim.epoch, wanted, count)

        assert len(trips_of(fan_out)) == 6
    with transaction() as session:
        born = children.page(session, claim.task_id, None, 100)
        assert [child.first_item for child in born] == list(range(40))
        assert (born[0].agents, born[0].parameters, born[0].inputs) == (["a", "b"], {"a": {"n": 1.5}}, {"primary": []})
        assert (born[0].cost, born[0].items, born[0].last_event) == (2.5, 1, 1)


def test_who_lost_the_claim_has_no_children() -> None:
    parent = builders.claimed_task()
    builders.change(parent.task_id, epoch=2)
    with transaction() as session, pytest.raises(ClaimLost):
        children.add_children(session, parent.task_id, parent.epoch, [ChildTask(agents=[])])
    assert sql("SELECT count(*) FROM tasks") == 1


def test_a_parent_that_would_wait_for_no_child_is_refused() -> None:
    parent = builders.claimed_task()
    with transaction() as session, pytest.raises(ValueError, match="no child"):
        children.add_children(session, parent.task_id, parent.epoch, [])
    assert builders.read(parent.task_id).status == TaskStatus.PROCESSING


def test_the_parent_goes_on_when_the_last_child_has_ended_and_goes_first() -> None:
    parent, (first, second) = builders.waiting_parent()
    settle(builders.claimed_child(first))
    assert builders.read(parent.task_id).status == TaskStatus.WAITING

    settle(builders.claimed_child(second))

    row = builders.read(parent.task_id)
    assert (row.status, row.open_children, row.ring_wanted) == (TaskStatus.QUEUED, 0, True)
    assert row.admitted_at is not None
    assert builders.story(row.id)[-2:] == ["waiting", "queued"]
    assert builders.claim(row).epoch == 2


def test_when_the_last_two_children_end_together_no_parent_is_stuck() -> None:
    """A parent that looks for a child still open, instead of counting, was stuck 91 times of 150 (ADMISSION.md)."""
    parent, born = builders.waiting_parent()
    first, second = (builders.claimed_child(child) for child in born)
    for _ in range(50):
        assert together(lambda: settle(first), lambda: settle(second)) == [None, None]
        row = builders.read(parent.task_id)
        assert (row.status, row.open_children) == (TaskStatus.QUEUED, 0)
        builders.change(parent.task_id, status=TaskStatus.WAITING, open_children=2)
        for claim in (first, second):
            builders.change(claim.task_id, status=TaskStatus.PROCESSING)


def test_a_child_counted_off_too_often_does_no_harm() -> None:
    parent, (child,) = builders.waiting_parent(children_count=1)
    settle(builders.claimed_child(child))
    with transaction() as session:
        children.child_ended(session, parent.task_id)
    row = builders.read(parent.task_id)
    assert (row.status, row.open_children) == (TaskStatus.QUEUED, 0)
    assert builders.story(row.id)[-2:] == ["waiting", "queued"]


def test_a_child_that_ends_waits_for_its_parents_row_before_it_takes_its_own() -> None:
    """The lock order: the other way round, a cancel of the parent and this ending deadlock (ADMISSION.md)."""
    parent, (child, _other) = builders.waiting_parent()
    claim = builders.claimed_child(child)
    with transaction() as holder:
        said(holder, "SELECT id FROM tasks WHERE id = :id FOR NO KEY UPDATE", id=parent.task_id)
        with in_thread(lambda: outcome(lambda: settle(claim))) as settling:
            until_somebody_waits_for_a_lock()
            said(holder, "SELECT id FROM tasks WHERE id = :id FOR NO KEY UPDATE NOWAIT", id=child.id)
            holder.commit()
    assert settling.result() is None


def test_a_childs_checkpoint_does_not_wait_for_whoever_holds_the_parent() -> None:
    parent, (child, _other) = builders.waiting_parent()
    claim = builders.claimed_child(child)
    with transaction() as holder:
        said(holder, "SELECT id FROM tasks WHERE id = :id FOR NO KEY UPDATE", id=parent.task_id)
        builders.deliver(claim, "score-risk")  # its capture names the parent's row


@pytest.mark.parametrize("seconds", [1.0, pytest.param(15.0, marks=pytest.mark.long)])
def test_parents_children_cancels_and_sweeps_at_once_do_not_deadlock(seconds: float) -> None:
    user = builders.customer(credits=1_000_000)
    over = Event()

    def hammer(seed: int) -> int:
        rounds = 0
        while not over.is_set():
            _one_family(user, seed + rounds)
            rounds += 1
        return rounds

    def sweep() -> int:
        sweeps = 0
        while not over.is_set():
            with transaction() as session:
                endings.lost(session)
            sweeps += 1
        return sweeps

    def stop() -> None:
        over.wait(seconds)
        over.set()

    answers = together(lambda: hammer(0), lambda: hammer(1), sweep, stop)
    assert all(isinstance(answer, int) for answer in answers[:3]), answers
    _families_must_be_whole(user)


def _one_family(user: int, variant: int) -> None:
    """Of three children two end and one falls silent, while one of them or the parent is cancelled."""
    parent, born = builders.waiting_parent(user, children_count=3)
    first, second, silent = (builders.claimed_child(child) for child in born)
    sql("UPDATE tasks SET lease_until = clock_timestamp() WHERE id = :id", id=silent.task_id)
    to_cancel = builders.read(parent.task_id) if variant % 2 else born[variant % 3]

    def work(claim: Claim, agent: str) -> None:
        with suppress(ClaimLost):
            builders.deliver(claim, agent)
            settle(claim)

    def stop() -> None:
        with suppress(TaskNotCancellable):
            cancel(to_cancel)

    answers = together(lambda: work(first, "score-risk"), lambda: work(second, "readiness-rater"), stop)
    assert answers == [None] * 3, answers


def _families_must_be_whole(user: int) -> None:
    """Every counter is what it counts, no parent is stuck, and a cancelled parent owes nothing to anybody."""
    stuck = """
        SELECT count(*) FROM tasks p WHERE p.parent_id IS NULL AND p.status = 'WAITING' AND p.open_children <>
            (SELECT count(*) FROM tasks c WHERE c.parent_id = p.id AND c.finished_at IS NULL)
    """
    went_on_too_early = """
        SELECT count(*) FROM tasks p JOIN tasks c ON c.parent_id = p.id
        WHERE p.status IN ('QUEUED', 'CANCELLED') AND c.finished_at IS NULL
    """
    balances = """
        SELECT w.balance - sum(CASE kind WHEN 'HOLD' THEN -amount WHEN 'CAPTURE' THEN 0 ELSE amount END)
        FROM credit_wallets w JOIN credit_entries USING (user_id) WHERE user_id = :user GROUP BY w.balance
    """
    uneven = """
        SELECT count(*) FROM (
            SELECT sum(CASE kind WHEN 'HOLD' THEN amount ELSE -amount END) AS rest
            FROM credit_entries JOIN tasks ON tasks.id = task_id WHERE status = 'CANCELLED' GROUP BY tasks.id) sums
        WHERE rest <> 0
    """
    assert sql(stuck) == 0
    assert sql(went_on_too_early) == 0
    assert sql(balances, user=user) == 0
    assert sql(uneven) == 0
    with transaction() as session:
        assert ledger.balance(session, user) >= 0
