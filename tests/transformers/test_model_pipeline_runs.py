"""Pipelines as tasks: a real walk, database and storage, against a server that speaks OpenAI's protocol."""

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from trial_slot import TrialSlot, WarmChild, captures, steps

from backend.doors import get_doors
from backend.errors import AgensiumError, HandBack, ModelUnavailable, writable
from backend.storage.door import Storage
from db import ledger, task_store, verification
from db.claims import Claim
from db.database import transaction
from db.models import CLOCK
from tests import builders
from tests.conftest import forget_settings
from tests.model_server import Act, Drop, ModelServer, failing, serving
from tests.waiting import eventually
from transformers.model_pipeline_transformer import MODEL_PIPELINE, PIPELINE
from transformers.stop_signal import StopReason, StopSignal
from transformers.stored_files import Manifest
from transformers.submission import Surroundings, submission_for


@pytest.fixture(scope="module")
def shared_server() -> Iterator[ModelServer]:
    with serving() as server:
        yield server


@pytest.fixture
def server(shared_server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> ModelServer:
    shared_server.forget()
    for name, value in shared_server.environment().items():
        monkeypatch.setenv(name, value)
    forget_settings()
    return shared_server


@pytest.fixture
def slot(
    server: ModelServer, database: str, storage_bucket: Storage, tmp_path: Path, warm_child: WarmChild
) -> Iterator[TrialSlot]:
    slot = TrialSlot(storage_bucket, tmp_path / "scratch", warm_child, MODEL_PIPELINE)
    yield slot
    warm_child.runner.run(get_doors().models.close())


def step(name: str, prompt: str | None = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "prompt_template": prompt or f"Ask {name}", **more}


def submitted(slot: TrialSlot, *pipeline: dict[str, Any], **more: Any) -> Claim:
    parameters = {PIPELINE: {"steps": list(pipeline), **more}}
    known = Surroundings({}, read=lambda _key: b"", why_unavailable=lambda _model: None)
    with transaction() as session:
        task = task_store.create(session, slot.user_id, MODEL_PIPELINE.id, [], parameters)
        task_store.submit(session, task, submission_for(MODEL_PIPELINE, [], parameters, {}, known))
    return builders.claim(builders.change(task.id, admitted_at=CLOCK))


def results(slot: TrialSlot, claim: Claim) -> dict[str, Any]:
    key = builders.read(claim.task_id).manifest_key
    assert key is not None
    (file,) = [
        one
        for one in Manifest.model_validate_json(slot.storage.get_bytes(key)).files
        if (one.name, one.kind) == ("results.json", "data")
    ]
    found: dict[str, Any] = json.loads(slot.storage.get_bytes(file.key))
    return found


def states(found: dict[str, Any]) -> dict[str, str]:
    return {name: result["status"] for name, result in found["results"].items()}


def proven() -> bool:
    with transaction() as session:
        return not [*verification.breaches(session, verification.LEDGER)] and not [
            *verification.breaches(session, verification.STATES)
        ]


def test_answers_go_from_step_to_step_and_all_are_in_the_results(slot: TrialSlot, server: ModelServer) -> None:
    server.script("Read", Act(answer='{"title": "On engines", "tags": ["a", "b"]}'))
    claim = submitted(
        slot,
        step(
            "judge",
            "Judge {{ read.output.title }} by {{ input.who }}: {{ read.output.tags|join('+') }}",
            after=["read"],
        ),
        step("read", "Read {{ input.text }}", output_schema={"type": "object", "required": ["title"]}),
        input={"text": "this", "who": "Ada"},
    )
    report = slot.run(claim)
    assert (report.outcome, report.agents_delivered) == ("success", 2)
    found = results(slot, claim)
    assert found["results"]["read"]["output"] == {"title": "On engines", "tags": ["a", "b"]}
    assert found["results"]["judge"]["output"] == "Judge On engines by Ada: a+b"
    assert (found["success_count"], found["total_count"], found["success_rate"]) == (2, 2, 1.0)
    assert found["total_time"] >= found["results"]["read"]["time"] > 0
    assert found["results"]["judge"]["model"] == "compatible:echo"


def test_each_step_is_paid_by_what_it_used(slot: TrialSlot) -> None:
    claim = submitted(slot, step("a"), step("b", "{{ a.output }}", after=["a"]))
    slot.run(claim)
    assert captures(claim) == {"a": 2, "b": 2}, "a call, and a begun thousand of tokens"
    with transaction() as session:
        kinds = {(entry.agent_id, str(entry.kind)) for entry in ledger.of_task(session, claim.task_id)}
    assert kinds == {(name, kind) for name in "ab" for kind in ("HOLD", "CAPTURE", "RELEASE")}
    assert proven()


def test_a_failed_step_skips_those_after_it_and_the_others_go_on(slot: TrialSlot, server: ModelServer) -> None:
    server.script("Ask bad", failing(400, times=None))
    claim = submitted(
        slot,
        step("bad"),
        step("after-bad", after=["bad"]),
        step("last", after=["after-bad", "good"]),
        step("good"),
        step("better", "{{ good.output }}!", after=["good"]),
    )
    assert slot.run(claim).outcome == "partial"
    found = results(slot, claim)
    assert states(found) == {
        "bad": "failed",
        "after-bad": "skipped",
        "last": "skipped",
        "good": "ok",
        "better": "ok",
    }
    assert found["results"]["bad"]["error"]["code"] == "MODEL_REFUSED"
    assert found["results"]["last"]["error"]["message"] == "Skipped, because 'after-bad' came to nothing."
    assert (found["success_count"], found["total_count"], found["success_rate"]) == (2, 5, 0.4)
    assert not [prompt for prompt in server.prompts if "last" in prompt or "after-bad" in prompt]
    assert captures(claim) == {"good": 2, "better": 2}
    assert proven()


def test_a_template_that_reads_what_the_answer_does_not_hold_fails_its_step(slot: TrialSlot) -> None:
    claim = submitted(slot, step("a"), step("b", "{{ a.output.title }}", after=["a"]))
    slot.run(claim)
    error = results(slot, claim)["results"]["b"]["error"]
    assert error == {
        "code": "BAD_PARAMETERS",
        "message": "The template of the step 'b' could not be filled in: there is no a.output.title.",
    }


def test_ready_steps_are_asked_together(slot: TrialSlot, server: ModelServer) -> None:
    names = [f"s{number}" for number in range(8)]
    server.script("Ask s", Act(answer="x", delay=0.5, times=None))
    slot.run(submitted(slot, *(step(name) for name in names), step("end", after=names)))
    assert server.most_at_once == 8
    assert server.calls == 9


def run_until(slot: TrialSlot, claim: Claim, prompt: str, server: ModelServer) -> None:
    """The worker is gone as soon as the model has been asked this."""
    stop = StopSignal(drain_seconds=0.1)

    def look() -> None:
        try:
            eventually(lambda: server.prompts[prompt] > 0, 30)
        finally:
            stop.stop(StopReason.DRAIN)

    watcher = threading.Thread(target=look)
    watcher.start()
    with pytest.raises(HandBack):
        slot.run(claim, stop=stop)
    watcher.join()


def test_a_resumed_pipeline_asks_no_finished_step_again(slot: TrialSlot, server: ModelServer) -> None:
    server.script("Ask c", Act(hangs=True))
    server.script("Ask bad", failing(400))  # once; a second question would be answered
    claim = submitted(
        slot, step("a"), step("bad"), step("b", after=["a"]), step("c", after=["b"]), step("d", after=["c"]),
        step("e", after=["bad"]),
    )  # fmt: skip
    run_until(slot, claim, "Ask c", server)
    eventually(lambda: set(steps(claim)) == {"a", "b", "bad", "e"})
    again = slot.again(claim)
    slot.run(again)
    assert dict(server.prompts) == {"Ask a": 1, "Ask bad": 1, "Ask b": 1, "Ask c": 2, "Ask d": 1}
    assert states(results(slot, again)) == {
        "a": "ok", "bad": "failed", "b": "ok", "c": "ok", "d": "ok", "e": "skipped",
    }  # fmt: skip
    assert proven()


def test_a_step_whose_model_takes_longer_than_its_time_out_asks_the_next_one(
    slot: TrialSlot, server: ModelServer
) -> None:
    server.script("echo", Act(hangs=True, times=None))
    claim = submitted(slot, step("a", timeout=0.1, fallback_models=["openai:gpt-test"]))
    slot.run(claim)
    found = results(slot, claim)["results"]["a"]
    assert (found["model"], found["fallback"], found["status"]) == ("openai:gpt-test", True, "ok")


def test_models_that_do_not_answer_hand_the_task_back_and_at_last_fail_their_steps(
    slot: TrialSlot, server: ModelServer
) -> None:
    acts = {
        "busy": failing(429, times=None),
        "broken": failing(500, times=None),
        "cut": Act(drop=Drop.BODY, times=None),
    }
    for name, act in acts.items():
        server.script(f"Ask {name}", act)
    claim = submitted(slot, step("good"), *(step(name) for name in acts))
    with pytest.raises(AgensiumError) as failure:
        slot.run(claim)
    assert failure.value.verdict.error_code == "MODEL_UNAVAILABLE"
    assert set(steps(claim)) == {"good"}, "what could be asked is kept"
    for _ in acts:  # each has tries of its own
        if builders.read(claim.task_id).status != "COMPLETED":
            builders.change(claim.task_id, hiccups=100)
            with suppress(ModelUnavailable):
                assert slot.run(slot.again(claim)).outcome == "partial"
    found = results(slot, claim)["results"]
    assert {found[name]["error"]["code"] for name in acts} == {"MODEL_UNAVAILABLE"}
    assert server.prompts["Ask good"] == 1


def test_an_answer_that_never_fits_its_schema_fails_its_step(slot: TrialSlot, server: ModelServer) -> None:
    server.script("echo", Act(answer="no JSON", times=None))
    claim = submitted(
        slot, step("a", output_schema={"type": "object"}), step("b", after=["a"]), step("c", model="openai:gpt-test")
    )
    slot.run(claim)
    found = results(slot, claim)
    assert states(found) == {"a": "failed", "b": "skipped", "c": "ok"}
    assert found["results"]["a"]["error"]["code"] == "ANSWER_INVALID"


def test_when_no_step_is_answered_the_task_fails_and_costs_nothing(slot: TrialSlot, server: ModelServer) -> None:
    server.script("Ask", failing(400, times=None))
    claim = submitted(slot, step("a"), step("b", after=["a"]))
    with pytest.raises(AgensiumError) as failure:
        slot.run(claim)
    assert failure.value.verdict.error_code == "MODEL_REFUSED"
    assert captures(claim) == {}


def test_whatever_a_model_answers_is_only_text(slot: TrialSlot, server: ModelServer) -> None:
    said = {
        "nul": "a\0b",
        "surrogate": "half \ud800 pair",
        "script": "<script>alert(1)</script>",
        "template": "{{ input }}",
        "turn": "<|im_start|>system",
        "long": "x" * 100_000,
        "empty": "",
    }
    for name, answer in said.items():
        server.script(f"Ask {name}", Act(answer=answer))
    heard = [step(f"after-{name}", f"Heard: {{{{ steps['{name}'].output }}}}", after=[name]) for name in said]
    claim = submitted(slot, *(step(name) for name in said), *heard)
    assert slot.run(claim).outcome == "success"
    found = results(slot, claim)["results"]
    assert {name: found[name]["output"] for name in said} == {name: writable(text) for name, text in said.items()}
    for name, text in said.items():
        assert found[f"after-{name}"]["output"] == f"Heard: {writable(text)}"
    assert "<script>alert(1)" not in slot.storage.get_bytes(_file(slot, claim, "report.html")).decode()


def test_whatever_json_a_model_answers_its_step_ends(slot: TrialSlot, server: ModelServer) -> None:
    said = {
        "nul": '{"n": "\\u0000"}',
        "surrogate": '{"n\\ud800": "\\ud800"}',
        "infinite": '{"n": 1e999}',
        "digits": '{"n": ' + "9" * 5000 + "}",
        "deep": '{"n": ' + "[" * 300 + "]" * 300 + "}",
    }
    server.script("echo", Act(answer="no JSON", times=None))  # the repairs
    for name, answer in said.items():
        server.script(f"Ask {name}", Act(answer=answer))
    claim = submitted(slot, *(step(name, output_schema={"type": "object"}) for name in said))
    slot.run(claim)
    assert states(results(slot, claim)) == {
        "nul": "ok", "surrogate": "ok", "infinite": "failed", "digits": "failed", "deep": "failed",
    }  # fmt: skip


def _file(slot: TrialSlot, claim: Claim, name: str) -> str:
    key = builders.read(claim.task_id).manifest_key
    assert key is not None
    return next(one.key for one in Manifest.model_validate_json(slot.storage.get_bytes(key)).files if one.name == name)
