"""The life of a task on a slot, with a real child, the real database and real storage."""

import asyncio
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from trial_slot import PRICES, TABLE, TrialSlot, WarmChild, captures, steps

from backend.clock import monotonic
from backend.errors import (
    AgensiumError,
    ClaimLost,
    HardTimeLimit,
    InternalError,
    Interruption,
    MemoryLimit,
    Reroute,
    StorageUnavailable,
    UnknownTool,
    UnreadableFile,
)
from backend.settings import get_settings
from backend.storage.door import Storage
from db import events, paces
from db.database import transaction
from db.models import AgentPace
from db.paces import ENOUGH_SAMPLES
from tests import builders
from tests.probe_tools import PROBE
from tests.round_trips import on_linux, trips_of
from tests.waiting import eventually
from transformers import artifacts
from transformers.agent_process import AgentProcess, Limits
from transformers.findings import AgentResult
from transformers.stop_signal import StopReason, StopSignal
from transformers.stored_files import Manifest


@pytest.fixture
def workshop(database: str, storage_bucket: Storage, tmp_path: Path, warm_child: WarmChild) -> TrialSlot:
    return TrialSlot(storage_bucket, tmp_path / "scratch", warm_child)


def test_a_task_is_completed_billed_and_published(workshop: TrialSlot) -> None:
    claim = workshop.claim()
    report = workshop.run(claim)
    task = builders.read(claim.task_id)
    assert (task.status, task.outcome, task.progress) == ("COMPLETED", "success", 100)
    assert (report.outcome, report.agents_delivered, report.agents_failed) == ("success", 3, 0)
    assert captures(claim) == PRICES
    assert task.manifest_key is not None
    manifest = Manifest.model_validate_json(workshop.storage.get_bytes(task.manifest_key))
    assert {file.name for file in manifest.files} == {"report.json", "report.xlsx", "report.html"}
    for file in manifest.files:
        found = workshop.storage.head(file.key)
        assert found is not None
        assert found.size == file.size


def test_everything_a_claim_writes_to_storage_carries_its_epoch(workshop: TrialSlot) -> None:
    claim = workshop.claim()
    before = {found.key for found in workshop.storage.list("")}
    workshop.run(claim)
    written = {found.key for found in workshop.storage.list("")} - before
    assert written
    assert all(f"/steps/{claim.epoch}/" in key or f"/outputs/{claim.epoch}/" in key for key in written), written


def test_a_small_artifact_costs_no_call_of_the_store(workshop: TrialSlot, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []
    put = workshop.storage.put_bytes
    monkeypatch.setattr(workshop.storage, "put_bytes", lambda key, *more: sent.append(key) or put(key, *more))
    claim = workshop.claim()
    workshop.run(claim)
    assert [key for key in sent if "/steps/" in key] == []
    first = steps(claim)["first"]
    assert (first.artifact_key, first.artifact_size, first.artifact_sha256) == (None, None, None)
    assert artifacts.of_step(workshop.storage, first) is not None
    assert first.peak_memory_bytes is not None, "by which it is known that it was computed"


@on_linux
def test_a_run_of_three_steps_is_five_round_trips(workshop: TrialSlot) -> None:
    """Whose turn it is, each step's record, and the settlement; a batch's journal is not asked for what is none."""
    paces.lately()
    claim = workshop.claim()
    assert len(trips_of(lambda: workshop.run(claim))) == 5


def test_progress_rises_to_99_and_the_settlement_makes_it_100(workshop: TrialSlot) -> None:
    workshop.run(workshop.claim(second={"act": "wait", "seconds": 0.3}))
    assert workshop.progress == sorted(workshop.progress)
    assert workshop.progress[-1] == 99


def test_a_second_claim_goes_on_where_the_first_stopped(workshop: TrialSlot) -> None:
    claim = workshop.claim(second={"act": "crash"})
    with pytest.raises(AgensiumError):
        workshop.run(claim)
    assert set(steps(claim)) == {"first"}
    builders.change(claim.task_id, parameters={"second": {"act": "deliver"}})
    second = workshop.again(claim)
    workshop.run(second)
    assert {agent: step.epoch for agent, step in steps(claim).items()} == {"first": 1, "second": 2, "third": 2}
    assert captures(claim) == PRICES


def test_a_step_whose_parameters_changed_is_run_again(workshop: TrialSlot) -> None:
    claim = workshop.claim(third={"act": "crash"})
    with pytest.raises(AgensiumError):
        workshop.run(claim)
    builders.change(claim.task_id, parameters={"first": {"seconds": 5}})
    workshop.run(workshop.again(claim))
    assert {agent: step.epoch for agent, step in steps(claim).items()} == {"first": 2, "second": 1, "third": 2}
    assert captures(claim) == PRICES, "charged once, however often it ran"


def test_a_newer_version_of_an_agent_builds_on_no_step_of_the_older_one(workshop: TrialSlot) -> None:
    claim = workshop.claim(third={"act": "crash"})
    with pytest.raises(AgensiumError):
        workshop.run(claim)
    builders.change(claim.task_id, parameters={})
    first, second, third = PROBE.steps
    newer = replace(PROBE, steps=(replace(first, agent=replace(first.agent, version=2)), second, third))
    workshop.run(workshop.again(claim), tool=newer)
    assert {agent: step.epoch for agent, step in steps(claim).items()} == {"first": 2, "second": 1, "third": 2}
    assert captures(claim) == PRICES, "charged once, however often it ran"


def test_what_an_earlier_version_delivered_and_was_paid_for_stays_when_the_new_one_fails(workshop: TrialSlot) -> None:
    claim = workshop.claim()
    builders.deliver(claim, "third", amount=30)
    artifact = AgentResult(agent_id="third", agent_name="Third", summary_metrics={"by": "an earlier version"})
    key = f"{builders.delivered_step('third').artifact_key}"
    workshop.storage.put_bytes(key, artifact.model_dump_json().encode(), "application/json")
    builders.change(claim.task_id, parameters={"third": {"act": "blame"}})
    report = workshop.run(workshop.again(claim))
    assert (report.outcome, report.agents_failed) == ("success", 0)
    assert steps(claim)["third"].status == "DELIVERED"
    assert captures(claim) == PRICES


def test_an_optional_agents_failure_costs_only_its_own_share(workshop: TrialSlot) -> None:
    claim = workshop.claim(third={"act": "blame"})
    report = workshop.run(claim)
    assert (report.outcome, report.agents_failed) == ("partial", 1)
    third = steps(claim)["third"]
    assert (third.status, third.error_code) == ("FAILED", "UNREADABLE_FILE")
    assert captures(claim) == {"first": 10, "second": 20}


@pytest.mark.parametrize("reason", [StopReason.DRAIN, StopReason.CANCELLED])
def test_a_stop_in_the_middle_of_an_optional_agent_is_no_failure_of_its_own(
    workshop: TrialSlot, reason: StopReason
) -> None:
    stop = StopSignal(drain_seconds=0.2)
    claim = workshop.claim(third={"act": "wait", "seconds": 30})

    def once_it_is_at_work() -> None:
        eventually(lambda: builders.read(claim.task_id).current_agent == "third", seconds=60)
        stop.stop(reason)

    stopping = threading.Thread(target=once_it_is_at_work)
    stopping.start()
    with pytest.raises(Interruption):
        workshop.run(claim, stop=stop)
    stopping.join()
    assert set(steps(claim)) == {"first", "second"}


HOARDING = {"act": "hoard", "seconds": 30}
LITTLE = 250_000  # KiB: under what the hoarder wants, over what a warm child has


@pytest.mark.parametrize("agent", ["second", "third"])
def test_what_needs_more_memory_goes_where_there_is_more(workshop: TrialSlot, agent: str) -> None:
    settings = get_settings().model_copy(update={"celery_worker_max_memory_per_child": LITTLE, "lease_seconds": 60})
    builders.live_worker(queues=("high_memory",), memory_bytes=settings.agent_memory_bytes + 1)
    claim = workshop.claim(**{agent: HOARDING})
    with pytest.raises(Reroute):
        workshop.run(claim, settings=settings)
    assert agent not in steps(claim)


@pytest.mark.parametrize(("queue", "memory"), [("high_memory", LITTLE * 1024), ("default", 2**40)])
def test_where_nobody_has_more_memory_to_give_the_limit_is_the_agents_own(
    workshop: TrialSlot, queue: str, memory: int
) -> None:
    settings = get_settings().model_copy(update={"celery_worker_max_memory_per_child": LITTLE, "lease_seconds": 60})
    builders.live_worker(queues=(queue,), memory_bytes=memory)
    claim = workshop.claim(third=HOARDING)
    assert workshop.run(claim, settings=settings).outcome == "partial"
    assert steps(claim)["third"].error_code == "MEMORY_LIMIT"


def test_a_task_is_moved_to_more_memory_only_once(workshop: TrialSlot) -> None:
    settings = get_settings().model_copy(update={"celery_worker_max_memory_per_child": LITTLE, "lease_seconds": 60})
    builders.live_worker(queues=("high_memory",), memory_bytes=2**40)
    first = workshop.claim(second=HOARDING)
    builders.change(first.task_id, queue="high_memory")
    with pytest.raises(MemoryLimit):
        workshop.run(workshop.again(first), settings=settings)


def test_where_an_optional_agent_stood_still_is_kept_with_its_step(workshop: TrialSlot) -> None:
    claim = workshop.claim(third={"act": "stall", "seconds": 60})
    settings = get_settings().model_copy(update={"no_progress_seconds": 3.0})
    report = workshop.run(claim, settings=settings)
    assert report.agents_failed == 1
    third = steps(claim)["third"]
    assert (third.status, third.error_code) == ("FAILED", "NO_PROGRESS")
    assert third.error_detail is not None
    assert "_stall" in third.error_detail
    with transaction() as session:
        told = [str(event.data) for event in events.after(session, claim.task_id, 0)]
    assert not any("_stall" in words for words in told), "a customer reads the events"


@pytest.mark.parametrize(
    ("pace", "largest", "own_setting", "expected"),
    [
        (None, 1, None, 300), (4.0, 1, None, 40), (0.001, 1, None, 30), (900.0, 1, None, 300), (4.0, 1, 7.0, 7.0),
        (4.0, 0.5, None, 300),
    ],
    ids=["no history", "ten times the usual", "the floor", "never over the tool's", "the setting", "never so much"],
)  # fmt: skip
def test_an_agent_may_be_silent_for_many_times_its_own_usual_time(  # noqa: PLR0917 (its table has as many columns)
    workshop: TrialSlot,
    monkeypatch: pytest.MonkeyPatch,
    pace: float | None,
    largest: float,
    own_setting: float | None,
    expected: float,
) -> None:
    if pace is not None:
        history = AgentPace(
            agent_id="second", seconds_per_mebibyte=pace, median_seconds_per_mebibyte=0.1, samples=ENOUGH_SAMPLES,
            largest_mebibytes=largest,
        )  # fmt: skip
        with transaction() as session:
            session.add(history)
    given, call = [], AgentProcess.call

    async def seen(process: AgentProcess, operation: str, *arguments: Any, limits: Limits, **more: Any) -> Any:
        given.append((operation, limits.no_progress_seconds))
        return await call(process, operation, *arguments, limits=limits, **more)

    monkeypatch.setattr(AgentProcess, "call", seen)
    workshop.run(workshop.claim(), settings=get_settings().model_copy(update={"no_progress_seconds": own_setting}))
    tools = own_setting or 300
    agents = [("run_agent", tools), ("run_agent", expected), ("run_agent", tools)]
    assert given == [("parse", tools), *agents, ("render", tools)]


def test_a_required_agents_failure_is_the_tasks(workshop: TrialSlot) -> None:
    claim = workshop.claim(second={"act": "blame"})
    with pytest.raises(AgensiumError, match="Row 3 cannot be read"):
        workshop.run(claim)
    assert set(steps(claim)) == {"first"}


def test_a_download_of_another_size_is_a_hiccup(workshop: TrialSlot) -> None:
    with pytest.raises(StorageUnavailable):
        workshop.run(workshop.claim(size=len(TABLE) + 1))


def test_a_file_that_was_replaced_after_the_submit_is_not_read(workshop: TrialSlot) -> None:
    claim = workshop.claim()
    workshop.storage.put_bytes(claim.inputs["primary"][0]["key"], TABLE.replace(b"36", b"99"), "text/csv")
    with pytest.raises(UnreadableFile, match="replaced after"):
        workshop.run(claim)


@pytest.mark.parametrize("newer", [{"agents": ["first", "fourth"]}, {"parameters": {"first": {"colour": "red"}}}])
def test_what_a_newer_version_took_is_left_to_a_newer_worker(workshop: TrialSlot, newer: dict[str, Any]) -> None:
    claim = workshop.claim()
    builders.change(claim.task_id, **newer)
    with pytest.raises(UnknownTool):
        workshop.run(workshop.again(claim))


def test_a_step_without_a_price_is_our_bug_and_runs_nothing(workshop: TrialSlot) -> None:
    claim = workshop.claim(prices={"first": 10})
    with pytest.raises(InternalError):
        workshop.run(claim)
    assert not steps(claim)


def test_a_zombie_writes_no_checkpoint_and_no_ending(workshop: TrialSlot) -> None:
    claim = workshop.claim()
    builders.change(claim.task_id, epoch=claim.epoch + 1)
    with pytest.raises(ClaimLost):
        workshop.run(claim)
    assert not steps(claim)
    assert not captures(claim)
    assert builders.read(claim.task_id).status == "PROCESSING"


def test_a_claim_that_hangs_past_its_hard_limit_is_abandoned(
    workshop: TrialSlot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object) -> str:
        await asyncio.Event().wait()
        return ""

    monkeypatch.setattr("transformers.lifecycle.publish", hang)
    settings = get_settings().model_copy(update={"time_limit_seconds": 2.0, "hard_limit_grace_seconds": 0.5})
    with pytest.raises(HardTimeLimit):
        workshop.run(workshop.claim(), settings=settings)


def test_a_file_store_that_hangs_keeps_no_cancelled_task_waiting(
    workshop: TrialSlot, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = workshop.claim()
    answers, hung = threading.Event(), threading.Event()
    stop = StopSignal(drain_seconds=0.5)

    def hang(*_: object) -> None:
        hung.set()
        stop.stop(StopReason.CANCELLED)
        answers.wait(60)

    monkeypatch.setattr(workshop.storage, "put_bytes", hang)
    monkeypatch.setattr("transformers.artifacts.INLINE_BYTES", 0)
    began = monotonic()
    try:
        with pytest.raises(ClaimLost):
            workshop.run(claim, stop=stop)
        assert hung.is_set()
        assert monotonic() - began < 30
    finally:
        answers.set()
    assert not steps(claim)


def test_a_stop_that_came_before_the_run_is_heard(workshop: TrialSlot) -> None:
    stop = StopSignal(drain_seconds=0.5)
    stop.stop(StopReason.CANCELLED)
    claim = workshop.claim()
    with pytest.raises(ClaimLost):
        workshop.run(claim, stop=stop)
    assert not steps(claim)


def test_scratch_is_empty_after_a_task_however_it_ended(workshop: TrialSlot) -> None:
    workshop.run(workshop.claim())
    with pytest.raises(AgensiumError):
        workshop.run(workshop.claim(second={"act": "bug"}))
    assert [path.name for path in workshop.scratch.iterdir() if path.is_dir()] == []


def test_the_claimed_agents_turn_is_shown(workshop: TrialSlot) -> None:
    claim = workshop.claim(second={"act": "bug"})
    with pytest.raises(AgensiumError):
        workshop.run(claim)
    assert builders.read(claim.task_id).current_agent == "second"
