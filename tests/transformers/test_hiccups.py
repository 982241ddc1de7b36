"""What is counted against a step, and when it is over: a task that makes no headway comes to an end."""

from pathlib import Path
from typing import Any

import pytest
from trial_slot import TrialSlot, WarmChild, steps

from backend.errors import AgensiumError, ModelUnavailable
from backend.storage.door import Storage
from celery_queue import error_handlers
from celery_queue.error_handlers import Fate
from db import items, task_store
from db.claims import Claim
from db.database import transaction
from db.items import FinishedItem
from db.models import CLOCK, TaskStatus
from db.task_store import Submission
from tests import builders
from tests.waiting_tools import GRAPH, SEEN
from transformers.forms import chosen_steps, read_forms
from transformers.submission import held_for

SPENT = 8  # Settings.transient_retries


@pytest.fixture
def slot(database: str, storage_bucket: Storage, tmp_path: Path, warm_child: WarmChild) -> TrialSlot:
    SEEN.clear()
    return TrialSlot(storage_bucket, tmp_path / "scratch", warm_child)


def submitted(slot: TrialSlot, **graph: Any) -> Claim:
    forms = read_forms(GRAPH, {"graph": graph})
    chosen = chosen_steps(GRAPH, [], forms)
    prices = {step.id: held_for(step, forms, {}) for step in chosen}
    with transaction() as session:
        task = task_store.create(session, slot.user_id, GRAPH.id, [], {"graph": graph})
        task_store.submit(session, task, Submission([step.id for step in chosen], prices, {}, 1.0))
    return builders.claim(builders.change(task.id, admitted_at=CLOCK))


def handed_back(slot: TrialSlot, claim: Claim) -> None:
    with pytest.raises(ModelUnavailable) as failure:
        slot.run(claim, tool=GRAPH)
    assert error_handlers.answer(claim, failure.value).fate is Fate.RETRYING


def taken(claim: Claim, **columns: Any) -> Claim:
    due = {"status": TaskStatus.QUEUED, "admitted_at": CLOCK, "not_before": None}
    return builders.claim(builders.change(claim.task_id, **due | columns))


def test_a_step_that_is_skipped_is_written_down_once_and_does_not_let_the_others_try_for_ever(slot: TrialSlot) -> None:
    claim = submitted(
        slot, steps={"bad": {"fail": "user"}, "then": {}, "away": {"fail": "away"}}, after={"then": ["bad"]}
    )
    handed_back(slot, claim)
    handed_back(slot, taken(claim))
    assert builders.read(claim.task_id).hiccups == 2
    assert builders.story(claim.task_id).count("step_skipped") == 1


def test_a_task_whose_every_step_has_failed_is_not_tried_again(slot: TrialSlot) -> None:
    claim = taken(submitted(slot, steps={"away": {"fail": "away"}}), hiccups=SPENT)
    with pytest.raises(AgensiumError) as failure:
        slot.run(claim, tool=GRAPH)
    answer = error_handlers.answer(claim, failure.value)
    assert (answer.fate, answer.error_code) == (Fate.FAILED, "MODEL_UNAVAILABLE")


def test_a_step_that_comes_after_another_has_all_its_tries(slot: TrialSlot) -> None:
    asked = {"steps": {"first": {}, "away": {"fail": "away"}}, "after": {"away": ["first"]}}
    claim = taken(submitted(slot, **asked), hiccups=SPENT)
    handed_back(slot, claim)
    assert set(steps(claim)) == {"first"}


def finished(error_code: str | None) -> FinishedItem:
    answer = None if error_code else {"said": "yes"}
    return FinishedItem(0, "one", answer, error_code, error_code and "Why.", calls=1, tokens=1, millicredits=1)


def test_an_item_that_went_well_clears_what_is_counted_and_one_that_failed_does_not(database: str) -> None:
    for error_code, left in ((None, 0), ("AWAY", SPENT)):
        _parent, (child, _) = builders.waiting_parent()
        claim = builders.claimed_child(builders.change(child.id, hiccups=SPENT, items=1))
        with transaction() as session:
            items.record(session, claim, [finished(error_code)])
        assert builders.read(child.id).hiccups == left


def test_steps_that_run_together_have_their_last_try_together(slot: TrialSlot) -> None:
    asked = {"good": {}, "away": {"fail": "away", "seconds": 0.3}, "gone": {"fail": "away", "seconds": 0.6}}
    claim = taken(submitted(slot, steps=asked), hiccups=SPENT)
    assert slot.run(claim, tool=GRAPH).outcome == "partial"
    assert {row.error_code for row in steps(claim).values()} == {None, "MODEL_UNAVAILABLE"}
