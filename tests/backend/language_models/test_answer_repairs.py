import json
from typing import Any

import pytest

from backend.errors import AnswerInvalid, ModelRefused, ModelUnavailable
from backend.language_models.questions import Answer, Usage
from backend.language_models.repair import REPAIRS
from tests.backend.language_models.questions_of_tests import answer_of, question
from tests.model_server import Act, ModelServer, failing

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
FITS = '{"name": "Ada"}'


def fitting(**more: Any) -> Answer:
    return answer_of(question("Who was it?", output_schema=SCHEMA, **more))


def says(*answers: str) -> list[Act]:
    return [Act(answer=answer) for answer in answers]


def test_an_answer_that_fits_is_parsed(model_server: ModelServer) -> None:
    model_server.script("echo", *says(FITS))
    answer = fitting()
    assert (answer.parsed, answer.content) == ({"name": "Ada"}, FITS)


def test_the_schema_is_asked_for_in_words_too(model_server: ModelServer) -> None:
    model_server.script("echo", *says(FITS))
    fitting()
    first = model_server.requests[0]["messages"][0]
    assert first["role"] == "system"
    assert json.dumps(SCHEMA) in first["content"]


def test_an_invalid_answer_goes_back_to_the_model_with_what_is_wrong(model_server: ModelServer) -> None:
    model_server.script("echo", *says("{'name': 'Ada'}", '{"name": 1}', FITS))
    assert fitting().parsed == {"name": "Ada"}
    assert len(model_server.requests) == 3
    *_, given_back, words = model_server.requests[2]["messages"]
    assert given_back == {"role": "assistant", "content": '{"name": 1}'}
    assert "$.name: 1 is not of type 'string'" in words["content"]


def test_the_use_of_every_try_is_counted(model_server: ModelServer) -> None:
    model_server.script("echo", *says("no", "no no", FITS))
    used = fitting().usage
    assert (used.calls, used.output_tokens) == (3, 1 + 2 + 2)


def test_after_three_repairs_the_answer_is_invalid(model_server: ModelServer) -> None:
    model_server.script("echo", Act(answer="never", times=None))
    with pytest.raises(AnswerInvalid) as caught:
        fitting()
    assert model_server.calls == 1 + REPAIRS
    assert caught.value.context["faults"]


def test_a_fallback_may_answer_what_the_first_could_not(model_server: ModelServer) -> None:
    model_server.script("echo", Act(answer="never", times=None))
    model_server.script("gpt-test", *says(FITS))
    answer = fitting(fallback_models=("openai:gpt-test",))
    assert (answer.parsed, answer.fallback) == ({"name": "Ada"}, True)
    assert answer.usage.calls == 1 + REPAIRS, "what the first one used is counted as well"
    assert model_server.models == {"echo": REPAIRS, "gpt-test": 1}, "the last repair is kept for another model"


def test_no_question_costs_more_answers_for_all_its_models(model_server: ModelServer) -> None:
    asked = question("Who was it?", output_schema=SCHEMA, fallback_models=("openai:gpt-test",) * 3)
    for model in ("echo", "gpt-test"):
        model_server.script(model, Act(answer="never", times=None))
    with pytest.raises(AnswerInvalid):
        answer_of(asked)
    assert model_server.calls == 1 + REPAIRS


def test_a_model_that_did_not_answer_costs_no_repair(model_server: ModelServer) -> None:
    model_server.script("echo", failing(503, times=None))
    model_server.script("gpt-test", *says("no", "no", "no", FITS))
    assert fitting(fallback_models=("openai:gpt-test",)).usage.calls == 1 + REPAIRS


def test_a_server_that_knows_no_schemas_is_asked_without(model_server: ModelServer) -> None:
    model_server.script("echo", Act(answer=FITS, refuses_schemas=True, times=None))
    assert fitting().parsed == {"name": "Ada"}
    assert ["response_format" in request for request in model_server.requests] == [True, False]


def test_a_question_that_is_refused_with_and_without_is_refused(model_server: ModelServer) -> None:
    model_server.script("echo", failing(400, times=None))
    with pytest.raises(ModelRefused):
        fitting()
    assert model_server.calls == 2


def test_a_model_that_calls_a_tool_first_is_let(model_server: ModelServer) -> None:
    calls = [{"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]
    model_server.script("echo", Act(answer="", message={"tool_calls": calls}, finish_reason="tool_calls"))
    answer = fitting()
    assert (answer.parsed, [call.name for call in answer.tool_calls]) == (None, ["look"])


def test_an_empty_answer_is_not_given_back_as_one(model_server: ModelServer) -> None:
    model_server.script("echo", *says("", FITS))
    fitting()
    assert [message["role"] for message in model_server.requests[1]["messages"]] == ["system", "user", "user"]


def test_the_callers_own_system_prompt_stays_first(model_server: ModelServer) -> None:
    from backend.language_models.questions import Message, Role

    model_server.script("echo", *says(FITS))
    asked = question("Who was it?", output_schema=SCHEMA)
    answer_of(asked.model_copy(update={"messages": (Message(role=Role.SYSTEM, content="Be kind."), *asked.messages)}))
    first, second = model_server.requests[0]["messages"]
    assert first["content"].startswith("Be kind.\n\n")
    assert second["role"] == "user"


def test_a_failure_in_the_middle_of_a_repair_is_tried_again(model_server: ModelServer) -> None:
    model_server.script("echo", *says("no"), failing(503), *says(FITS))
    assert fitting().usage == Usage(calls=2, input_tokens=fitting_input(model_server), output_tokens=3)


def fitting_input(server: ModelServer) -> int:
    """What the server counted of the two calls that it answered."""
    return sum(
        len(message["content"].split())
        for request in (server.requests[0], server.requests[2])
        for message in request["messages"]
    )


def test_without_a_schema_nothing_is_parsed(model_server: ModelServer) -> None:
    model_server.script("echo", *says(FITS))
    assert answer_of(question("hello")).parsed is None


def test_an_unavailable_model_is_no_invalid_answer(model_server: ModelServer) -> None:
    model_server.script("echo", failing(503, times=None))
    with pytest.raises(ModelUnavailable):
        fitting()
