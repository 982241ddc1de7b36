import uuid
from collections.abc import Sequence
from datetime import timedelta

import pytest
from side_by_side import said, sql, together

from backend.errors import ClaimLost, StorageUnavailable, UnreadableFile
from db import claims, endings, ledger
from db.claims import Claim
from db.database import transaction
from db.endings import MOST_LOSSES_AT_ONE_STEP, Ending, HandBackTerms
from db.events import EventKind
from db.models import CLOCK, TaskStatus
from tests import builders
from tests.builders import PRICES

HELD = sum(PRICES.values())


def settle(claim: Claim, ending: Ending) -> None:
    with transaction() as session:
        endings.settle(session, claim, ending)


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
