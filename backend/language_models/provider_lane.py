"""The lane of pydantic-ai: Anthropic, Google, and whatever is streamed. Loaded at the first question that needs it.

The client libraries repeat nothing themselves and have no clock of their own: that is the door's. One object a
provider and event loop.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, assert_never, cast

import httpx2
from anthropic import AsyncAnthropic
from google.genai.types import HttpRetryOptions
from openai import AsyncOpenAI
from pydantic_ai.exceptions import AgentRunError, ModelAPIError, ModelHTTPError, UnexpectedModelBehavior, UserError
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    PartDeltaEvent,
    PartStartEvent,
    SystemPromptPart,
    TextPart,
    TextPartDelta,
    ToolCallPart,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.profiles import ModelProfile, merge_profile
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider
from pydantic_ai.settings import ModelSettings

from backend.language_models.calls import CONNECT_SECONDS, Call
from backend.language_models.extras import allowed
from backend.language_models.failures import CallFailed, Passing, Refused, by_status
from backend.language_models.names import OPENAI_LIKE, Endpoint, ModelName, Provider
from backend.language_models.questions import Answer, Message, Role, ToolCall, Usage

NO_KEY = "none"  # the libraries insist on one; servers without keys do not look at it
# Google's own client takes no foreign fields: what of `extra` it knows by pydantic-ai's names.
GOOGLE_KNOWS = frozenset({"top_p", "top_k", "seed", "presence_penalty", "frequency_penalty", "stop_sequences"})


class ProviderLane:
    def __init__(self, provider: Provider, endpoint: Endpoint, at_once: int) -> None:
        limits = httpx2.Limits(max_connections=at_once, max_keepalive_connections=at_once)
        self._http = httpx2.AsyncClient(limits=limits, timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS))
        self._of_name = _models_of(provider, endpoint, self._http)
        self._models: dict[str, Model[Any]] = {}

    async def answer(self, call: Call) -> Answer:
        model = self._model(call.model)
        with _failures():
            said = await model.request(_history(call.messages), _settings(call), _parameters(call, model))
        return _answer(call.model, said)

    async def stream(self, call: Call, on_text: Callable[[str], None]) -> Answer:
        """The same, and its text as it comes."""
        model = self._model(call.model)
        with _failures():
            messages, parameters = _history(call.messages), _parameters(call, model)
            async with model.request_stream(messages, _settings(call), parameters) as streamed:
                async for event in streamed:
                    if text := _text_of(event):
                        on_text(text)
                said = streamed.get()
        return _answer(call.model, said)

    async def close(self) -> None:
        await self._http.aclose()

    def _model(self, name: ModelName) -> Model[Any]:
        if name.name not in self._models:
            self._models[name.name] = self._of_name(name.name)
        return self._models[name.name]


def _models_of(provider: Provider, endpoint: Endpoint, http: httpx2.AsyncClient) -> Callable[[str], Model[Any]]:
    """How a provider's model is made of its name, all of them over one client."""
    key = NO_KEY if endpoint.api_key is None else endpoint.api_key.get_secret_value()
    match provider:
        case Provider.OPENAI:
            client = AsyncOpenAI(api_key=key, base_url=endpoint.base_url, http_client=http, max_retries=0)
            openai = OpenAIProvider(openai_client=client)
            return lambda name: OpenAIChatModel(name, provider=openai, profile=_whole)
        case Provider.COMPATIBLE:
            client = AsyncOpenAI(api_key=key, base_url=endpoint.base_url, http_client=http, max_retries=0)
            compatible = OpenAICompatibleProvider("compatible", openai_client=client)
            return lambda name: OpenAIChatModel(name, provider=compatible, profile=_whole_and_with_old_names)
        case Provider.ANTHROPIC:
            anthropic = AnthropicProvider(
                anthropic_client=AsyncAnthropic(
                    api_key=key, base_url=endpoint.base_url, http_client=http, max_retries=0
                )
            )
            return lambda name: AnthropicModel(name, provider=anthropic)
        case Provider.GOOGLE:
            once = HttpRetryOptions(attempts=1)
            google = GoogleProvider(api_key=key, base_url=endpoint.base_url, http_client=http, retry_options=once)
            return lambda name: GoogleModel(name, provider=google)
        case Provider.LOCAL:
            raise Refused("local models make vectors and answer no questions")
    assert_never(provider)


def _whole(profile: ModelProfile) -> ModelProfile:
    """A stream that ends without saying why was cut."""
    return merge_profile(profile, OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True))


def _whole_and_with_old_names(profile: ModelProfile) -> ModelProfile:
    """Most servers that are like OpenAI's know only max_tokens."""
    return merge_profile(_whole(profile), OpenAIModelProfile(openai_chat_supports_max_completion_tokens=False))


def _history(messages: tuple[Message, ...]) -> list[ModelMessage]:
    """pydantic-ai's turns: a request holds all that comes before an answer."""
    history: list[ModelMessage] = []
    for message in messages:
        if message.role is Role.ASSISTANT:
            history.append(ModelResponse(parts=[TextPart(message.content)]))
            continue
        part = (SystemPromptPart if message.role is Role.SYSTEM else UserPromptPart)(message.content)
        last = history[-1] if history else None
        if isinstance(last, ModelRequest):
            last.parts = [*last.parts, part]
        else:
            history.append(ModelRequest(parts=[part]))
    return history


def _settings(call: Call) -> ModelSettings:
    settings = ModelSettings(framing_announcement="never")  # what is said to the model is said by the caller alone
    if call.temperature is not None:
        settings["temperature"] = call.temperature
    if call.max_tokens is not None:
        settings["max_tokens"] = call.max_tokens
    extra = allowed(call.extra)
    if call.model.provider is Provider.GOOGLE:
        settings.update(_known_to_google(extra))
    elif extra:
        settings["extra_body"] = extra
    return settings


def _known_to_google(extra: Mapping[str, Any]) -> ModelSettings:
    foreign = sorted(extra.keys() - GOOGLE_KNOWS)
    if foreign:
        raise Refused(f"google models do not take {', '.join(foreign)}")
    return cast("ModelSettings", dict(extra))


def _parameters(call: Call, model: Model[Any]) -> ModelRequestParameters:
    if call.schema is None or not model.profile.get("supports_json_schema_output", False):
        return ModelRequestParameters()
    strict = False if call.model.provider in OPENAI_LIKE else None  # it would want the schema in a shape of its own
    wanted = OutputObjectDefinition(json_schema=dict(call.schema), name="answer", strict=strict)
    return ModelRequestParameters(output_mode="native", output_object=wanted)


def _text_of(event: object) -> str:
    if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
        return event.part.content
    if isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
        return event.delta.content_delta
    return ""


def _answer(name: ModelName, said: ModelResponse) -> Answer:
    calls = (ToolCall(id=c.tool_call_id, name=c.tool_name, arguments=_arguments(c)) for c in said.tool_calls)
    used = said.usage
    return Answer(
        content="".join(part.content for part in said.parts if isinstance(part, TextPart)),
        model=str(name),
        tool_calls=tuple(calls),
        finish_reason=said.finish_reason or "stop",
        usage=Usage(calls=1, input_tokens=used.input_tokens, output_tokens=used.output_tokens),
    )


def _arguments(call: ToolCallPart) -> str:
    """As the model wrote them, where the provider hands on text."""
    return call.args if isinstance(call.args, str) else call.args_as_json_str()


@contextmanager
def _failures() -> Iterator[None]:
    """What pydantic-ai and the libraries beneath raise, as a lane's failures."""
    try:
        yield
    except ModelHTTPError as error:
        raise _by_status(error) from error
    except (ModelAPIError, UnexpectedModelBehavior) as error:  # a dropped connection, a body that is none
        raise Passing(f"{type(error).__name__}: {error}") from error
    except (AgentRunError, UserError) as error:
        raise Refused(f"{type(error).__name__}: {error}") from error
    except (httpx2.HTTPError, OSError) as error:
        raise Passing(f"{type(error).__name__}: {error}") from error


def _by_status(error: ModelHTTPError) -> CallFailed:
    failure = by_status(error.status_code, error.headers or {}, error.body)
    if isinstance(failure, Passing) and failure.retry_after is None:
        failure.retry_after = error.retry_after  # Google says it in the body
    return failure
