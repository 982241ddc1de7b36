import threading

import pytest

from backend.devstack import Stack
from backend.errors import HandBack
from backend.settings import get_settings
from celery_queue.heartbeat import Heartbeat
from celery_queue.identity import BOOT_UUID
from db import task_store
from db.database import transaction
from db.models import CLOCK
from tests import builders
from tests.waiting import eventually
from transformers.stop_signal import StopReason

pytestmark = pytest.mark.usefixtures("database")


def test_a_held_claims_lease_and_progress_are_renewed() -> None:
    claim = builders.claimed_task(worker=BOOT_UUID)
    before = builders.read(claim.task_id).lease_until
    with Heartbeat(get_settings()).hold(claim) as held:
        held.progress = 42.0
        eventually(lambda: builders.read(claim.task_id).progress == 42.0, seconds=6)
    after = builders.read(claim.task_id).lease_until
    assert before is not None
    assert after is not None
    assert after != before


def test_a_cancel_reaches_the_claim_with_the_next_beat() -> None:
    claim = builders.claimed_task()
    with Heartbeat(get_settings()).hold(claim) as held:
        with transaction() as session:
            task_store.cancel(session, claim.task_id, claim.user_id)
        eventually(lambda: held.stop.reason is StopReason.CANCELLED, seconds=2)


def test_a_claim_that_another_epoch_owns_is_lost() -> None:
    claim = builders.claimed_task()
    with Heartbeat(get_settings()).hold(claim) as held:
        builders.change(claim.task_id, epoch=claim.epoch + 1)
        eventually(lambda: held.stop.reason is StopReason.LOST, seconds=2)


def test_what_is_owed_is_handed_back_uncounted_when_the_database_answers_again(stack: Stack) -> None:
    claim = builders.claimed_task(worker=BOOT_UUID)
    heartbeat = Heartbeat(get_settings())
    stack.postgres.pause()
    try:
        heartbeat.owe(claim)
        threading.Event().wait(1.0)
    finally:
        stack.postgres.resume()
    eventually(lambda: builders.read(claim.task_id).status == "QUEUED", seconds=15)
    task = builders.read(claim.task_id)
    assert (task.hiccups, task.crashes, task.losses) == (0, 0, 0)
    assert builders.story(claim.task_id)[-1] == "handed_back"


def test_what_is_owed_and_lost_meanwhile_is_left_alone() -> None:
    stale, owed = builders.claimed_task(), builders.claimed_task()
    builders.change(stale.task_id, epoch=stale.epoch + 1)
    heartbeat = Heartbeat(get_settings())
    heartbeat.owe(stale)
    heartbeat.owe(owed)
    eventually(lambda: builders.read(owed.task_id).status == "QUEUED", seconds=6)
    assert builders.read(stale.task_id).status == "PROCESSING"
    assert heartbeat._owed == []


def test_one_lost_claim_leaves_its_neighbours_alone() -> None:
    lost, kept = builders.claimed_task(), builders.claimed_task()
    heartbeat = Heartbeat(get_settings())
    with heartbeat.hold(lost) as one, heartbeat.hold(kept) as other:
        builders.change(lost.task_id, epoch=lost.epoch + 1)
        eventually(lambda: one.stop.reason is StopReason.LOST, seconds=6)
        assert other.stop.reason is StopReason.NONE


def test_a_lost_claim_is_stopped_although_its_successor_is_of_the_same_process() -> None:
    lost = builders.claimed_task()
    task = builders.change(lost.task_id, status="QUEUED", admitted_at=CLOCK)
    owned = builders.claim(task)
    heartbeat = Heartbeat(get_settings())
    with heartbeat.hold(lost) as zombie, heartbeat.hold(owned) as owner:
        eventually(lambda: zombie.stop.reason is StopReason.LOST, seconds=6)
        assert owner.stop.reason is StopReason.NONE


def test_without_a_beat_for_a_lease_the_claims_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    claim = builders.claimed_task()
    monkeypatch.setenv("DATABASE_URL", "postgresql://postgres@127.0.0.1:1/nothing")
    monkeypatch.setenv("LEASE_SECONDS", "1")
    get_settings.cache_clear()
    with Heartbeat(get_settings()).hold(claim) as held:
        held.stop.check()
        threading.Event().wait(1.1)
        with pytest.raises(HandBack, match="back to the queue"):
            held.stop.check()


def test_a_beat_that_hangs_on_a_frozen_database_drops_the_claim_too(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = builders.claimed_task()
    monkeypatch.setenv("LEASE_SECONDS", "1")
    get_settings.cache_clear()
    with Heartbeat(get_settings()).hold(claim) as held:
        eventually(lambda: builders.read(claim.task_id).lease_until is not None, seconds=6)
        stack.postgres.pause()
        try:
            threading.Event().wait(1.6)
            with pytest.raises(HandBack):
                held.stop.check()
        finally:
            stack.postgres.resume()
