import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from side_by_side import in_thread, said, sql, together, until_somebody_waits_for_a_lock

from backend.errors import ClaimLost, StorageUnavailable, UnreadableFile
from db import checkpoints, claims, endings, ledger
from db.claims import Claim
from db.database import statement, transaction
from db.endings import MOST_LOSSES_AT_ONE_STEP, Ending, HandBackTerms
from db.events import EventKind
from db.models import CLOCK, TaskStatus
from db.wakeups import Listener
from tests import builders
from tests.builders import PRICES
from tests.round_trips import on_linux, trips_of

TELL_APART = (
    "'{id, user_id, task_id, celery_task_id, run_seconds, queued_at, sort_at, started_at, finished_at, created_at, at}'"
)
HELD = sum(PRICES.values())
SUCCESS = Ending(outcome="success", manifest_key="manifest.json")


def settle(claim: Claim, ending: Ending) -> None:
    with transaction() as session:
        endings.settle(session, claim, ending)


def complete_at_once(claim: Claim, ending: Ending = SUCCESS) -> bool:
    with statement() as session:
        return endings.complete_at_once(session, claim, ending)


def hand_back(claim: Claim, terms: HandBackTerms) -> None:
    with transaction() as session:
        endings.hand_back(session, claim, terms)


def sweep(limit: int = 100) -> Sequence[uuid.UUID]:
    with transaction() as session:
        return endings.lost(session, limit)


def balance(user_id: int) -> int:
    with transaction() as session:
        return ledger.balance(session, user_id)


def lapse(claim: Claim) -> None:
    """Its worker has been silent for a lease."""
    builders.change(claim.task_id, lease_until=CLOCK - timedelta(milliseconds=1))


def lose_a_worker(claim: Claim) -> Claim | None:
    """The lease lapses, a round sweeps, and the next worker takes the task, if there is still something to take."""
    lapse(claim)
    assert list(sweep()) == [claim.task_id]
    row = builders.read(claim.task_id)
    return builders.claim(row) if row.status == TaskStatus.QUEUED else None


# ── settle ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_completed_task_points_to_its_manifest_and_is_all_the_way() -> None:
    claim = builders.claimed_task()
    for agent in PRICES:
        builders.deliver(claim, agent)
    settle(claim, Ending(outcome="success", manifest_key="manifest.json"))

    row = builders.read(claim.task_id)
    assert (row.status, row.outcome, row.manifest_key, row.progress) == (
        TaskStatus.COMPLETED,
        "success",
        "manifest.json",
        100,
    )
    assert (row.worker, row.lease_until, row.current_agent) == (None, None, None)
    assert row.finished_at is not None
    assert builders.story(row.id)[-1] == "completed"
    assert balance(claim.user_id) == 1000 - HELD


def test_what_was_not_delivered_is_released_at_the_end() -> None:
    claim = builders.claimed_task()
    builders.deliver(claim, "score-risk")
    settle(claim, Ending(outcome="partial"))
    assert balance(claim.user_id) == 1000 - 20


def test_a_failed_task_carries_its_verdict_and_the_detail_is_in_no_event() -> None:
    claim = builders.claimed_task()
    builders.deliver(claim, "unified-profiler", progress=40)
    settle(claim, Ending(verdict=UnreadableFile("Row 3 is torn.", detail="x.csv: torn").verdict))

    row = builders.read(claim.task_id)
    assert (row.status, row.error_code, row.error_message) == (TaskStatus.FAILED, "UNREADABLE_FILE", "Row 3 is torn.")
    assert (row.error_detail, row.recoverable, row.progress) == ("x.csv: torn", True, 40)
    assert balance(claim.user_id) == 1000 - 30
    told = sql("SELECT data FROM task_events WHERE task_id = :id ORDER BY seq DESC LIMIT 1", id=row.id)
    assert told == {"error_code": "UNREADABLE_FILE", "message": "Row 3 is torn.", "next_action": row.next_action}


def test_an_ending_is_written_once() -> None:
    claim = builders.claimed_task()
    settle(claim, Ending(outcome="success"))
    with pytest.raises(ClaimLost):
        settle(claim, Ending(verdict=UnreadableFile().verdict))
    assert builders.read(claim.task_id).status == TaskStatus.COMPLETED
    assert balance(claim.user_id) == 1000


def test_a_childs_ending_releases_nothing_and_counts_for_its_parent() -> None:
    parent, (child, _other) = builders.waiting_parent()
    settle(builders.claimed_child(child), Ending(outcome="success"))
    assert builders.read(parent.task_id).open_children == 1
    assert balance(parent.user_id) == 1000 - HELD


# ── hand back ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_task_handed_back_in_a_drain_goes_first_and_is_rung_at_once() -> None:
    claim = builders.claimed_task()
    hand_back(claim, HandBackTerms(EventKind.HANDED_BACK))
    row = builders.read(claim.task_id)
    assert (row.status, row.ring_wanted, row.rings, row.worker) == (TaskStatus.QUEUED, True, 0, None)
    assert row.admitted_at is not None
    assert (row.hiccups, row.crashes, row.losses, row.error_code) == (0, 0, 0, None)
    assert builders.claim(row).epoch == 2


def test_a_task_that_hiccuped_waits_its_time_and_says_why() -> None:
    claim = builders.claimed_task()
    terms = HandBackTerms(EventKind.RETRYING, 60.0, verdict=StorageUnavailable().verdict, counts={"hiccups": 3})
    hand_back(claim, terms)

    row = builders.read(claim.task_id)
    assert (row.status, row.admitted_at, row.ring_wanted, row.hiccups) == (TaskStatus.QUEUED, None, False, 3)
    assert row.error_code == "STORAGE_UNAVAILABLE"
    due_in = sql("SELECT not_before - clock_timestamp() FROM tasks WHERE id = :id", id=row.id)
    assert timedelta(seconds=50) < due_in <= timedelta(seconds=60)
    with transaction() as session:
        assert claims.take(session, row.id, row.user_id, uuid.uuid4(), builders.LEASE) is None


def test_a_task_handed_back_keeps_its_steps_its_progress_and_its_held_credits() -> None:
    claim = builders.claimed_task()
    builders.deliver(claim, "unified-profiler", progress=33)
    hand_back(claim, HandBackTerms(EventKind.HANDED_BACK))
    assert builders.read(claim.task_id).progress == 33
    assert sql("SELECT count(*) FROM task_steps") == 1
    assert balance(claim.user_id) == 1000 - HELD


def test_who_lost_the_claim_hands_nothing_back() -> None:
    claim = builders.claimed_task()
    hand_back(claim, HandBackTerms(EventKind.HANDED_BACK))
    again = builders.claim(builders.read(claim.task_id))
    with pytest.raises(ClaimLost):
        hand_back(claim, HandBackTerms(EventKind.HANDED_BACK))
    assert builders.read(claim.task_id).epoch == again.epoch


def test_who_fanned_out_has_nothing_left_to_hand_back() -> None:
    """Its epoch is still the row's; a parent that is queued before its children have ended would collect too early."""
    parent, _born = builders.waiting_parent()
    with pytest.raises(ClaimLost):
        hand_back(parent, HandBackTerms(EventKind.HANDED_BACK))
    row = builders.read(parent.task_id)
    assert (row.status, row.open_children, row.admitted_at) == (TaskStatus.WAITING, 2, None)


# ── lost ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_task_whose_worker_fell_silent_goes_back_to_its_step_and_goes_first() -> None:
    claim = builders.claimed_task()
    builders.deliver(claim, "unified-profiler", progress=33)
    lapse(claim)

    assert list(sweep()) == [claim.task_id]

    row = builders.read(claim.task_id)
    assert (row.status, row.losses, row.progress, row.ring_wanted) == (TaskStatus.QUEUED, 1, 33, True)
    assert row.admitted_at is not None
    assert (row.worker, row.lease_until) == (None, None)
    assert builders.story(row.id)[-1] == "rescued"
    assert balance(claim.user_id) == 1000 - HELD


def test_a_task_whose_worker_beats_is_not_swept() -> None:
    claim = builders.claimed_task()
    assert list(sweep()) == []
    assert builders.read(claim.task_id).epoch == claim.epoch


@pytest.mark.parametrize("status", sorted(set(TaskStatus) - {TaskStatus.PROCESSING}))
def test_only_running_tasks_are_swept(status: TaskStatus) -> None:
    builders.created_task(status=status, lease_until=CLOCK - timedelta(hours=1))
    assert list(sweep()) == []


def test_a_sweep_takes_no_more_than_it_is_asked() -> None:
    for _ in range(3):
        lapse(builders.claimed_task())
    assert [len(sweep(limit=2)), len(sweep(limit=2)), len(sweep(limit=2))] == [2, 1, 0]


def test_the_fifth_worker_lost_at_one_step_ends_the_task_and_the_credits_come_back() -> None:
    claim: Claim | None = builders.claimed_task()
    assert claim is not None
    user, task_id = claim.user_id, claim.task_id
    builders.deliver(claim, "unified-profiler")
    for losses in range(1, MOST_LOSSES_AT_ONE_STEP):
        claim = lose_a_worker(claim)
        assert claim is not None, f"ended after {losses} losses"

    assert lose_a_worker(claim) is None

    row = builders.read(task_id)
    assert (row.status, row.error_code) == (TaskStatus.FAILED, "WORKER_LOST")
    assert balance(user) == 1000 - 30
    assert builders.story(task_id)[-1] == "failed"


def test_a_checkpoint_sets_the_count_of_lost_workers_to_nothing() -> None:
    claim: Claim | None = builders.claimed_task()
    for agent in PRICES:
        for _ in range(MOST_LOSSES_AT_ONE_STEP - 1):
            assert claim is not None
            claim = lose_a_worker(claim)
        assert claim is not None
        builders.deliver(claim, agent)
    assert claim is not None
    row = builders.read(claim.task_id)
    assert (row.status, row.losses) == (TaskStatus.PROCESSING, 0)


def test_a_child_lost_for_good_counts_for_its_parent() -> None:
    parent, (child,) = builders.waiting_parent(children_count=1)
    builders.change(child.id, losses=MOST_LOSSES_AT_ONE_STEP - 1)
    assert lose_a_worker(builders.claimed_child(child)) is None
    assert builders.read(child.id).status == TaskStatus.FAILED
    row = builders.read(parent.task_id)
    assert (row.status, row.open_children, row.ring_wanted) == (TaskStatus.QUEUED, 0, True)


def test_a_lost_child_that_goes_on_does_not_count_for_its_parent() -> None:
    parent, (child, _other) = builders.waiting_parent()
    assert lose_a_worker(builders.claimed_child(child)) is not None
    assert builders.read(parent.task_id).open_children == 2


@pytest.mark.parametrize("held", ["child", "parent"])
def test_a_sweep_waits_for_nobody_who_holds_a_row(held: str) -> None:
    parent, (child,) = builders.waiting_parent(children_count=1)
    lapse(builders.claimed_child(child))
    row = parent.task_id if held == "parent" else child.id
    with transaction() as holder:
        said(holder, "SELECT id FROM tasks WHERE id = :id FOR NO KEY UPDATE", id=row)
        assert list(sweep()) == []
    assert list(sweep()) == [child.id]


def test_two_sweeps_at_once_rescue_each_task_once() -> None:
    tasks = [builders.claimed_task() for _ in range(10)]
    for claim in tasks:
        lapse(claim)
    first, second = together(sweep, sweep)
    assert sorted([*first, *second]) == sorted(claim.task_id for claim in tasks)
    assert {builders.read(claim.task_id).losses for claim in tasks} == {1}


def test_what_ran_in_vain_does_not_count_towards_the_time_limit() -> None:
    drained, stalled = builders.claimed_task(), builders.claimed_task()
    for claim, in_vain in ((drained, True), (stalled, False)):
        builders.change(claim.task_id, claimed_at=CLOCK - timedelta(minutes=15))
        with transaction() as session:
            endings.hand_back(session, claim, HandBackTerms(EventKind.HANDED_BACK, in_vain=in_vain))
    assert builders.read(drained.task_id).run_seconds == 0
    assert builders.read(stalled.task_id).run_seconds >= 900 - 1


def test_what_ran_up_to_a_checkpoint_counts_however_the_claim_ends() -> None:
    claim = builders.claimed_task()
    builders.change(claim.task_id, claimed_at=CLOCK - timedelta(minutes=15))
    builders.deliver(claim, "unified-profiler")
    with transaction() as session:
        endings.hand_back(session, claim, HandBackTerms(EventKind.HANDED_BACK, in_vain=True))
    assert 899 <= builders.read(claim.task_id).run_seconds < 960


# ── a success in one statement ───────────────────────────────────────────────────────────────────────────────────


@on_linux
def test_a_success_is_one_round_trip() -> None:
    claim = builders.claimed_task()
    assert len(trips_of(lambda: complete_at_once(claim))) == 1
    assert builders.read(claim.task_id).status == TaskStatus.COMPLETED


def test_a_success_in_one_statement_leaves_what_a_transaction_leaves() -> None:
    def left_by(settled: Callable[[Claim, Ending], object]) -> list[Any]:
        claim = builders.claimed_task(ring_wanted=True, rings=3)
        builders.deliver(claim, "unified-profiler", amount=7)
        builders.change(claim.task_id, memory_bytes=9, current_agent="score-risk")
        settled(claim, Ending(outcome="partial", manifest_key="manifest.json"))
        assert builders.read(claim.task_id).run_seconds > 0
        return [sql(look, id=claim.task_id) for look in looks] + [balance(claim.user_id)]

    tables = (("tasks", "id", "id"), ("task_events", "task_id", "seq"), ("credit_entries", "task_id", "agent_id, kind"))
    looks = [
        f"SELECT jsonb_agg(to_jsonb(t) - {TELL_APART}::text[] ORDER BY {order}) FROM {table} t WHERE {key} = :id"
        for table, key, order in tables
    ]
    assert left_by(complete_at_once) == left_by(settle)


def test_a_success_in_one_statement_wakes_the_conductors() -> None:
    claim = builders.claimed_task()
    with closing(Listener()) as listener:
        assert complete_at_once(claim)
        assert listener.wait(5)


@pytest.mark.parametrize(
    "change", [{"epoch": 2}, {"status": TaskStatus.QUEUED}, {"status": TaskStatus.CANCELLED}, {"items": 2}], ids=str
)
def test_what_is_not_ours_or_a_batch_is_not_settled_in_one_statement(change: dict[str, object]) -> None:
    claim = builders.claimed_task()
    before = builders.change(claim.task_id, **change)
    assert not complete_at_once(claim)
    row = builders.read(claim.task_id)
    assert (row.status, row.last_event, balance(claim.user_id)) == (before.status, before.last_event, 1000 - HELD)


def test_a_child_and_a_failure_are_not_settled_in_one_statement() -> None:
    _parent, (child, _other) = builders.waiting_parent()
    assert not complete_at_once(builders.claimed_child(child))
    failed = builders.claimed_task()
    assert not complete_at_once(failed, Ending(verdict=UnreadableFile("No.").verdict))
    assert builders.read(failed.task_id).status == TaskStatus.PROCESSING


def test_a_success_leaves_the_word_to_a_transaction_where_a_checkpoint_was_still_under_way() -> None:
    """Or it would give back what that checkpoint has captured: its books are those from before the lock."""
    claim = builders.claimed_task()
    with transaction() as late:
        checkpoints.record(
            late, claim, builders.delivered_step("score-risk"), amount=20, progress=50, next_agent=None
        )  # fmt: skip
        with in_thread(lambda: complete_at_once(claim)) as at_once:
            until_somebody_waits_for_a_lock()
            late.commit()
    assert at_once.result() is False
    assert balance(claim.user_id) == 1000 - HELD
    settle(claim, SUCCESS)
    assert balance(claim.user_id) == 1000 - 20


def test_a_success_is_not_held_up_by_a_beat() -> None:
    claim = builders.claimed_task()
    with transaction() as beat:
        said(beat, "UPDATE tasks SET lease_until = clock_timestamp() + interval '3 s' WHERE id = :id", id=claim.task_id)
        with in_thread(lambda: complete_at_once(claim)) as at_once:
            until_somebody_waits_for_a_lock()
            beat.commit()
    assert at_once.result() is True
