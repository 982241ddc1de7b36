"""Real processes and a scripted model: a batch is answered whole and in order, whatever is done to its workers."""

import json
import math
import signal
from collections.abc import Sequence
from typing import Any

import httpx
import psutil
import psycopg
import pytest

from db.database import libpq_url
from tests.acceptance.house import House
from tests.model_server import Act, ModelServer, failing
from tests.waiting import eventually

WORKERS = 2


@pytest.fixture
def house(models_house: House) -> House:
    return models_house


def submit(house: House, words: Sequence[str], ids: Sequence[str] = (), **generate: Any) -> str:
    """A batch with an item for each of the words; its id."""
    names = ids or [f"id-{n}" for n in range(len(words))]
    items = [{"custom_id": name, "user_message": word} for name, word in zip(names, words, strict=True)]
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


def journal(house: House, task_id: str) -> dict[str, int]:
    """What is written down by now: each item that went well, and its tokens."""
    with psycopg.connect(libpq_url(house.database_url)) as connection:
        rows = connection.execute(
            "SELECT answer ->> 'content', tokens FROM task_items WHERE task_id = %s AND error_code IS NULL", [task_id]
        )
        return dict(rows.fetchall())


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


def test_a_killed_worker_costs_no_answer_that_was_written_down(house: House, models: ModelServer) -> None:
    models.delay = 0.05
    words = [f"say {n}" for n in range(400)]
    task_id = submit(house, words)
    eventually(lambda: len(journal(house, task_id)) >= 60, 20)
    house.worker.kill()
    written, asked = journal(house, task_id), models.calls
    assert asked < 400, "the worker was killed in the middle"
    task = house.ended(task_id)
    assert (task["status"], task["outcome"]) == ("COMPLETED", "success"), task
    assert [line["content"] for line in answers(house, task_id)] == words
    assert {word: models.prompts[word] for word in written} == dict.fromkeys(written, 1)
    # Lost were the ten calls under way, and what had been answered in the last tenth of a second or two.
    assert 400 <= models.calls <= 400 + 10 + 60
    tokens = sum(journal(house, task_id).values())
    assert house.entries(task_id)["CAPTURE", "generate"] == math.ceil(tokens / 1000)


def test_a_drained_worker_writes_down_what_it_knows_and_hands_back_the_rest(house: House, models: ModelServer) -> None:
    models.delay = 0.2
    words = [f"say {n}" for n in range(400)]
    task_id = submit(house, words)
    eventually(lambda: len(journal(house, task_id)) >= 30, 20)
    worker = house.worker
    psutil.Process(worker.pid).send_signal(signal.SIGTERM)
    assert worker.ends_within(10)
    task = house.ended(task_id)
    assert (task["status"], task["outcome"]) == ("COMPLETED", "success"), task
    assert [line["content"] for line in answers(house, task_id)] == words
    assert models.calls <= 400 + 10, "only what was under way is asked again"


def test_a_cancelled_batch_asks_no_more_and_pays_what_was_answered(house: House, models: ModelServer) -> None:
    models.delay = 0.05
    task_id = submit(house, [f"say {n} and more" for n in range(2000)])
    eventually(lambda: len(journal(house, task_id)) >= 60, 20)
    house.post(f"/tasks/{task_id}/cancel", {})
    seen = [models.calls]

    def is_quiet() -> bool:
        seen.append(models.calls)
        return len(seen) > 30 and seen[-1] == seen[-30]

    eventually(is_quiet, 10)
    assert models.calls < 1000
    assert house.task(task_id)["status"] == "CANCELLED"
    kept = journal(house, task_id)
    assert all(models.prompts[word] == 1 for word in kept)
    entries = house.entries(task_id)
    assert entries["CAPTURE", "generate"] == math.ceil(sum(kept.values()) / 1000)
    assert entries["HOLD", "generate"] == entries["CAPTURE", "generate"] + entries["RELEASE", "generate"]


def test_a_retry_asks_only_what_failed_and_pays_only_for_it(house: House, models: ModelServer) -> None:
    words = [f"say {n}" for n in range(59)] + ["a bad one"]
    models.script("bad", failing(400, times=1))
    old = submit(house, words)
    task = house.ended(old)
    assert (task["status"], task["outcome"]) == ("COMPLETED", "partial"), task
    *good, bad = answers(house, old)
    assert all(line["ok"] for line in good)
    assert (bad["ok"], bad["error"]["code"], bad["content"]) == (False, "MODEL_REFUSED", None)
    new = house.post(f"/tasks/{old}/retry", {})["task_id"]
    again = house.ended(new)
    assert (again["status"], again["outcome"]) == ("COMPLETED", "success"), again
    assert [line["content"] for line in answers(house, new)] == words
    assert models.prompts == {**dict.fromkeys(words, 1), "a bad one": 2}
    assert house.entries(new)["HOLD", "generate"] < house.entries(old)["HOLD", "generate"]


def test_where_every_item_is_bad_the_batch_fails_and_costs_nothing(house: House, models: ModelServer) -> None:
    models.script("say", failing(400, times=None))
    task_id = submit(house, ["say 1", "say 2"])
    task = house.ended(task_id)
    assert (task["status"], task["error"]["error_code"]) == ("FAILED", "NO_ANSWERS"), task
    assert "2 times MODEL_REFUSED" in task["error"]["message"]
    assert ("CAPTURE", "generate") not in house.entries(task_id)


def test_a_provider_that_asks_for_patience_gets_it(house: House, models: ModelServer) -> None:
    words = [f"say {n}" for n in range(30)]
    models.script("say 1", failing(429, times=4, retry_after="1"))
    models.script("say 2", Act(status=503, times=2), Act(hangs=True))
    task_id = submit(house, words, timeout_seconds=1)
    task = house.ended(task_id)
    assert (task["status"], task["outcome"]) == ("COMPLETED", "success"), task
    assert [line["content"] for line in answers(house, task_id)] == words
    assert models.calls == 30 + 4 + 3


def test_what_is_no_batch_is_refused_before_anything_is_held(house: House) -> None:
    with pytest.raises(AssertionError, match="Items 1 and 2 have the same custom_id"):
        submit(house, ["a", "b"], ids=["one", "one"])


def test_an_answer_that_fits_no_schema_is_given_back_to_the_model_and_both_calls_are_paid(
    house: House, models: ModelServer
) -> None:
    models.script("echo", Act(answer="one"), Act(answer='{"count": 1}'))
    schema = {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]}
    parameters = {"generate": {"prompt": "Count.", "output_schema": schema}}
    task_id = house.post("/tasks", {"tool_id": "generate-text", "parameters": parameters})["task_id"]
    house.post(f"/tasks/{task_id}/process", {})
    task = house.ended(task_id)
    assert task["status"] == "COMPLETED", task
    data = house.get(f"/tasks/{task_id}/report")["report"]["agent_results"]["generate"]["data"]
    assert (data["parsed"], data["usage"]["calls"]) == ({"count": 1}, 2)
    assert house.entries(task_id)["CAPTURE", "generate"] == 3, "two calls, and less than a thousand tokens"


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


def test_partial_text_is_told_in_the_tasks_events(house: House) -> None:
    words = " ".join(f"word{n}" for n in range(200))
    parameters = {"generate": {"prompt": words, "stream": True}}
    task_id = house.post("/tasks", {"tool_id": "generate-text", "parameters": parameters})["task_id"]
    house.post(f"/tasks/{task_id}/process", {})
    assert house.ended(task_id)["status"] == "COMPLETED"
    with psycopg.connect(libpq_url(house.database_url)) as connection:
        rows = connection.execute(
            "SELECT data FROM task_events WHERE task_id = %s AND kind = 'text' ORDER BY seq", [task_id]
        ).fetchall()
    told = ""
    for (data,) in rows:
        told = told[: data["at"]] + data["text"]
    assert told == words
