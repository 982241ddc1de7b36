import uuid
from collections.abc import Sequence
from datetime import timedelta

import pytest
from side_by_side import private, said, sql

from db import task_store, workers
from db.claims import Claim
from db.database import close_database, transaction
from db.models import CLOCK, TaskStatus
from db.workers import BeatAnswer, ClaimKey, Pulse
from tests import builders
from tests.builders import LEASE

NOBODY = frozenset[ClaimKey]()


def beat(
    *claims: Claim, progress: float = 10, boot_uuid: uuid.UUID | None = None, lease: timedelta = LEASE
) -> BeatAnswer:
    pulses = [Pulse(claim.task_id, claim.epoch, progress) for claim in claims]
    with transaction() as session:
        return workers.beat(session, boot_uuid or uuid.uuid4(), pulses, lease)


def only(claim: Claim) -> frozenset[ClaimKey]:
    return frozenset({(claim.task_id, claim.epoch)})


def lease_left(claim: Claim) -> timedelta:
    left = sql("SELECT lease_until - clock_timestamp() FROM tasks WHERE id = :id", id=claim.task_id)
    assert isinstance(left, timedelta)
    return left


def listed(lease: timedelta = LEASE) -> Sequence[uuid.UUID]:
    with transaction() as session:
        return [worker.boot_uuid for worker in workers.live(session, lease)]


# ── beats ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_beat_renews_the_lease_of_every_claim_of_the_process() -> None:
    claims = [builders.claimed_task() for _ in range(3)]
    assert beat(*claims, lease=timedelta(hours=1)) == BeatAnswer(NOBODY, NOBODY, draining=False)
    assert all(lease_left(claim) > timedelta(minutes=59) for claim in claims)


def test_a_beat_renews_a_lease_that_had_run_out_but_was_not_swept() -> None:
    claim = builders.claimed_task()
    builders.change(claim.task_id, lease_until=CLOCK - timedelta(seconds=9))
    assert beat(claim).lost == NOBODY
    assert lease_left(claim) > timedelta(0)


def test_a_beat_brings_progress_which_never_goes_down() -> None:
    claim = builders.claimed_task()
    beat(claim, progress=60)
    beat(claim, progress=20)
    assert builders.read(claim.task_id).progress == 60


def test_a_beat_leaves_the_rows_of_others_alone() -> None:
    mine, theirs = builders.claimed_task(), builders.claimed_task()
    beat(mine, progress=60, lease=timedelta(hours=1))
    assert builders.read(theirs.task_id).progress == 0
    assert lease_left(theirs) < timedelta(minutes=1)


def test_a_process_without_claims_beats_too() -> None:
    assert beat() == BeatAnswer(NOBODY, NOBODY, draining=False)


def test_a_beat_brings_back_what_was_cancelled() -> None:
    going_on, cancelled = builders.claimed_task(), builders.claimed_task()
    with transaction() as session:
        task_store.cancel(session, cancelled.task_id, cancelled.user_id)
    assert beat(going_on, cancelled) == BeatAnswer(only(cancelled), NOBODY, draining=False)


@pytest.mark.parametrize(
    "change",
    [{"epoch": 2}, {"status": TaskStatus.QUEUED}, {"status": TaskStatus.COMPLETED}, {"status": TaskStatus.FAILED}],
    ids=str,
)
def test_a_beat_brings_back_what_was_lost_and_does_not_touch_it(change: dict[str, object]) -> None:
    claim = builders.claimed_task()
    until = builders.change(claim.task_id, **change).lease_until
    assert beat(claim, progress=60) == BeatAnswer(NOBODY, only(claim), draining=False)
    row = builders.read(claim.task_id)
    assert (row.lease_until, row.progress) == (until, 0)


def test_a_task_that_there_is_not_is_lost() -> None:
    claim = builders.claimed_task()
    sql("DELETE FROM credit_entries")
    sql("DELETE FROM tasks")
    assert beat(claim).lost == only(claim)


def test_a_row_that_somebody_holds_is_skipped_and_not_reported_lost() -> None:
    held, free = builders.claimed_task(), builders.claimed_task()
    with transaction() as station:
        said(station, "SELECT id FROM tasks WHERE id = :id FOR NO KEY UPDATE", id=held.task_id)
        assert beat(held, free, lease=timedelta(hours=1)) == BeatAnswer(NOBODY, NOBODY, draining=False)
    assert lease_left(held) < timedelta(minutes=1)
    assert lease_left(free) > timedelta(minutes=59)


def zombie_and_successor() -> tuple[Claim, Claim]:
    """Two claims on one task, as a process has them that was frozen for a lease and then took its own task again."""
    lost = builders.claimed_task()
    builders.change(lost.task_id, status=TaskStatus.QUEUED, admitted_at=CLOCK)
    return lost, builders.claim(builders.read(lost.task_id))


def test_a_process_with_a_lost_claim_and_its_successor_learns_which_is_which() -> None:
    lost, owned = zombie_and_successor()
    assert beat(lost, owned, lease=timedelta(hours=1)) == BeatAnswer(NOBODY, only(lost), draining=False)
    assert lease_left(owned) > timedelta(minutes=59)


def test_the_successor_of_a_lost_claim_is_not_lost_while_somebody_holds_the_row() -> None:
    lost, owned = zombie_and_successor()
    with transaction() as station:
        said(station, "SELECT id FROM tasks WHERE id = :id FOR NO KEY UPDATE", id=owned.task_id)
        assert beat(lost, owned) == BeatAnswer(NOBODY, only(lost), draining=False)


def test_a_row_whose_end_is_not_committed_yet_is_not_reported_lost() -> None:
    claim = builders.claimed_task()
    with transaction() as cancelling:
        task_store.cancel(cancelling, claim.task_id, claim.user_id)
        assert beat(claim) == BeatAnswer(NOBODY, NOBODY, draining=False)
    assert beat(claim).cancelled == only(claim)


def test_beats_are_hot_updates_and_would_not_be_with_an_index_on_the_lease() -> None:
    claims = [builders.claimed_task() for _ in range(20)]
    close_database()  # the pool's connections hand their own numbers in
    assert _hot_beats(claims, beats=10) >= 150  # of 200: a full page lets some go, wide rows more; never all
    sql("CREATE INDEX spoils_it ON tasks (lease_until)")
    try:
        assert _hot_beats(claims, beats=10) == 0
    finally:
        sql("DROP INDEX spoils_it")


def _hot_beats(claims: Sequence[Claim], beats: int) -> int:
    """How many rows the beats updated without touching an index, by PostgreSQL's own count."""
    pulses = [Pulse(claim.task_id, claim.epoch, 10) for claim in claims]
    with private() as begin:
        before = _hot_updates()
        for _ in range(beats):
            with begin() as session:
                workers.beat(session, uuid.uuid4(), pulses, LEASE)
        with begin() as session:
            said(session, "SELECT pg_stat_force_next_flush()")
        return _hot_updates() - before


def _hot_updates() -> int:
    count = sql("SELECT n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'tasks'")
    assert isinstance(count, int)
    return count


# ── check in, drain, check out ───────────────────────────────────────────────────────────────────────────────────


def test_a_worker_that_checks_in_is_live_with_its_slots() -> None:
    identity = builders.live_worker(slots=4, queues=("default", "high_memory"))
    with transaction() as session:
        (row,) = workers.live(session, LEASE)
    assert (row.boot_uuid, row.slots, row.queues, row.pool) == (
        identity.boot_uuid,
        4,
        ["default", "high_memory"],
        "solo",
    )


def test_a_worker_that_checks_in_again_is_the_same_one_seen_later() -> None:
    identity = builders.live_worker()
    sql("UPDATE workers SET seen_at = seen_at - interval '1 hour'")
    assert listed() == []
    with transaction() as session:
        workers.check_in(session, identity)
    assert listed() == [identity.boot_uuid]


def test_a_draining_worker_learns_it_at_its_beat_and_stays_so_when_it_checks_in() -> None:
    identity = builders.live_worker()
    other = builders.live_worker()
    with transaction() as session:
        workers.start_draining(session, identity.boot_uuid)
        workers.check_in(session, identity)
    assert beat(boot_uuid=identity.boot_uuid).draining
    assert not beat(boot_uuid=other.boot_uuid).draining


def test_a_worker_that_leaves_is_not_listed() -> None:
    leaving, staying = builders.live_worker(), builders.live_worker()
    with transaction() as session:
        workers.check_out(session, leaving.boot_uuid)
    assert listed() == [staying.boot_uuid]


def test_only_the_dead_are_forgotten() -> None:
    dead, alive = builders.live_worker(), builders.live_worker()
    sql("UPDATE workers SET seen_at = seen_at - interval '1 hour' WHERE boot_uuid = :id", id=dead.boot_uuid)
    with transaction() as session:
        workers.forget_dead(session, timedelta(minutes=10))
    assert listed(timedelta(days=1)) == [alive.boot_uuid]


def test_slots_are_those_of_the_workers_that_may_get_such_a_task() -> None:
    builders.live_worker(3)
    builders.live_worker(5, ("high_memory",))
    drained = builders.live_worker(7)
    with transaction() as session:
        workers.start_draining(session, drained.boot_uuid)
        assert workers.slots_for(session, "default", builders.TOOL, LEASE) == 3
        assert workers.slots_for(session, "default", "another tool", LEASE) == 0
