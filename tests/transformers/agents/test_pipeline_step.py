import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from backend.clock import monotonic
from backend.errors import BadParameters, ModelUnavailable, UnreadableFile
from backend.language_models.questions import Answer, Budget, Message, Question, Role, Usage
from transformers.agents.pipeline_step import ask_step
from transformers.findings import AgentResult
from transformers.pipelines.form import PipelineStep, StepParameters
from transformers.tool import Delivery, LocalFile
from transformers.waiting_agent import WaitingContext


class Scripted:
    """A model that answers so, and remembers what it was asked."""

    def __init__(self, answer: Answer | Exception) -> None:
        self.answer, self.asked = answer, []

    async def ask(self, question: Question, _budget: Budget, _on_text: object = None) -> Answer:
        self.asked.append(question)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


ANSWER = Answer(content="Good.", model="openai:b", usage=Usage(calls=1, input_tokens=3, output_tokens=2), fallback=True)


def context(form: StepParameters, models: Any, earlier: dict[str, dict[str, Any]] | None = None, **more: Any) -> Any:
    nothing: Any = None
    given = {
        "task_id": uuid4(),
        "user_id": 7,
        "parameters": form,
        "forms": {},
        "files": {},
        "inputs": {},
        "earlier": {
            name: Delivery(result=AgentResult(agent_id=name, agent_name=name, data=data))
            for name, data in (earlier or {}).items()
        },
        "scratch": Path(),
        "models": models,
        "default_model": "compatible:default",
        "calls_at_once": 1,
        "deadline": monotonic() + 60,
        "journal": nothing,
        "vectors": nothing,
        "last_try": False,
        "report_progress": lambda _fraction: None,
        "tell": nothing,
    }
    return WaitingContext(**{**given, **more})


def form(given: Any = None, **step: Any) -> StepParameters:
    return StepParameters(step=PipelineStep(**{"name": "judge", **step}), input=given)


def ask(*args: Any, **more: Any) -> Delivery:
    return asyncio.run(ask_step(context(*args, **more)))


def test_it_asks_what_its_templates_make_of_input_and_earlier_answers() -> None:
    model = Scripted(ANSWER)
    asked = form(
        {"who": "Ada"},
        system="Be kind to {{ input.who }}.",
        prompt_template="Judge: {{ read.output.title }}",
        after=("read",),
        model="openai:a",
        options={"temperature": 0.5, "max_tokens": 9, "extra": {"seed": 1}},
        fallback_models=("openai:b",),
        timeout=4,
        cache_seconds=5,
    )
    ask(asked, model, {"read": {"output": {"title": "On engines"}}})
    assert model.asked == [
        Question(
            model="openai:a",
            messages=(
                Message(role=Role.SYSTEM, content="Be kind to Ada."),
                Message(role=Role.USER, content="Judge: On engines"),
            ),
            temperature=0.5,
            max_tokens=9,
            extra={"seed": 1},
            fallback_models=("openai:b",),
            timeout_seconds=4,
            cache_seconds=5,
            cache_scope="7",
        )
    ]


def test_it_delivers_the_answer_with_what_it_took() -> None:
    delivery = ask(form(prompt_template="x"), Scripted(ANSWER))
    assert delivery.usage == ANSWER.usage
    assert delivery.result.agent_id == "judge"
    assert delivery.result.data | {"time": 0} == {
        "output": "Good.",
        "time": 0,
        "model": "openai:b",
        "status": "ok",
        "fallback": True,
        "usage": {"calls": 1, "input_tokens": 3, "output_tokens": 2},
        "finish_reason": "stop",
    }


def test_with_a_schema_the_output_is_the_value() -> None:
    model = Scripted(ANSWER.model_copy(update={"parsed": {"title": "T"}}))
    assert ask(form(prompt_template="x", output_schema={"type": "object"}), model).result.data["output"] == {
        "title": "T"
    }


def test_the_default_model_and_a_limit_on_the_answer_where_nothing_is_said() -> None:
    model = Scripted(ANSWER)
    ask(form(prompt_template="x"), model)
    assert (model.asked[0].model, model.asked[0].max_tokens) == ("compatible:default", 1024)


def test_an_answer_that_holds_a_template_is_not_read_as_one() -> None:
    model = Scripted(ANSWER)
    hostile = "{{ input.secret }} {% for x in input %}{{ x }}{% endfor %} {{ ''.__class__ }}"
    ask(form({"secret": 1}, prompt_template="{{ a.output }}", after=("a",)), model, {"a": {"output": hostile}})
    assert model.asked[0].messages[0].content == hostile


def test_a_key_that_the_answer_does_not_have_is_named() -> None:
    asked = form(prompt_template="{{ read.output.title }}", after=("read",))
    with pytest.raises(BadParameters, match=r"'judge' could not be filled in: there is no read\.output\.title\."):
        ask(asked, Scripted(ANSWER), {"read": {"output": {}}})


def test_nothing_is_asked_when_no_input_was_given() -> None:
    model = Scripted(ANSWER)
    with pytest.raises(BadParameters, match="'input' is undefined"):
        ask(form(prompt_template="{{ input.x }}"), model)
    assert model.asked == []


def input_file(folder: Path, body: bytes) -> dict[str, tuple[LocalFile, ...]]:
    path = folder / "input.json"
    path.write_bytes(body)
    return {"input": (LocalFile(role="input", name="input.json", path=path),)}


def test_the_input_can_be_a_file(tmp_path: Path) -> None:
    model, files = Scripted(ANSWER), input_file(tmp_path, json.dumps({"x": ["ä"]}).encode("utf-8-sig"))
    ask(form(prompt_template="{{ input.x[0] }}"), model, files=files)
    assert model.asked[0].messages[0].content == "ä"


def test_the_parameter_comes_before_the_file(tmp_path: Path) -> None:
    model = Scripted(ANSWER)
    ask(form({"x": "mine"}, prompt_template="{{ input.x }}"), model, files=input_file(tmp_path, b'{"x": "its"}'))
    assert model.asked[0].messages[0].content == "mine"


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[NaN]", b"[" * 100_000, b'"\\u0000"'])
def test_an_input_that_is_no_json_is_told(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(UnreadableFile):
        ask(form(prompt_template="{{ input }}"), Scripted(ANSWER), files=input_file(tmp_path, body))


def test_what_the_door_says_is_passed_on() -> None:
    with pytest.raises(ModelUnavailable):
        ask(form(prompt_template="x"), Scripted(ModelUnavailable()))
