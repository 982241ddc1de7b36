"""A chained tool: the table that one agent leaves is the next one's, also over a crash, also in another process."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from trial_slot import TABLE, TrialSlot, WarmChild, captures, steps

from backend.errors import AgensiumError
from backend.storage.door import Storage
from db.claims import Claim
from tests import builders
from tests.chain_tools import CHAIN
from transformers import artifacts
from transformers.findings import AgentResult
from transformers.stored_files import Manifest

PRICES = {step.id: step.price for step in CHAIN.steps}


@pytest.fixture
def slot(database: str, storage_bucket: Storage, tmp_path: Path, warm_child: WarmChild) -> TrialSlot:
    return TrialSlot(storage_bucket, tmp_path / "scratch", warm_child, CHAIN)


def found_by(slot: TrialSlot, claim: Claim, agent: str) -> AgentResult:
    artifact = artifacts.of_step(slot.storage, steps(claim)[agent])
    assert artifact is not None
    return artifact.result


def manifest_of(slot: TrialSlot, claim: Claim) -> Manifest:
    key = builders.read(claim.task_id).manifest_key
    assert key is not None
    return Manifest.model_validate_json(slot.storage.get_bytes(key))


WHOLE = {
    "columns": ["name", "age", "add", "mark"],
    "original": ["name", "age"],
    "source": TABLE.decode(),
    "earlier": [["add", ["add after ", "add after "]], ["mark", ["mark after add", "mark after add"]]],
    "forms": ["add", "mark", "tell"],
    "documents": {},
}


def test_each_agent_works_on_what_the_one_before_left(slot: TrialSlot) -> None:
    claim = slot.claim(prices=PRICES)
    slot.run(claim)
    assert found_by(slot, claim, "tell").summary_metrics == WHOLE
    assert captures(claim) == PRICES


def test_a_crash_in_the_middle_resumes_with_the_table_and_files_of_the_steps_before(slot: TrialSlot) -> None:
    claim = slot.claim(prices=PRICES, tell={"act": "crash"})
    with pytest.raises(AgensiumError):
        slot.run(claim)
    builders.change(claim.task_id, parameters={"tell": {"act": "crash_once", "marker": str(slot.scratch)}})
    slot.run(slot.again(claim))  # the marker is there, so it delivers
    assert found_by(slot, claim, "tell").summary_metrics == WHOLE


def test_a_step_whose_version_changed_is_run_again_and_so_are_all_after_it(slot: TrialSlot) -> None:
    claim = slot.claim(prices=PRICES)
    slot.run(claim)
    add, mark, tell = CHAIN.steps
    newer = replace(CHAIN, steps=(add, replace(mark, agent=replace(mark.agent, version=2)), tell))
    slot.run(slot.again(claim), tool=newer)
    assert {agent: step.epoch for agent, step in steps(claim).items()} == {"add": 1, "mark": 2, "tell": 2}
    assert captures(claim) == PRICES, "charged once, however often it ran"


def test_the_manifest_names_the_outputs_of_the_steps_where_they_lie(slot: TrialSlot) -> None:
    claim = slot.claim(prices=PRICES)
    slot.run(claim)
    files = {file.name: file for file in manifest_of(slot, claim).files}
    assert set(files) == {"add.txt", "mark.txt", "mark.parquet", "report.json", "report.html", "report.xlsx"}
    assert files["mark.parquet"].kind == "data", "nobody wrote a final file, so the last table is it"
    assert files["mark.txt"].kind == "note"
    assert slot.storage.get_bytes(files["mark.txt"].key) == b"mark after add"


def test_the_report_lists_them_with_size_and_digest_and_no_key(slot: TrialSlot) -> None:
    claim = slot.claim(prices=PRICES)
    slot.run(claim)
    [report] = [file for file in manifest_of(slot, claim).files if file.name == "report.json"]
    downloads = json.loads(slot.storage.get_bytes(report.key))["report"]["downloads"]
    [note] = [download for download in downloads if download["name"] == "mark.txt"]
    assert note == {
        "name": "mark.txt", "kind": "note", "media_type": "text/plain", "size_bytes": 14, "sha256": note["sha256"],
    }  # fmt: skip
    assert len(note["sha256"]) == 64


def test_a_failed_agent_stops_the_chain_and_what_was_delivered_is_there_and_paid(slot: TrialSlot) -> None:
    claim = slot.claim(prices=PRICES, mark={"act": "blame"})
    with pytest.raises(AgensiumError):
        slot.run(claim)
    assert captures(claim) == {"add": 10}
    left = artifacts.downloads(slot.storage, steps(claim)["add"])
    assert [file.name for file in left] == ["add.json", "add.parquet", "add.txt"]


def test_a_role_that_is_no_table_comes_to_the_agents_as_it_is(slot: TrialSlot) -> None:
    claim = slot.claim(prices=PRICES)
    document = slot.uploaded(claim.task_id, "schema", "contract.json", b'{"columns": []}')
    builders.change(claim.task_id, inputs={**claim.inputs, "schema": [document]})
    slot.run(slot.again(claim))
    assert found_by(slot, claim, "tell").summary_metrics["documents"] == {"schema": '{"columns": []}'}
