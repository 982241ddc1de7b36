"""Both lanes to OpenAI-compatible servers give the same answers and the same failures; the other providers' as well."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from backend.language_models.calls import Call
from backend.language_models.connections import Connections
from backend.language_models.failures import Barred, CallFailed, Passing, Refused
from backend.language_models.names import Endpoint, Provider, model_name
from backend.language_models.questions import Answer, Message, OnText, Role, Usage
from backend.settings import get_settings
from tests.model_server import BROKEN_JSON, Act, Drop, ModelServer, failing

LANES = ("lean", "rich")
TOOL_CALLS = [{"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at": "it"}'}}]
CONVERSATION = (
    Message(role=Role.SYSTEM, content="Be brief."),
    Message(role=Role.USER, content="What is 2 + 2?"),
    Message(role=Role.ASSISTANT, content="4"),
    Message(role=Role.USER, content="And 3 + 3?"),
)


def call(prompt: str = "hello", model: str = "compatible:echo", **more: Any) -> Call:
    plain = Call(model_name(model), (Message(role=Role.USER, content=prompt),), None, None, {})
    return replace(plain, **more)


def through(lane: str, asked: Call) -> Answer:
    async def life() -> Answer:
        connections = Connections(get_settings())
        try:
            provider = asked.model.provider
            way = connections.lean(provider) if lane == "lean" else await connections.rich(provider)
            return await way.answer(asked)
        finally:
            await connections.close()

    return asyncio.run(life())


def failure_of(lane: str, asked: Call) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        through(lane, asked)
    return caught.value


@pytest.mark.parametrize(
    "act",
    [
        Act(),
        Act(answer="a longer answer, with “quotes” and\nlines"),
        Act(answer="cut", finish_reason="length"),
        Act(answer="", message={"tool_calls": TOOL_CALLS}, finish_reason="tool_calls"),
        Act(answer="", message={"content": None}),
        Act(answer="no", finish_reason="content_filter"),
        Act(message={"content": None, "refusal": "I must not."}),
    ],
    ids=["echo", "prose", "length", "tool calls", "null", "filter", "refusal"],
)
def test_both_lanes_read_the_same_answer(model_server: ModelServer, act: Act) -> None:
    model_server.script("hello", replace(act, times=2))
    lean, rich = (through(lane, call()) for lane in LANES)
    assert lean == rich


@pytest.mark.parametrize("model", ["compatible:echo", "openai:gpt-test"])
def test_both_lanes_ask_the_same(model_server: ModelServer, model: str) -> None:
    asked = call(
        model=model, messages=CONVERSATION, temperature=0.5, max_tokens=7, extra={"top_p": 0.3, "model": "dearer"}
    )
    for lane in LANES:
        through(lane, asked)
    lean, rich = (
        {name: said for name, said in request.items() if said is not False} for request in model_server.requests
    )
    assert lean == rich
    assert lean["model"] == model.partition(":")[2]


def test_both_lanes_send_the_key_as_a_bearer(model_server: ModelServer) -> None:
    for lane in LANES:
        through(lane, call(model="openai:gpt-test"))
    assert all("bearer sk-of-the-tests-1234567890" in head.lower() for head in model_server.headers)


def test_both_lanes_take_extra_fields(model_server: ModelServer) -> None:
    for lane in LANES:
        through(lane, call(extra={"seed": 7, "a_field_of_its_own": {"deep": [1]}}))
    assert [(request["seed"], request["a_field_of_its_own"]) for request in model_server.requests] == [
        (7, {"deep": [1]})
    ] * 2


def test_both_lanes_bring_a_schema(model_server: ModelServer) -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    for lane in LANES:
        through(lane, call(schema=schema))
    for request in model_server.requests:
        assert request["response_format"]["type"] == "json_schema"
        assert request["response_format"]["json_schema"]["schema"]["properties"] == schema["properties"]


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        *[(failing(status, times=None), Passing) for status in (408, 425, 429, 500, 502, 503, 529)],
        *[(failing(status, times=None), Barred) for status in (401, 403, 404, 402)],
        *[(failing(status, times=None), Refused) for status in (400, 413, 422)],
        (Act(drop=Drop.BEFORE, times=None), Passing),
        (Act(drop=Drop.BODY, times=None), Passing),
        (Act(body=BROKEN_JSON, times=None), Passing),
        (Act(body=b"[1, 2]", times=None), Passing),
        (Act(body=b'{"choices": []}', times=None), Passing),
        (Act(body=b"<html>", headers={"content-type": "text/html"}, times=None), Passing),
        (Act(body=b"", times=None), Passing),
    ],
    ids=lambda value: str(value.status or value.drop or value.body) if isinstance(value, Act) else None,
)
def test_both_lanes_fail_alike(model_server: ModelServer, act: Act, kind: type[CallFailed]) -> None:
    model_server.script("hello", act)
    assert [type(failure_of(lane, call())) for lane in LANES] == [kind, kind]
    assert model_server.calls == 2, "the libraries' own retries are off"


def test_an_answer_nested_without_end_is_a_hiccup(model_server: ModelServer) -> None:
    model_server.script("hello", Act(body=b"[" * 200_000, times=None))
    assert isinstance(failure_of("lean", call()), Passing)


@pytest.mark.parametrize(("counted", "kept"), [(-5, 0), (10**30, 2**31 - 1), (None, 0), (7, 7)])
def test_what_a_server_counts_is_kept_within_reason(model_server: ModelServer, counted: int | None, kept: int) -> None:
    said = {"choices": [{"message": {"content": "hi"}}], "usage": {"prompt_tokens": counted, "completion_tokens": 1}}
    model_server.script("hello", Act(body=json.dumps(said).encode()))
    assert through("lean", call()).usage == Usage(calls=1, input_tokens=kept, output_tokens=1)


@pytest.mark.parametrize("lane", LANES)
def test_retry_after_is_heard(model_server: ModelServer, lane: str) -> None:
    model_server.script("hello", failing(429, retry_after="7"))
    failure = failure_of(lane, call())
    assert isinstance(failure, Passing)
    assert (failure.retry_after, failure.paced) == (7.0, True)


@pytest.mark.parametrize("lane", LANES)
def test_the_environments_proxy_is_used(model_server: ModelServer, lane: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", model_server.url.removesuffix("/v1"))
    monkeypatch.setenv("no_proxy", "example.org")
    monkeypatch.setenv("COMPATIBLE_BASE_URL", "http://models.example.com/v1")
    get_settings.cache_clear()
    assert through(lane, call()).content == "hello"
    assert model_server.headers[0].startswith("POST http://models.example.com/v1/chat/completions ")


@pytest.mark.parametrize("lane", LANES)
def test_so_it_is_in_milliseconds(model_server: ModelServer, lane: str) -> None:
    model_server.script("hello", failing(503, retry_after="1", retry_after_ms="250"))
    failure = failure_of(lane, call())
    assert isinstance(failure, Passing)
    assert failure.retry_after == 0.25


@pytest.mark.parametrize("lane", LANES)
def test_a_server_that_is_not_there_may_come(lane: str, model_server: ModelServer, monkeypatch: Any) -> None:
    monkeypatch.setenv("COMPATIBLE_BASE_URL", "http://127.0.0.1:1/v1")
    get_settings.cache_clear()
    assert isinstance(failure_of(lane, call()), Passing)


@pytest.mark.parametrize("model", ["anthropic:claude-test", "google:gemini-test"])
class TestOtherProviders:
    """Against as much of their protocols as the scripted server speaks."""

    def through(self, server: ModelServer, asked: Call, on_text: OnText | None = None) -> Answer:
        from backend.language_models.provider_lane import ProviderLane

        async def life() -> Answer:
            base = server.url.removesuffix("/v1")
            lane = ProviderLane(asked.model.provider, Endpoint(base, SecretStr("key-of-the-tests")), 5)
            try:
                return await (lane.answer(asked) if on_text is None else lane.stream(asked, on_text))
            finally:
                await lane.close()

        return asyncio.run(life())

    def test_a_question_is_answered(self, model_server: ModelServer, model: str) -> None:
        answer = self.through(model_server, call("two words", model, temperature=0.5, max_tokens=9))
        assert (answer.content, answer.finish_reason, answer.model) == ("two words", "stop", model)
        assert answer.usage == Usage(calls=1, input_tokens=2, output_tokens=2)

    def test_a_conversation_with_a_schema_and_a_field_of_its_own_is_sent(
        self, model_server: ModelServer, model: str
    ) -> None:
        schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
        newest = {
            "anthropic:claude-test": "anthropic:claude-haiku-4-5-of-tests",
            "google:gemini-test": "google:gemini-2.5-pro",
        }
        asked = call(model=newest[model], messages=CONVERSATION, schema=schema, extra={"top_p": 0.5})
        assert self.through(model_server, asked).content == "And 3 + 3?"
        sent = str(model_server.requests[-1])
        assert all(message.content in sent for message in CONVERSATION)
        assert "'name'" in sent
        assert "0.5" in sent

    @pytest.mark.parametrize(("status", "kind"), [(503, Passing), (429, Passing), (401, Barred), (400, Refused)])
    def test_failures_mean_the_same(
        self, model_server: ModelServer, model: str, status: int, kind: type[CallFailed]
    ) -> None:
        model_server.script("hello", failing(status, times=None))
        with pytest.raises(kind):
            self.through(model_server, call(model=model))
        assert model_server.calls == 1, "the libraries' own retries are off"


def test_google_takes_no_foreign_fields(model_server: ModelServer) -> None:
    from backend.language_models.provider_lane import ProviderLane

    async def life() -> None:
        lane = ProviderLane(Provider.GOOGLE, Endpoint(model_server.url, SecretStr("key-of-the-tests")), 5)
        with pytest.raises(Refused, match="a_field"):
            await lane.answer(call(model="google:gemini-test", extra={"a_field": 1}))
        await lane.close()

    asyncio.run(life())


def test_partial_text_comes_from_anthropic_too(model_server: ModelServer) -> None:
    parts: list[str] = []
    asked = call("one two three", "anthropic:claude-test")
    answer = TestOtherProviders().through(model_server, asked, parts.append)
    assert (answer.content, "".join(parts)) == ("one two three", "one two three")
    assert len(parts) > 1
    assert answer.usage == Usage(calls=1, input_tokens=3, output_tokens=3)
