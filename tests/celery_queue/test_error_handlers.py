import asyncio
from datetime import timedelta
from types import SimpleNamespace

import pytest

from backend.clock import monotonic
from backend.errors import (
    RETRY_LATER,
    AgentCrashed,
    ClaimLost,
    HandBack,
    InternalError,
    MemoryLimit,
    Reroute,
    StorageUnavailable,
    TimeLimit,
    UnknownTool,
    UnreadableFile,
)
from backend.metrics.tally import TALLY
from backend.settings import get_settings
from celery_queue import drain, error_handlers
from celery_queue.error_handlers import Fate, answer, backoff
from db import ledger, task_store
from db.claims import Claim
from db.database import transaction
from tests import builders

pytestmark = pytest.mark.usefixtures("database")


def told(error: BaseException, **columns: object) -> tuple[Claim, Fate]:
    claim = builders.claimed_task(**columns)
    builders.deliver(claim, "unified-profiler") if not columns else None
    return claim, answer(claim, error).fate


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnreadableFile("Row 3."), "UNREADABLE_FILE"),
        (TimeLimit(), "TIMEOUT"),
        (MemoryLimit(), "MEMORY_LIMIT"),
        (InternalError(), "INTERNAL_ERROR"),
        (ZeroDivisionError("our bug"), "INTERNAL_ERROR"),
        (MemoryError(), "MEMORY_LIMIT"),
    ],
)
def test_a_final_failure_is_written_once_and_releases_the_undelivered(error: BaseException, code: str) -> None:
    claim, fate = told(error)
    task = builders.read(claim.task_id)
    assert (fate, task.status, task.error_code) == (Fate.FAILED, "FAILED", code)
    with transaction() as session:
        moves = {(entry.kind, entry.agent_id): entry.amount for entry in ledger.of_task(session, claim.task_id)}
    assert moves["CAPTURE", "unified-profiler"] == 30
    assert (moves["RELEASE", "score-risk"], moves["RELEASE", "readiness-rater"]) == (20, 10)
    assert ("RELEASE", "unified-profiler") not in moves


def test_a_hiccup_goes_back_to_the_queue_for_later_and_is_counted() -> None:
    claim, fate = told(StorageUnavailable(retry_after=60))
    task = builders.read(claim.task_id)
    assert (fate, task.status, task.hiccups) == (Fate.RETRYING, "QUEUED", 1)
    assert task.admitted_at is None
    assert task.not_before is not None
    assert task.finished_at is None


def test_a_hiccup_is_final_when_the_tries_are_spent() -> None:
    claim, fate = told(StorageUnavailable(), hiccups=get_settings().transient_retries)
    assert (fate, builders.read(claim.task_id).status) == (Fate.FAILED, "FAILED")
    assert builders.read(claim.task_id).next_action == RETRY_LATER, "we do not try again by ourselves"


def test_a_foreign_time_out_is_a_hiccup_not_the_customers_fault() -> None:
    claim, fate = told(TimeoutError("a socket's"))
    assert (fate, builders.read(claim.task_id).status) == (Fate.RETRYING, "QUEUED")


def test_a_checkpoint_forgives_the_crashes_of_the_step_before() -> None:
    claim = builders.claimed_task(crashes=2)
    builders.deliver(claim, "unified-profiler")
    assert answer(claim, AgentCrashed()).fate is Fate.RETRYING
    assert builders.read(claim.task_id).crashes == 1


@pytest.mark.parametrize("words", ["a \x00 byte", "half a \ud800 pair"])
def test_what_a_customers_data_says_can_be_written_down(words: str) -> None:
    claim, fate = told(UnreadableFile(f"Row 3 holds {words}.", detail=words))
    assert (fate, builders.read(claim.task_id).error_code) == (Fate.FAILED, "UNREADABLE_FILE")


def test_a_crash_runs_again_at_once_ahead_of_every_lane() -> None:
    claim, fate = told(AgentCrashed())
    task = builders.read(claim.task_id)
    assert (fate, task.status, task.crashes, task.not_before) == (Fate.RETRYING, "QUEUED", 1, None)
    assert task.admitted_at is not None
    assert task.ring_wanted


def test_the_third_crash_at_one_step_is_final() -> None:
    claim, fate = told(AgentCrashed(), crashes=2)
    task = builders.read(claim.task_id)
    assert (fate, task.status, task.error_code) == (Fate.FAILED, "FAILED", "AGENT_CRASHED")


@pytest.mark.parametrize("error", [HandBack(), SystemExit(0), KeyboardInterrupt(), asyncio.CancelledError()])
def test_a_shutdown_hands_back_and_counts_nothing(error: BaseException) -> None:
    claim, fate = told(error)
    task = builders.read(claim.task_id)
    assert (fate, task.status) == (Fate.RETRYING, "QUEUED")
    assert (task.hiccups, task.crashes, task.losses, task.error_code) == (0, 0, 0, None)
    assert builders.story(claim.task_id)[-1] == "handed_back"


def test_what_a_cold_shutdown_throws_on_solo_is_no_bug_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "requested", lambda: True)
    claim, _ = told(NotImplementedError("solo cannot terminate"))
    assert builders.read(claim.task_id).status == "QUEUED"


def test_the_same_without_a_shutdown_is_a_bug() -> None:
    claim, _ = told(NotImplementedError())
    assert builders.read(claim.task_id).error_code == "INTERNAL_ERROR"


def test_a_tool_this_worker_does_not_know_waits_for_another_worker() -> None:
    claim, fate = told(UnknownTool())
    task = builders.read(claim.task_id)
    assert (fate, task.status, task.error_code) == (Fate.RETRYING, "QUEUED", None)
    assert task.not_before is not None


@pytest.mark.parametrize(
    ("others", "seconds"), [(True, 5), (False, 300)], ids=["a-deploy-is-under-way", "nobody-has-it"]
)
def test_a_tool_that_nobody_here_knows_is_asked_after_soon_only_while_another_version_lives(
    monkeypatch: pytest.MonkeyPatch, *, others: bool, seconds: float
) -> None:
    builders.live_worker()  # its version is "test"
    monkeypatch.setattr(error_handlers, "release", lambda: "newer" if others else "test")
    claim, _ = told(UnknownTool())
    waits = builders.read(claim.task_id).not_before - builders.sql_now()
    assert 0.5 * seconds < waits.total_seconds() <= seconds


def test_a_lost_claim_writes_nothing() -> None:
    claim = builders.claimed_task()
    before = builders.story(claim.task_id)
    assert answer(claim, ClaimLost()).fate is Fate.DROPPED
    assert builders.story(claim.task_id) == before


def test_a_zombies_failure_does_not_touch_the_row() -> None:
    zombie = builders.claimed_task()
    builders.change(zombie.task_id, epoch=zombie.epoch + 1)
    assert answer(zombie, UnreadableFile()).fate is Fate.DROPPED
    assert builders.read(zombie.task_id).status == "PROCESSING"


def test_without_the_database_the_ending_is_left_to_the_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    claim = builders.claimed_task()
    from db import database

    database.close_database()
    monkeypatch.setenv("DATABASE_URL", "postgresql://postgres@127.0.0.1:1/nothing")
    get_settings.cache_clear()
    owed: list[Claim] = []
    monkeypatch.setattr(error_handlers, "heartbeat", lambda: SimpleNamespace(owe=owed.append))
    began = monotonic()
    assert answer(claim, UnreadableFile()).fate is Fate.DROPPED
    assert monotonic() - began < 10
    assert owed == [claim]


def test_what_needs_more_memory_is_queued_where_there_is_more_at_once_and_uncounted() -> None:
    claim, fate = told(Reroute())
    task = builders.read(claim.task_id)
    assert (fate, task.status, task.queue, task.error_code) == (Fate.RETRYING, "QUEUED", "high_memory", None)
    assert (task.hiccups, task.crashes, task.losses) == (0, 0, 0)
    assert task.admitted_at is not None
    assert builders.story(claim.task_id)[-1] == "rerouted"


def test_a_service_that_asks_for_time_gets_it() -> None:
    before = builders.sql_now()
    claim, _ = told(StorageUnavailable(retry_after=60))
    not_before = builders.read(claim.task_id).not_before
    assert not_before is not None
    assert not_before - before >= timedelta(seconds=60)


def test_no_service_puts_a_task_off_for_longer_than_an_hour() -> None:
    claim, _ = told(StorageUnavailable(retry_after=1e9))
    not_before = builders.read(claim.task_id).not_before
    assert not_before is not None
    assert not_before - builders.sql_now() < timedelta(minutes=62)


def test_the_back_off_doubles_up_to_its_cap_with_full_jitter() -> None:
    settings = get_settings()
    for tries in range(12):
        ceiling = min(settings.retry_cap_seconds, settings.retry_base_seconds * 2**tries)
        delays = [backoff(tries, settings) for _ in range(50)]
        assert all(0 <= delay <= ceiling for delay in delays)
        assert max(delays) > ceiling / 2, "jitter spreads over the whole range"


@pytest.mark.parametrize(
    ("stop", "by", "learnt_from"),
    [("LOST", "lease", "beat"), ("CANCELLED", "cancel", "beat"), ("", "lease", "station"), ("", "cancel", "station")],
)
def test_a_lost_claim_is_counted_by_what_took_it_and_how_that_was_learnt(stop: str, by: str, learnt_from: str) -> None:
    claim = builders.claimed_task()
    if by == "cancel":
        with transaction() as session:
            task_store.cancel(session, claim.task_id, claim.user_id)
    TALLY.take()
    answer(claim, ClaimLost(detail=stop))
    lost = {labels: n for (name, labels), n in TALLY.read().counts.items() if name == "agensium_claims_lost_total"}
    assert lost == {(by, learnt_from): 1}
