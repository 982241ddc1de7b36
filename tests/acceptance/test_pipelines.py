"""Real processes and a scripted model: a pipeline over HTTP, refused, quoted, paid, killed in the middle, cancelled."""

import json
from typing import Any

import httpx
import pytest

from tests.acceptance.house import House
from tests.model_server import Act, ModelServer, failing
from tests.waiting import eventually

TOOL = "model-pipeline"


@pytest.fixture
def house(models_house: House) -> House:
    return models_house


def step(name: str, prompt: str | None = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "prompt_template": prompt or f"Ask {name}", **more}


def submit(house: House, *steps: dict[str, Any], **more: Any) -> str:
    body = {"tool_id": TOOL, "parameters": {"pipeline": {"steps": list(steps), **more}}}
    task_id: str = house.post("/tasks", body)["task_id"]
    house.post(f"/tasks/{task_id}/process", {})
    return task_id


def results(house: House, task_id: str) -> dict[str, Any]:
    outputs = {file["name"]: file for file in house.get(f"/tasks/{task_id}/outputs")["outputs"]}
    assert outputs["results.json"]["kind"] == "data"
    found: dict[str, Any] = httpx.get(outputs["results.json"]["url"]).json()
    return found


def test_the_steps_are_asked_in_their_order_and_paid_by_what_they_used(house: House, models: ModelServer) -> None:
    models.script("Read", Act(answer='{"title": "On engines"}'))
    task_id = submit(
        house,
        step("judge", "Judge {{ read.output.title }} for {{ input.who }}", after=["read"]),
        step("read", "Read {{ input.text }}", output_schema={"type": "object", "required": ["title"]}),
        input={"who": "Ada", "text": "<script>alert(1)</script>"},
    )
    task = house.ended(task_id)
    assert (task["status"], task["outcome"]) == ("COMPLETED", "success"), task
    found = results(house, task_id)
    assert found["results"]["judge"]["output"] == "Judge On engines for Ada"
    assert (found["success_count"], found["total_count"], found["success_rate"]) == (2, 2, 1.0)
    entries = house.entries(task_id)
    for name in ("read", "judge"):
        assert entries["CAPTURE", name] == 2, "a call, and a begun thousand of tokens"
        assert entries["HOLD", name] == entries["CAPTURE", name] + entries["RELEASE", name]
    report = house.get(f"/tasks/{task_id}/report")
    assert set(report["report"]["agent_results"]) == {"read", "judge"}


def test_the_input_can_be_uploaded_and_what_is_held_is_quoted(house: House) -> None:
    pipeline = {"pipeline": {"steps": [step("a", "Say {{ input.words }}")]}}
    task_id = house.post("/tasks", {"tool_id": TOOL, "parameters": pipeline})["task_id"]
    body = json.dumps({"words": "ä" * 5_000}).encode()
    files = {"input": {"filename": "input.json", "content_type": "application/json", "size": len(body)}}
    link = house.post(f"/tasks/{task_id}/upload-urls", {"files": files})["uploads"]["input"]
    httpx.post(link["url"], data=link["fields"], files={"file": ("input.json", body)}).raise_for_status()
    quote = house.post(f"/tasks/{task_id}/quote", {})
    house.post(f"/tasks/{task_id}/process", {})
    assert house.ended(task_id)["outcome"] == "success"
    assert results(house, task_id)["results"]["a"]["output"] == "Say " + "ä" * 5_000
    assert house.entries(task_id)["HOLD", "a"] == 13, "a call, 10,000 bytes that are read and 1,024 tokens of answer"
    assert (quote["credits"]["total"], quote["credits"]["at_most"]) == (13, True)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([step("a", after=["b"]), step("b", after=["a"])], "in a circle: a → b → a"),
        ([step("a", after=["b"])], "comes after 'b', and there is no such step"),
        ([step("a"), step("a")], "two steps are called 'a'"),
        ([step("a", "{{ ''.__class__.__mro__() }}")], "nothing can be called in a template"),
        ([step("a"), step("b", "{{ a.output }}")], "add 'a' to its `after`"),
    ],
)
def test_what_is_no_pipeline_is_refused(house: House, steps: list[dict[str, Any]], words: str) -> None:
    answer = house.request("POST", "/tasks", {"tool_id": TOOL, "parameters": {"pipeline": {"steps": steps}}})
    assert (answer.status_code, answer.json()["error_code"]) == (422, "BAD_PARAMETERS")
    assert words in answer.json()["detail"]


def test_a_pipeline_whose_worker_is_killed_asks_no_finished_step_again(house: House, models: ModelServer) -> None:
    models.script("Ask c", Act(hangs=True))
    models.script("Ask bad", failing(400))
    task_id = submit(
        house,
        step("a"),
        step("bad"),
        step("b", "{{ a.output }}, then b", after=["a"]),
        step("c", after=["b"]),
        step("d", "{{ c.output }}, then d", after=["c"]),
        step("never", after=["bad"]),
    )
    eventually(lambda: models.prompts["Ask c"] > 0, 30)
    house.wait(task_id, lambda task: {one["state"] for one in task["steps"]} >= {"delivered", "failed", "skipped"})
    house.worker.kill()
    house.start_worker()
    task = house.ended(task_id)
    assert (task["status"], task["outcome"]) == ("COMPLETED", "partial"), task
    assert dict(models.prompts) == {
        "Ask a": 1, "Ask bad": 1, "Ask a, then b": 1, "Ask c": 2, "Ask c, then d": 1,
    }  # fmt: skip
    found = results(house, task_id)
    assert {name: one["status"] for name, one in found["results"].items()} == {
        "a": "ok", "bad": "failed", "b": "ok", "c": "ok", "d": "ok", "never": "skipped",
    }  # fmt: skip
    captured = {agent for kind, agent in house.entries(task_id) if kind == "CAPTURE"}
    assert captured == {"a", "b", "c", "d"}


def test_a_cancelled_pipeline_pays_what_was_answered(house: House, models: ModelServer) -> None:
    models.script("Ask slow", Act(hangs=True, times=None))
    task_id = submit(house, step("quick"), step("slow", after=["quick"]), step("last", after=["slow"]))
    eventually(lambda: models.prompts["Ask slow"] > 0, 30)
    assert house.post(f"/tasks/{task_id}/cancel", {})["status"] == "CANCELLED"
    entries = house.entries(task_id)
    assert entries["CAPTURE", "quick"] == 2
    assert {agent for kind, agent in entries if kind == "RELEASE"} == {"quick", "slow", "last"}
    assert house.get(f"/tasks/{task_id}/report")["report"]["agent_results"]["quick"]["data"]["output"] == "Ask quick"


def test_a_retry_takes_over_what_was_answered(house: House, models: ModelServer) -> None:
    models.script("Ask bad", failing(400))
    task_id = submit(house, step("good"), step("bad"), step("last", "{{ bad.output }}!", after=["bad"]))
    first = house.ended(task_id)
    assert first["outcome"] == "partial", first
    retried = house.post(f"/tasks/{task_id}/retry", {})["task_id"]
    assert house.ended(retried)["outcome"] == "success"
    assert dict(models.prompts) == {"Ask good": 1, "Ask bad": 2, "Ask bad!": 1}
    assert results(house, retried)["results"]["last"]["output"] == "Ask bad!"
