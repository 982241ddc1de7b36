import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from waiting_stage import ScriptedModels, Stage

from backend.errors import BadParameters, ModelRefused, UnreadableFile
from backend.language_models.questions import Answer, ToolCall, Usage
from backend.language_models.streams import RESTARTED
from transformers.agents import generate
from transformers.agents.generate import GenerateParameters
from transformers.generate_text_transformer import GENERATE_TEXT
from transformers.tool import Delivery, GivenFile


def run(here: Stage, form: GenerateParameters, messages: Any = None) -> Delivery:
    path = here.folder / "messages.json"
    path.write_text(json.dumps(messages))
    files = {"messages": path} if messages is not None else {}
    return asyncio.run(generate.run(here.context(form, files=files)))


def said(here: Stage) -> list[tuple[str, str]]:
    return [(message.role.value, message.content) for message in here.models.asked[-1].messages]


def test_the_answer_is_delivered_whole_as_data_and_as_a_file(tmp_path: Path) -> None:
    here = Stage(tmp_path)
    answer = Answer(
        content="<b>Ja</b>", parsed={"a": 1}, model="m", fallback=True,
        usage=Usage(calls=2, input_tokens=3, output_tokens=4), tool_calls=(ToolCall(id="1", name="f", arguments="{}"),),
    )  # fmt: skip
    here.models.acts["Why?"] = answer
    delivery = run(here, GenerateParameters(prompt="Why?"))
    (file,) = delivery.files
    assert json.loads(file.path.read_bytes()) == delivery.result.data == answer.model_dump(mode="json")
    assert (file.name, delivery.usage) == ("answer.json", answer.usage)


def test_an_answer_that_no_database_takes_is_kept_without_what_is_no_text(tmp_path: Path) -> None:
    here = Stage(tmp_path)
    here.models.acts["Why?"] = Answer(content="a\0b\ud800", parsed={"k\0": ["\ud800"]}, model="m")
    delivery = run(here, GenerateParameters(prompt="Why?"))
    assert (delivery.result.data["content"], delivery.result.data["parsed"]) == ("ab?", {"k": ["?"]})
    assert "\\u0000" not in delivery.result.model_dump_json()


def test_the_form_becomes_the_question(tmp_path: Path) -> None:
    here = Stage(tmp_path)
    history = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Yes?"}]
    form = GenerateParameters.model_validate(
        {"prompt": "Why?", "system": "Be kind.", "history": history, "temperature": 0.3, "cache_seconds": 60}
    )
    run(here, form)
    assert said(here) == [("system", "Be kind."), ("user", "Hi."), ("assistant", "Yes?"), ("user", "Why?")]
    asked = here.models.asked[0]
    assert (asked.model, asked.temperature, asked.max_tokens) == ("compatible:echo", 0.3, 1024)
    assert (asked.cache_seconds, asked.cache_scope) == (60, "user 7"), "no answer goes from one customer to another"


def test_a_conversation_may_be_uploaded(tmp_path: Path) -> None:
    here = Stage(tmp_path)
    run(here, GenerateParameters(), [{"role": "system", "content": "S"}, {"role": "user", "content": "Why?"}])
    assert said(here) == [("system", "S"), ("user", "Why?")]


def test_what_the_form_says_comes_after_the_file(tmp_path: Path) -> None:
    here = Stage(tmp_path)
    file = {"system": "file's", "history": [{"role": "assistant", "content": "Yes?"}], "prompt": "Why?"}
    run(here, GenerateParameters(prompt="And how?", system="form's"), file)
    assert said(here) == [("system", "form's"), ("assistant", "Yes?"), ("user", "Why?"), ("user", "And how?")]


@pytest.mark.parametrize("messages", [None, [], {"system": "S"}, [{"role": "assistant", "content": "a"}]])
def test_where_nothing_is_asked_the_submit_says_so(messages: Any) -> None:
    (step,) = GENERATE_TEXT.steps
    assert step.bound is not None
    body = json.dumps(messages).encode()
    given = {} if messages is None else {"messages": [GivenFile("m.json", len(body), lambda: body)]}
    with pytest.raises(BadParameters, match="generate: prompt: is needed"):
        step.bound(GenerateParameters(), given, frozenset())


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"nope", "The messages are not valid JSON."),
        (b'[{"role": "boss", "content": "a"}]', "messages: 0.role: should be 'system', 'user' or 'assistant'."),
        (b'{"history": [{"role": "system", "content": "a"}]}', "messages: history.0.role: should be"),
        (b"5", "messages: the file: should be an object."),
    ],
)
def test_a_file_that_is_no_conversation_is_refused_at_submit(body: bytes, sentence: str) -> None:
    (step,) = GENERATE_TEXT.steps
    assert step.bound is not None
    with pytest.raises(UnreadableFile) as refusal:
        step.bound(GenerateParameters(), {"messages": [GivenFile("m.json", len(body), lambda: body)]}, frozenset())
    assert str(refusal.value).startswith(sentence)


def test_the_bound_counts_bytes_and_with_a_schema_every_repair() -> None:
    (step,) = GENERATE_TEXT.steps
    assert step.bound is not None
    form = GenerateParameters(prompt="héllo", max_tokens=50)
    assert step.bound(form, {}, frozenset()) == Usage(calls=1, input_tokens=6 + 16, output_tokens=50)
    with_schema = step.bound(form.model_copy(update={"output_schema": {"type": "object"}}), {}, frozenset())
    assert (with_schema.calls, with_schema.output_tokens) == (4, 200)
    assert with_schema.input_tokens > 4 * 22 + 6 * 50


def test_a_failure_leaves_as_it_is(tmp_path: Path) -> None:
    here = Stage(tmp_path)
    here.models.acts["Why?"] = ModelRefused()
    with pytest.raises(ModelRefused):
        run(here, GenerateParameters(prompt="Why?", stream=True))


def test_partial_text_is_told_in_few_events_that_join_to_the_answer(tmp_path: Path) -> None:
    here = Stage(tmp_path, models=ScriptedModels(pieces=["wo", "rd "] * 50, seconds=0.01))
    run(here, GenerateParameters(prompt="Why?", stream=True))
    assert "".join(event["text"] for event in here.told) == "word " * 50
    assert len(here.told) <= 2
    assert here.told[0]["at"] == 0


def test_a_stream_that_begins_anew_is_told_from_its_beginning(tmp_path: Path) -> None:
    here = Stage(tmp_path, models=ScriptedModels(pieces=["half", RESTARTED, "whole"]))
    run(here, GenerateParameters(prompt="Why?", stream=True))
    text = ""
    for event in here.told:
        text = text[: event["at"]] + event["text"]
    assert text == "whole"


def test_what_no_database_takes_is_told_without_it(tmp_path: Path) -> None:
    here = Stage(tmp_path, models=ScriptedModels(pieces=["a\0b", "\ud800"]))
    run(here, GenerateParameters(prompt="Why?", stream=True))
    assert "".join(event["text"] for event in here.told) == "ab?"


def test_nothing_is_told_unless_it_is_asked_for(tmp_path: Path) -> None:
    here = Stage(tmp_path, models=ScriptedModels(pieces=["word"]))
    run(here, GenerateParameters(prompt="Why?"))
    assert here.told == []
