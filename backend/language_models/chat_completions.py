"""The lean lane: OpenAI's protocol spoken over aiohttp, for OpenAI itself and every server that is like it.

A tenth of the CPU of the client libraries (docs/decisions/0020), which a batch of ten thousand short calls needs. It
asks and it makes vectors; it does not stream. A session belongs to one event loop.
"""

import base64
import json
import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from backend.language_models.calls import CONNECT_SECONDS, Call
from backend.language_models.extras import allowed
from backend.language_models.failures import Passing, by_status
from backend.language_models.names import Endpoint, ModelName, Provider
from backend.language_models.questions import Answer, Embedded, ToolCall, Usage

if TYPE_CHECKING:
    from aiohttp import ClientSession

LONGEST_BODY = 64 * 1024 * 1024  # bytes: 256 vectors of 3,072 numbers as text are 20 MB
MOST_COUNTED = 2**31 - 1  # tokens; a thousand times what any model reads
OK = 200
# As pydantic-ai names the ends of an answer, for all providers alike.
FINISHED = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_call",
    "function_call": "tool_call",
    "content_filter": "content_filter",
}


def open_session(at_once: int) -> "ClientSession":
    """Connections for as many calls as are made at once; without cookies or redirects."""
    import aiohttp

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=at_once, ttl_dns_cache=60),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),  # the whole is the caller's clock
        skip_auto_headers=("Accept-Encoding", "User-Agent"),
    )


class ChatCompletions:
    """One provider's `/chat/completions` and `/embeddings`."""

    def __init__(self, endpoint: Endpoint, session: "ClientSession") -> None:
        from multidict import CIMultiDict
        from yarl import URL

        base = (endpoint.base_url or "").rstrip("/")
        self._session, self._proxy = session, _proxy_to(base)
        self._chat, self._embeddings = URL(f"{base}/chat/completions"), URL(f"{base}/embeddings")
        self._headers = CIMultiDict({"Content-Type": "application/json", "User-Agent": "Agensium/1"})
        if endpoint.api_key is not None:
            self._headers["Authorization"] = f"Bearer {endpoint.api_key.get_secret_value()}"

    async def answer(self, call: Call) -> Answer:
        return _answer(call.model, await self._post(self._chat, request_of(call)))

    async def embed(self, model: ModelName, texts: Sequence[str]) -> Embedded:
        """One request; the caller makes the batches."""
        body = {"model": model.name, "input": list(texts), "encoding_format": "float"}
        said = await self._post(self._embeddings, body)
        try:
            found = sorted(said["data"], key=lambda row: row["index"])
            embedded = Embedded(vectors=[_vector(row["embedding"]) for row in found], usage=_usage(said))
        except (KeyError, TypeError, ValueError) as error:
            raise Passing(f"no embeddings in the answer: {error!r}") from error
        if len(embedded.vectors) != len(texts):
            raise Passing(f"{len(embedded.vectors)} vectors for {len(texts)} texts")
        return embedded

    async def _post(self, url: Any, body: Mapping[str, Any]) -> dict[str, Any]:
        import aiohttp

        data = json.dumps(body).encode()
        try:
            async with self._session.post(
                url, data=data, headers=self._headers, proxy=self._proxy, allow_redirects=False
            ) as response:
                said = await _read(response)
        except (aiohttp.ClientError, OSError) as error:
            raise Passing(f"{type(error).__name__}: {error}") from error
        if response.status != OK:
            raise by_status(response.status, response.headers, said)
        return _json(said)


def request_of(call: Call) -> dict[str, Any]:
    """The body of the request; what a customer added never outweighs what we say ourselves."""
    body = allowed(call.extra)
    body["model"] = call.model.name
    body["messages"] = [{"role": message.role.value, "content": message.content} for message in call.messages]
    if call.temperature is not None:
        body["temperature"] = call.temperature
    if call.max_tokens is not None:
        # OpenAI's newer models know only the new name, most other servers only the old one.
        body["max_completion_tokens" if call.model.provider is Provider.OPENAI else "max_tokens"] = call.max_tokens
    if call.schema is not None:
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": call.schema}}
    return body


def _proxy_to(base: str) -> str | None:
    """The environment's proxy (HTTPS_PROXY, NO_PROXY), looked up once; the other lane's library does the same."""
    parts = urlsplit(base)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)


async def _read(response: Any) -> bytes:
    """The whole body, unless it is no honest answer's length."""
    if response.content_length is not None and response.content_length <= LONGEST_BODY:
        whole: bytes = await response.read()
        return whole
    parts, size = [], 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > LONGEST_BODY:
            response.close()
            raise Passing(f"the answer is longer than {LONGEST_BODY} bytes")
        parts.append(part)
    return b"".join(parts)


def _json(body: bytes) -> dict[str, Any]:
    """Broken JSON under a 200 is a server or a proxy that hiccuped, like a 502."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Passing(f"the answer is no JSON: {error}") from error
    if not isinstance(said, dict):
        raise Passing("the answer is no JSON object")
    return said


def _answer(model: ModelName, said: dict[str, Any]) -> Answer:
    try:
        choice = said["choices"][0]
        message = choice["message"]
        return Answer(
            content=_text(message),
            model=str(model),
            tool_calls=tuple(_tool_call(call) for call in message.get("tool_calls") or ()),
            finish_reason=_finish_reason(choice, message),
            usage=_usage(said),
        )
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise Passing(f"the answer is no chat completion: {json.dumps(said)}") from error  # an error under a 200


def _text(message: dict[str, Any]) -> str:
    """Null where the model calls tools or refuses; a list of parts from some servers."""
    content = message.get("content") or ""
    if isinstance(content, list):
        return "".join(part.get("text") or "" for part in content)
    return str(content)


def _finish_reason(choice: dict[str, Any], message: dict[str, Any]) -> str:
    if message.get("refusal"):
        return "content_filter"
    return FINISHED.get(choice.get("finish_reason") or "stop", "stop")


def _tool_call(call: dict[str, Any]) -> ToolCall:
    asked = call["function"]
    return ToolCall(id=call.get("id") or "", name=asked["name"], arguments=asked.get("arguments") or "{}")


def _usage(said: dict[str, Any]) -> Usage:
    """Servers that count nothing leave it out."""
    used = said.get("usage") or {}
    return Usage(
        calls=1,
        input_tokens=_counted(used.get("prompt_tokens")),
        output_tokens=_counted(used.get("completion_tokens")),
    )


def _counted(tokens: float | None) -> int:
    """Within what a column holds, whatever a server says. Raises ValueError, TypeError."""
    return 0 if tokens is None else int(min(max(tokens, 0), MOST_COUNTED))


def _vector(embedding: Any) -> Any:
    """Numbers, or what OpenAI calls base64: 32-bit floats, little-endian."""
    if isinstance(embedding, str):
        packed = base64.b64decode(embedding, validate=True)
        return list(struct.unpack(f"<{len(packed) // 4}f", packed))
    return embedding
