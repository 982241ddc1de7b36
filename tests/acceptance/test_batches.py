"""Real processes and a scripted model: a batch is answered whole and in order, whatever is done to its workers."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import pytest

from backend.devstack import Stack
from tests.acceptance.house import House
from tests.model_server import Act, ModelServer, failing, serving

SOLO = "solo"


@pytest.fixture(scope="module")
def models() -> Iterator[ModelServer]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def deployment(stack: Stack, models: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Two workers of one slot each, ten calls at once."""
    settings = models.environment(MODEL_CALLS_AT_ONCE="10", MODEL_BREAKER_FAILURES="1000")
    house = House(stack, SOLO, tmp_path_factory.mktemp("batches"), more=settings)
    try:
        house.open(workers=2)
        yield house
        house.prove()
    finally:
        house.close()


@pytest.fixture
def house(deployment: House, models: ModelServer) -> House:
    """With two live workers, and models that echo at once."""
    models.forget()
    while len(deployment.workers) < 2:
        deployment.start_worker()
    return deployment


def submit(house: House, words: Sequence[str], **generate: Any) -> str:
    """A batch with an item for each of the words; its id."""
    items = [{"custom_id": f"id-{n}", "user_message": word} for n, word in enumerate(words)]
    body = "".join(json.dumps(item) + "\n" for item in items).encode()
    parameters = {"generate": generate, "split": {"chunk_size": 50}}
    task_id: str = house.post("/tasks", {"tool_id": "batch-inference", "parameters": parameters})["task_id"]
    files = {"items": {"filename": "items.jsonl", "content_type": "application/jsonl", "size": len(body)}}
    link = house.post(f"/tasks/{task_id}/upload-urls", {"files": files})["uploads"]["items"]
    httpx.post(link["url"], data=link["fields"], files={"file": ("items.jsonl", body)}).raise_for_status()
    house.post(f"/tasks/{task_id}/process", {})
    return task_id


def answers(house: House, task_id: str) -> list[dict[str, Any]]:
    outputs = {file["name"]: file for file in house.get(f"/tasks/{task_id}/outputs")["outputs"]}
    return [json.loads(line) for line in httpx.get(outputs["answers.jsonl"]["url"]).content.splitlines()]


def test_a_batch_is_answered_in_order_and_paid_by_its_tokens(house: House, models: ModelServer) -> None:
    words = [f"say {n}" for n in range(120)]
    task_id = submit(house, words)
    task = house.ended(task_id)
    assert (task["status"], task["outcome"]) == ("COMPLETED", "success"), task
    lines = answers(house, task_id)
    assert [(line["custom_id"], line["position"], line["ok"]) for line in lines] == [
        (f"id-{n}", n, True) for n in range(120)
    ]
    assert [line["content"] for line in lines] == words
    assert models.prompts == dict.fromkeys(words, 1)
    entries = house.entries(task_id)
    assert entries["CAPTURE", "generate"] == 1, "480 tokens"
    assert entries["HOLD", "generate"] == entries["CAPTURE", "generate"] + entries["RELEASE", "generate"]


def test_one_question_is_answered(house: House) -> None:
    task_id = house.post(
        "/tasks", {"tool_id": "generate-text", "parameters": {"generate": {"prompt": "Why is that?"}}}
    )["task_id"]
    house.post(f"/tasks/{task_id}/process", {})
    task = house.ended(task_id)
    assert task["status"] == "COMPLETED", task
    result = house.get(f"/tasks/{task_id}/report")["report"]["agent_results"]["generate"]
    assert result["data"]["content"] == "Why is that?"
    assert house.entries(task_id)["CAPTURE", "generate"] == 2, "a call, and six tokens"
