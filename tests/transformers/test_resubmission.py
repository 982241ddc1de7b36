"""What a retry begins with, and that a worker builds on what was taken over: real storage, a real child."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from trial_slot import PRICES, TrialSlot, WarmChild, captures, steps

from backend.errors import AgentFailed, InvalidTaskState, ResultsExpired, UnknownAgent, UnsupportedFormat
from backend.settings import get_settings
from backend.storage.door import Storage
from db import checkpoints, endings, retries
from db.claims import Claim
from db.database import transaction
from db.endings import Ending
from db.models import CLOCK
from db.retention import Kept
from db.retries import Resubmission
from db.verification import LEDGER, STATES, breaches
from tests import builders
from tests.probe_tools import PROBE
from transformers import catalog
from transformers.agents import unified_profiler
from transformers.resubmission import resubmission_for
from transformers.routing import transformer
from transformers.tool import Step


@pytest.fixture
def workshop(
    database: str,
    storage_bucket: Storage,
    tmp_path: Path,
    warm_child: WarmChild,
    monkeypatch: pytest.MonkeyPatch,
) -> TrialSlot:
    offer(monkeypatch, PROBE)
    return TrialSlot(storage_bucket, tmp_path / "scratch", warm_child)


def offer(monkeypatch: pytest.MonkeyPatch, tool: Any) -> None:
    """The catalogue has this tool alone."""
    monkeypatch.setattr(catalog, "TRANSFORMERS", (transformer(tool),))
    catalog.transformers.cache_clear()


def failed(workshop: TrialSlot, **parameters: Any) -> Claim:
    """The first agent delivered, the second found the customer's data at fault."""
    claim = workshop.claim(second={"act": "blame"}, **parameters)
    with pytest.raises(AgentFailed) as failure:
        workshop.run(claim)
    settle(claim, Ending(verdict=failure.value.verdict))
    return claim


def settle(claim: Claim, ending: Ending) -> None:
    with transaction() as session:
        endings.settle(session, claim, ending)


def asked(workshop: TrialSlot, claim: Claim) -> Resubmission:
    return resubmission_for(workshop.storage, builders.read(claim.task_id), steps(claim))


def retried(workshop: TrialSlot, claim: Claim, **changed: Any) -> Claim:
    """The retry, claimed."""
    wanted = asked(workshop, claim)
    with transaction() as session:
        task = retries.create(session, claim.user_id, wanted, Kept.by(get_settings()))
    return builders.claim(builders.change(task.id, admitted_at=CLOCK, **changed))


def test_a_retry_pays_for_what_was_not_delivered_and_begins_there(workshop: TrialSlot) -> None:
    claim = failed(workshop)
    wanted = asked(workshop, claim)
    assert list(wanted.taken_over) == ["first"]
    assert wanted.submission.prices == {**PRICES, "first": 0}
    assert wanted.credits_to_hold == 50
    assert wanted.progress == 33.0
    assert wanted.submission.inputs == builders.read(claim.task_id).inputs


def test_a_worker_builds_on_the_steps_that_were_taken_over(workshop: TrialSlot) -> None:
    old = failed(workshop)
    new = retried(workshop, old, parameters={})  # as if the world had been mended
    workshop.progress.clear()
    told = workshop.run(new)
    assert (told.outcome, told.agents_delivered) == ("success", 3)
    assert min(workshop.progress) >= 33.0, "progress begins with what is done"
    delivered = steps(new)
    assert {agent: step.epoch for agent, step in delivered.items()} == {"first": 0, "second": 1, "third": 1}
    assert delivered["first"].inline is not None
    assert delivered["first"].inline == steps(old)["first"].inline
    assert captures(new) == {"second": 20, "third": 30}
    task = builders.read(new.task_id)
    assert task.manifest_key is not None
    published = task.manifest_key.replace("manifest.json", "report.json")
    report = json.loads(workshop.storage.get_bytes(published))
    assert set(report["report"]["agent_results"]) >= set(PRICES), "also what the old task delivered"
    with transaction() as session:
        assert [*breaches(session, LEDGER), *breaches(session, STATES)] == []


def test_a_changed_agent_is_run_again_for_nothing(workshop: TrialSlot) -> None:
    new = retried(workshop, failed(workshop), parameters={})
    with transaction() as session:
        checkpoints.of_task(session, new.task_id)["first"].fingerprint = "of an earlier version"
    workshop.run(new)
    assert steps(new)["first"].epoch == 1
    assert captures(new) == {"second": 20, "third": 30}


def test_of_a_task_that_completed_in_part_the_failed_agents_run_again(workshop: TrialSlot) -> None:
    claim = workshop.claim(third={"act": "blame"})
    workshop.run(claim)
    assert builders.read(claim.task_id).outcome == "partial"
    new = retried(workshop, claim, parameters={})
    workshop.run(new)
    assert (builders.read(new.task_id).outcome, captures(new)) == ("success", {"third": 30})


def test_what_succeeded_is_not_repeated(workshop: TrialSlot) -> None:
    claim = workshop.claim()
    with pytest.raises(InvalidTaskState):
        asked(workshop, claim)
    workshop.run(claim)
    with pytest.raises(InvalidTaskState):
        asked(workshop, claim)


def test_a_file_that_is_gone_or_another_one_is_named(workshop: TrialSlot) -> None:
    claim = failed(workshop)
    key = claim.inputs["primary"][0]["key"]
    workshop.storage.put_bytes(key, b"name,age\nEve,1\n", "text/csv")
    with pytest.raises(ResultsExpired, match=r"'people.csv' was replaced"):
        asked(workshop, claim)
    workshop.storage.delete([key])
    with pytest.raises(ResultsExpired, match=r"'people.csv' is no longer kept"):
        asked(workshop, claim)


def test_todays_catalogue_has_the_last_word(workshop: TrialSlot, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = failed(workshop)
    offer(monkeypatch, replace(PROBE, steps=(Step(unified_profiler.AGENT, price=1),)))
    with pytest.raises(UnknownAgent):
        asked(workshop, claim)
    offer(monkeypatch, replace(PROBE, roles=(replace(PROBE.roles[0], formats=("xlsx",)),)))
    with pytest.raises(UnsupportedFormat):
        asked(workshop, claim)
