"""The model tools over HTTP, as far as the hall goes: available or not, quoted, submitted, priced by use."""

import json

import pytest
from hall_client import Customer, problem_of
from task_lives import claimed

from db import checkpoints
from db.checkpoints import Checkpoint
from db.database import transaction
from db.models import StepStatus

PROMPT = {"generate": {"prompt": "Why is the sky blue?", "max_tokens": 1000}}
QUESTIONS = b"".join(json.dumps({"user_message": f"Question {n}?"}).encode() + b"\n" for n in range(3))
STEPS = [
    {"name": "first", "prompt_template": "One"},
    {"name": "second", "prompt_template": "{{ first }}", "after": ["first"]},
]


def made(customer: Customer, tool_id: str, **asked: object) -> str:
    return customer.create(tool_id=tool_id, **asked)


def put(customer: Customer, task_id: str, name: str) -> None:
    path = f"/tasks/{task_id}/inputs/documents"
    answer = customer.send("PUT", path, params={"filename": name}, content=b"Words of it. " * 50)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("tool_id", "parameters"),
    [("generate-text", PROMPT), ("batch-inference", {}), ("model-pipeline", {"pipeline": {"steps": STEPS}})],
)
def test_without_a_model_no_task_is_made_of_them(customer: Customer, tool_id: str, parameters: object) -> None:
    answer = customer.post("/tasks", {"tool_id": tool_id, "parameters": parameters})

    problem = problem_of(answer, 409)
    assert problem["error_code"] == "TOOL_UNAVAILABLE"
    assert problem["detail"] == "No language model is set up: set MODELS and the key of its provider."


def test_without_a_model_everything_else_works(customer: Customer) -> None:
    assert customer.process(customer.ready()).status_code == 202
    task_id = made(customer, "ingest-documents")
    put(customer, task_id, "notes.txt")
    assert customer.process(task_id).status_code == 202


def test_a_model_that_is_not_offered_is_named(customer: Customer, models_set_up: None) -> None:
    asked = {"generate": {"prompt": "x", "model": "compatible:huge"}}

    problem = problem_of(customer.post("/tasks", {"tool_id": "generate-text", "parameters": asked}), 409)

    assert "'compatible:huge' is not offered here" in problem["detail"]
    assert "compatible:small" in problem["detail"]


def test_a_model_that_went_away_is_told_at_the_quote_and_the_submit(
    customer: Customer, models_set_up: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.conftest import forget_settings

    task_id = made(customer, "generate-text", parameters=PROMPT)
    monkeypatch.delenv("MODELS")
    forget_settings()

    for act in ("quote", "process"):
        assert problem_of(customer.post(f"/tasks/{task_id}/{act}"), 409)["error_code"] == "TOOL_UNAVAILABLE"


def test_a_task_without_files_is_quoted_and_submitted(customer: Customer, models_set_up: None) -> None:
    task_id = made(customer, "generate-text", parameters=PROMPT)

    quoted = customer.post(f"/tasks/{task_id}/quote").json()["credits"]
    assert customer.process(task_id).status_code == 202

    assert quoted["at_most"] is True
    task = customer.get(f"/tasks/{task_id}").json()
    assert task["credits"]["held"] == quoted["total"] > 1
    assert [(step["agent_id"], step["is_most"]) for step in task["steps"]] == [("generate", True)]


def test_a_prompt_that_is_not_there_is_refused_with_words(customer: Customer, models_set_up: None) -> None:
    task_id = made(customer, "generate-text")

    assert problem_of(customer.process(task_id), 422)["error_code"] == "BAD_PARAMETERS"


def test_a_batch_is_quoted_by_its_items(customer: Customer, models_set_up: None) -> None:
    task_id = made(customer, "batch-inference", parameters={"generate": {"max_tokens": 1000}})
    before = customer.post(f"/tasks/{task_id}/quote").json()
    customer.upload(task_id, "items", "items.jsonl", QUESTIONS)

    quote = customer.post(f"/tasks/{task_id}/quote").json()
    assert customer.process(task_id).status_code == 202

    assert list(before["missing"]) == ["items"]
    assert quote["credits"]["by_agent"].keys() == {"split", "generate", "collect"}
    assert quote["credits"]["at_most"] is True
    task = customer.get(f"/tasks/{task_id}").json()
    assert task["credits"]["held"] == quote["credits"]["total"] >= 3
    assert {step["agent_id"]: step["state"] for step in task["steps"]} == dict.fromkeys(
        ("split", "generate", "collect"), "pending"
    )


def test_an_item_that_is_none_is_refused_at_the_submit(customer: Customer, models_set_up: None) -> None:
    task_id = made(customer, "batch-inference")
    customer.upload(task_id, "items", "items.jsonl", QUESTIONS + b'{"user_message": 7}\n')

    assert problem_of(customer.process(task_id), 422)["error_code"] == "UNREADABLE_FILE"


def test_a_pipeline_shows_its_own_steps_after_the_submit(customer: Customer, models_set_up: None) -> None:
    task_id = made(customer, "model-pipeline", parameters={"pipeline": {"steps": STEPS}})
    assert customer.process(task_id).status_code == 202

    steps = customer.get(f"/tasks/{task_id}").json()["steps"]

    assert [(step["agent_id"], step["agent_name"], step["state"]) for step in steps] == [
        ("first", "first", "pending"), ("second", "second", "pending"),
    ]  # fmt: skip
    assert all(step["price"] > 0 for step in steps)


def test_a_pipeline_whose_steps_wait_for_each_other_is_422(customer: Customer, models_set_up: None) -> None:
    ring = [STEPS[0] | {"after": ["second"]}, STEPS[1]]

    answer = customer.post("/tasks", {"tool_id": "model-pipeline", "parameters": {"pipeline": {"steps": ring}}})

    assert problem_of(answer, 422)["error_code"] == "BAD_PARAMETERS"


def test_several_documents_are_quoted_with_a_price_by_use(customer: Customer) -> None:
    task_id = made(customer, "ingest-documents")
    for name in ("a.txt", "b.md"):
        put(customer, task_id, name)

    quote = customer.post(f"/tasks/{task_id}/quote").json()

    assert [file["filename"] for file in quote["files"]["documents"]] == ["a.txt", "b.md"]
    assert quote["credits"]["at_most"] is True
    assert quote["credits"]["total"] > 0


def test_a_step_that_was_skipped_says_why(customer: Customer, models_set_up: None) -> None:
    task_id = made(customer, "model-pipeline", parameters={"pipeline": {"steps": STEPS}})
    customer.process(task_id)
    claim = claimed(customer, task_id)
    ended = [
        Checkpoint("first", StepStatus.FAILED, "print", 5, error_code="MODEL_REFUSED", error_message="It was refused."),
        Checkpoint(
            "second", StepStatus.SKIPPED, "print", 0, error_code="DEPENDENCY_FAILED", error_message="first failed."
        ),
    ]
    for step in ended:
        with transaction() as session:
            checkpoints.record(session, claim, step, amount=0, progress=50, next_agent=None)

    steps = customer.get(f"/tasks/{task_id}").json()["steps"]

    assert [(step["state"], step["message"]) for step in steps] == [
        ("failed", "It was refused."), ("skipped", "first failed."),
    ]  # fmt: skip
