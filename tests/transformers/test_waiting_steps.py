"""Agents that wait for others: in the supervisor's loop, side by side, paid by use, through children."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from trial_slot import TrialSlot, WarmChild, steps

from backend.clock import monotonic
from backend.errors import AgensiumError, ClaimLost, HandBack, ModelUnavailable, TimeLimit, Waiting
from backend.settings import Settings
from backend.storage.door import Storage
from db import children, events, items, ledger, task_store, verification
from db.claims import Claim
from db.database import transaction
from db.models import CLOCK, TaskStatus
from db.task_store import Submission
from tests import builders
from tests.waiting_tools import ASK, BATCH, GRAPH, SEEN
from transformers.forms import chosen_steps, read_forms
from transformers.stop_signal import StopReason, StopSignal
from transformers.submission import held_for
from transformers.tool import Tool

HELD = 10  # credits: waiting_tools.MOST by its tariff


@pytest.fixture
def slot(database: str, storage_bucket: Storage, tmp_path: Path, warm_child: WarmChild) -> TrialSlot:
    SEEN.clear()
    return TrialSlot(storage_bucket, tmp_path / "scratch", warm_child)


def submitted(slot: TrialSlot, tool: Tool, **parameters: Any) -> Claim:
    forms = read_forms(tool, parameters)
    chosen = chosen_steps(tool, [], forms)
    prices = {step.id: held_for(step, forms, {}) for step in chosen}
    tariffs = {step.id: step.tariff.model_dump() for step in chosen if step.tariff is not None}
    with transaction() as session:
        task = task_store.create(session, slot.user_id, tool.id, [], parameters)
        task_store.submit(session, task, Submission([step.id for step in chosen], prices, {}, 1.0, tariffs=tariffs))
    return builders.claim(builders.change(task.id, admitted_at=CLOCK))


def ledger_of(claim: Claim) -> list[tuple[str, str, int]]:
    with transaction() as session:
        return sorted(
            (entry.agent_id, str(entry.kind), entry.amount) for entry in ledger.of_task(session, claim.task_id)
        )


def proven() -> bool:
    with transaction() as session:
        return not [*verification.breaches(session, verification.LEDGER)] and not [
            *verification.breaches(session, verification.STATES)
        ]


def children_of(claim: Claim) -> list[Claim]:
    """The children that are queued, claimed one after the other."""
    with transaction() as session:
        queued = [c for c in children.page(session, claim.task_id, None, 100) if c.status == TaskStatus.QUEUED]
    return [builders.claim(builders.change(child.id, admitted_at=CLOCK)) for child in queued]


def test_a_step_that_is_paid_by_use_captures_what_was_used_and_gives_back_the_rest_at_once(slot: TrialSlot) -> None:
    claim = submitted(slot, ASK, one={"tokens": 1500})
    slot.run(claim, tool=ASK)
    assert ledger_of(claim) == [("one", "CAPTURE", 3), ("one", "HOLD", HELD), ("one", "RELEASE", HELD - 3)]
    assert proven()


def test_nobody_pays_more_than_was_held(slot: TrialSlot) -> None:
    claim = submitted(slot, ASK, one={"tokens": 1_000_000})
    slot.run(claim, tool=ASK)
    assert ledger_of(claim) == [("one", "CAPTURE", HELD), ("one", "HOLD", HELD)]


def test_a_small_answer_lies_in_the_row_and_a_large_one_in_the_store(slot: TrialSlot, monkeypatch: Any) -> None:
    claim = submitted(slot, ASK)
    slot.run(claim, tool=ASK)
    assert (steps(claim)["one"].artifact_key, steps(claim)["one"].inline is not None) == (None, True)
    monkeypatch.setattr("transformers.artifacts.INLINE_BYTES", 10)
    large = submitted(slot, ASK)
    slot.run(large, tool=ASK)
    assert steps(large)["one"].artifact_key is not None
    assert steps(large)["one"].inline is None


def test_words_said_on_the_way_are_numbered_events_of_the_task(slot: TrialSlot) -> None:
    claim = submitted(slot, ASK, one={"say": ["Once", " upon"]})
    slot.run(claim, tool=ASK)
    with transaction() as session:
        told = [
            (event.seq, event.data["text"]) for event in events.after(session, claim.task_id, 0) if event.kind == "text"
        ]
    assert [text for _seq, text in told] == ["Once", " upon"]
    assert proven()


def test_a_bug_in_a_waiting_agent_is_a_verdict(slot: TrialSlot) -> None:
    claim = submitted(slot, ASK, one={"fail": "bug"})
    with pytest.raises(AgensiumError) as failure:
        slot.run(claim, tool=ASK)
    assert failure.value.verdict.error_code == "INTERNAL_ERROR"


def test_a_waiting_agent_is_stopped_by_a_cancel_and_by_the_time_limit(slot: TrialSlot) -> None:
    stop = StopSignal(drain_seconds=0.5)
    threading.Timer(0.3, stop.stop, [StopReason.CANCELLED]).start()
    began = monotonic()
    with pytest.raises(ClaimLost):
        slot.run(submitted(slot, ASK, one={"seconds": 30}), tool=ASK, stop=stop)
    with pytest.raises(TimeLimit):
        slot.run(
            submitted(slot, ASK, one={"seconds": 30}),
            tool=ASK, settings=Settings(_env_file=None, time_limit_seconds=0.3),
        )  # fmt: skip
    assert monotonic() - began < 20


def test_steps_come_after_those_they_name_and_see_what_those_left(slot: TrialSlot) -> None:
    claim = submitted(
        slot, GRAPH, graph={"steps": {"last": {}, "left": {}, "right": {}}, "after": {"last": ["left", "right"]}}
    )
    report = slot.run(claim, tool=GRAPH)
    assert (report.outcome, report.agents_delivered) == ("success", 3)
    assert set(steps(claim)["last"].inline["result"]["data"]["seen"]) >= {"left", "right"}  # type: ignore[index]
    assert proven()


def test_ready_steps_run_together(slot: TrialSlot) -> None:
    names = [f"step{number}" for number in range(10)]
    began = monotonic()
    slot.run(submitted(slot, GRAPH, graph={"steps": {name: {"seconds": 1.0} for name in names}}), tool=GRAPH)
    assert monotonic() - began < 8


def test_what_depends_on_a_failed_step_is_skipped_with_the_reason_and_others_go_on(slot: TrialSlot) -> None:
    claim = submitted(
        slot, GRAPH,
        graph={
            "steps": {"bad": {"fail": "user"}, "then": {}, "last": {}, "other": {}},
            "after": {"then": ["bad"], "last": ["then"]},
        },
    )  # fmt: skip
    assert slot.run(claim, tool=GRAPH).outcome == "partial"
    told = {name: (row.status, row.error_code) for name, row in steps(claim).items()}
    assert told == {
        "bad": ("FAILED", "BAD_REQUEST"),
        "then": ("SKIPPED", "DEPENDENCY_FAILED"),
        "last": ("SKIPPED", "DEPENDENCY_FAILED"),
        "other": ("DELIVERED", None),
    }
    assert "'bad'" in (steps(claim)["then"].error_message or "")
    assert builders.story(claim.task_id).count("step_skipped") == 2
    assert proven()


def test_a_hiccup_of_one_step_hands_the_task_back_when_the_others_have_ended_and_asks_none_of_them_again(
    slot: TrialSlot,
) -> None:
    asked = {"steps": {"away": {"fail": "away"}, "slow": {"seconds": 0.5}, "then": {}}, "after": {"then": ["slow"]}}
    claim = submitted(slot, GRAPH, graph=asked)
    with pytest.raises(ModelUnavailable):
        slot.run(claim, tool=GRAPH)
    assert set(steps(claim)) == {"slow", "then"}
    with pytest.raises(ModelUnavailable):
        slot.run(slot.again(claim), tool=GRAPH)
    assert SEEN == {"away": 2, "slow": 1, "then": 1}


def test_a_hiccup_that_outlasts_every_try_fails_its_step_alone(slot: TrialSlot) -> None:
    claim = submitted(slot, GRAPH, graph={"steps": {"away": {"fail": "away"}, "fine": {}}})
    spent = builders.change(claim.task_id, status="QUEUED", admitted_at=CLOCK, hiccups=8)
    assert slot.run(builders.claim(spent), tool=GRAPH).outcome == "partial"
    assert steps(claim)["away"].error_code == "MODEL_UNAVAILABLE"


def test_a_bug_in_one_step_is_that_steps_own(slot: TrialSlot) -> None:
    claim = submitted(slot, GRAPH, graph={"steps": {"wrong": {"fail": "bug"}, "fine": {}}})
    assert slot.run(claim, tool=GRAPH).outcome == "partial"
    assert steps(claim)["wrong"].error_code == "INTERNAL_ERROR"


def test_a_drain_stops_steps_that_run_side_by_side(slot: TrialSlot) -> None:
    stop = StopSignal(drain_seconds=0.2)
    claim = submitted(slot, GRAPH, graph={"steps": {"one": {"seconds": 30}, "two": {"seconds": 30}}})
    threading.Timer(0.3, stop.stop, [StopReason.DRAIN]).start()
    with pytest.raises(HandBack):
        slot.run(claim, tool=GRAPH, stop=stop)
    assert not asyncio.all_tasks(slot.runner.get_loop())


def test_a_drain_begins_nothing_new_and_lets_what_runs_side_by_side_come_to_its_end(slot: TrialSlot) -> None:
    stop = StopSignal(drain_seconds=30)
    asked = {"steps": {"quick": {"seconds": 0.6}, "slow": {"seconds": 1.2}, "then": {}}, "after": {"then": ["quick"]}}
    claim = submitted(slot, GRAPH, graph=asked)
    threading.Timer(0.2, stop.stop, [StopReason.DRAIN]).start()
    with pytest.raises(HandBack):
        slot.run(claim, tool=GRAPH, stop=stop)
    assert set(steps(claim)) == {"quick", "slow"}


def fan_out(slot: TrialSlot, claim: Claim) -> None:
    with pytest.raises(Waiting):
        slot.run(claim, tool=BATCH)


def test_a_batch_works_through_its_children_and_collects_in_order(slot: TrialSlot) -> None:
    claim = submitted(slot, BATCH)
    fan_out(slot, claim)
    row = builders.read(claim.task_id)
    assert (row.status, row.open_children, row.items, row.progress) == (TaskStatus.WAITING, 3, 6, 0)
    for child in reversed(children_of(claim)):
        slot.run(child, tool=BATCH)
    row = builders.read(claim.task_id)
    assert (row.status, row.items_ok, row.items_failed, row.progress) == (TaskStatus.QUEUED, 6, 0, 99)
    assert slot.run(builders.claim(row), tool=BATCH).outcome == "success"
    assert steps(claim)["collect"].inline["result"]["data"]["ok"] == [0, 1, 2, 3, 4, 5]  # type: ignore[index]
    assert SEEN["plan"] == 1
    assert ledger_of(claim) == [("work", "CAPTURE", 1), ("work", "HOLD", 9), ("work", "RELEASE", 8)]
    assert proven()


def test_a_child_that_is_run_again_asks_nothing_that_is_written_down(slot: TrialSlot) -> None:
    claim = submitted(slot, BATCH, plan={"items": 2})
    fan_out(slot, claim)
    (child,) = children_of(claim)
    slot.run(child, tool=BATCH)
    assert SEEN["item 0"] == SEEN["item 1"] == 1
    with transaction() as session:
        assert items.done(session, claim.task_id, range(2)) == {0, 1}


def test_a_failed_item_fails_neither_its_child_nor_the_others_and_is_not_paid_for(slot: TrialSlot) -> None:
    claim = submitted(slot, BATCH, plan={"bad": [1]})
    fan_out(slot, claim)
    for child in children_of(claim):
        slot.run(child, tool=BATCH)
    assert slot.run(builders.claim(builders.read(claim.task_id)), tool=BATCH).outcome == "partial"
    row = builders.read(claim.task_id)
    assert (row.items_ok, row.items_failed, row.outcome) == (5, 1, "partial")
    assert proven()


def test_a_cancelled_batch_pays_for_the_items_that_went_well(slot: TrialSlot) -> None:
    claim = submitted(slot, BATCH)
    fan_out(slot, claim)
    first, second, _third = children_of(claim)
    slot.run(first, tool=BATCH)
    with transaction() as session:
        task_store.cancel(session, claim.task_id, claim.user_id)
    with pytest.raises(ClaimLost):
        slot.run(second, tool=BATCH)
    assert ledger_of(claim) == [("work", "CAPTURE", 1), ("work", "HOLD", 9), ("work", "RELEASE", 8)]
    assert builders.read(claim.task_id).items_ok == 2
    assert proven()


def test_a_gate_that_went_well_lets_the_next_wave_begin(slot: TrialSlot) -> None:
    claim = submitted(slot, BATCH, plan={"gate": True})
    fan_out(slot, claim)
    (gate,) = children_of(claim)
    slot.run(gate, tool=BATCH)
    fan_out(slot, builders.claim(builders.read(claim.task_id)))
    assert [child.first_item for child in children_of(claim)] == [2, 4]
    assert SEEN["plan"] == 1


def test_behind_a_gate_that_failed_nothing_begins_and_what_is_there_is_collected(slot: TrialSlot) -> None:
    claim = submitted(slot, BATCH, plan={"gate": True, "bad": [0]})
    fan_out(slot, claim)
    (gate,) = children_of(claim)
    slot.run(gate, tool=BATCH)
    assert slot.run(builders.claim(builders.read(claim.task_id)), tool=BATCH).outcome == "partial"
    assert not children_of(claim)
    assert proven()
