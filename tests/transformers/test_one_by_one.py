"""While an agent computes, what the one before it left is written down: in its order, or the claim ends."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from trial_slot import PRICES, TrialSlot, WarmChild, captures, steps

from backend.clock import monotonic
from backend.errors import AgensiumError, AgentCrashed, ClaimLost, Drained, StorageUnavailable
from backend.storage.door import Storage
from db import checkpoints
from db.claims import Claim
from db.database import transaction
from db.verification import LEDGER, STATES, breaches
from tests import builders
from transformers import artifacts
from transformers.agent_process import AgentProcess
from transformers.stop_signal import StopReason, StopSignal

PATIENCE = 30.0
AT_WORK = {"act": "wait", "seconds": 60}


class Story:
    """What happened in which order; the first step is written down when the second is at work, after `meanwhile`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[str] = []
        self.meanwhile: Callable[[Claim], None] = lambda _claim: None
        self.second_is_at_work = threading.Event()
        self._call, self._record = AgentProcess.call, checkpoints.record
        story = self

        async def call(process: AgentProcess, operation: str, request: Any, *more: Any, **options: Any) -> Any:
            if operation != "run_agent":
                return await story._call(process, operation, request, *more, **options)
            story.told.append(f"{request.agent_id} begins")
            if request.agent_id == "second":
                story.second_is_at_work.set()
            try:
                return await story._call(process, operation, request, *more, **options)
            finally:
                story.told.append(f"{request.agent_id} ends")

        def record(session: Any, claim: Claim, checkpoint: Any, **more: Any) -> None:
            if checkpoint.agent_id == "first":
                assert story.second_is_at_work.wait(PATIENCE)
                story.meanwhile(claim)
            story._record(session, claim, checkpoint, **more)
            story.told.append(f"{checkpoint.agent_id} is written")

        monkeypatch.setattr(AgentProcess, "call", call)
        monkeypatch.setattr(checkpoints, "record", record)


@pytest.fixture
def slot(database: str, storage_bucket: Storage, tmp_path: Path, warm_child: WarmChild) -> TrialSlot:
    return TrialSlot(storage_bucket, tmp_path / "scratch", warm_child)


@pytest.fixture
def story(slot: TrialSlot, monkeypatch: pytest.MonkeyPatch) -> Story:
    return Story(monkeypatch)


def proven() -> bool:
    with transaction() as session:
        return [*breaches(session, LEDGER), *breaches(session, STATES)] == []


def test_an_agent_computes_while_the_step_before_is_written_and_all_are_written_in_order(
    slot: TrialSlot, story: Story
) -> None:
    claim = slot.claim()
    slot.run(claim)
    order = story.told.index
    assert order("second begins") < order("first is written") < order("second is written") < order("third is written")
    assert order("second ends") < order("third begins")
    assert captures(claim) == PRICES
    assert proven()


def test_nothing_of_a_step_is_shown_before_the_one_before_it_is_written(slot: TrialSlot, story: Story) -> None:
    seen: list[tuple[str | None, list[float]]] = []

    def look(claim: Claim) -> None:
        seen.append((builders.read(claim.task_id).current_agent, list(slot.progress)))

    story.meanwhile = look
    slot.run(slot.claim(second={"act": "wait", "seconds": 0.2}))
    assert seen == [("first", [0.0])]
    assert slot.progress == sorted(slot.progress)


@pytest.mark.parametrize("failure", [StorageUnavailable, ClaimLost, RuntimeError])
def test_what_cannot_be_written_down_ends_the_next_ones_computing(
    slot: TrialSlot, story: Story, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    def refuse(_claim: Claim) -> None:
        raise failure

    story.meanwhile = refuse
    claim, began = slot.claim(second=AT_WORK), monotonic()
    with pytest.raises(failure):
        slot.run(claim)
    assert monotonic() - began < PATIENCE
    assert story.told[-1] == "second ends"
    assert "third begins" not in story.told
    assert (steps(claim), captures(claim)) == ({}, {})


def test_a_zombie_whose_next_agent_computes_writes_nothing(slot: TrialSlot, story: Story) -> None:
    def lose(claim: Claim) -> None:
        builders.change(claim.task_id, epoch=claim.epoch + 1)

    story.meanwhile = lose
    claim = slot.claim(second=AT_WORK)
    with pytest.raises(ClaimLost):
        slot.run(claim)
    assert (steps(claim), captures(claim)) == ({}, {})


@pytest.mark.parametrize(("act", "failure"), [("crash", AgentCrashed), ("blame", AgensiumError)])
def test_what_was_delivered_before_a_failure_is_written_and_paid(
    slot: TrialSlot, story: Story, act: str, failure: type[AgensiumError]
) -> None:
    def until_it_has_ended(_claim: Claim) -> None:
        deadline = monotonic() + PATIENCE
        while "second ends" not in story.told and monotonic() < deadline:
            threading.Event().wait(0.01)

    story.meanwhile = until_it_has_ended
    claim = slot.claim(second={"act": act})
    with pytest.raises(failure):
        slot.run(claim)
    assert set(steps(claim)) == {"first"}
    assert captures(claim) == {"first": PRICES["first"]}
    assert "second is written" not in story.told


def test_a_step_that_is_written_down_is_not_run_again_after_a_crash_of_the_next(slot: TrialSlot, story: Story) -> None:
    claim = slot.claim(second={"act": "crash"})
    with pytest.raises(AgentCrashed):
        slot.run(claim)
    story.told.clear()
    builders.change(claim.task_id, parameters={})
    slot.run(slot.again(claim))
    assert "first begins" not in story.told
    assert {agent: step.epoch for agent, step in steps(claim).items()} == {"first": 1, "second": 2, "third": 2}
    assert captures(claim) == PRICES
    assert proven()


def test_a_drain_hands_back_when_what_was_delivered_is_written(slot: TrialSlot, story: Story) -> None:
    stop = StopSignal(drain_seconds=0.2)
    story.meanwhile = lambda _claim: stop.stop(StopReason.DRAIN)
    claim = slot.claim(second=AT_WORK)
    with pytest.raises(Drained):
        slot.run(claim, stop=stop)
    assert set(steps(claim)) == {"first"}


def test_a_cancelled_task_waits_for_no_store(slot: TrialSlot, story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, answers = StopSignal(drain_seconds=0.2), threading.Event()

    def hang(*_: object) -> None:
        assert story.second_is_at_work.wait(PATIENCE)
        stop.stop(StopReason.CANCELLED)
        answers.wait(PATIENCE)

    monkeypatch.setattr(artifacts, "INLINE_BYTES", 0)
    monkeypatch.setattr(artifacts, "put", hang)
    claim, began = slot.claim(second=AT_WORK), monotonic()
    try:
        with pytest.raises(ClaimLost):
            slot.run(claim, stop=stop)
        assert monotonic() - began < PATIENCE
    finally:
        answers.set()
    assert steps(claim) == {}


def test_each_step_tells_its_own_time_and_memory(slot: TrialSlot, story: Story) -> None:
    story.meanwhile = lambda _claim: threading.Event().wait(0.5) and None
    claim = slot.claim(second={"act": "wait", "seconds": 1.0})
    slot.run(claim)
    written = steps(claim)
    assert written["first"].duration_ms < 500, "without the half second in which it was written"
    assert written["second"].duration_ms >= 1000
    assert all((step.peak_memory_bytes or 0) > 2**20 for step in written.values())
