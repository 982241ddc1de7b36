"""A language model's server for the tests: OpenAI's protocol over HTTP, scripted, and every call counted.

In a thread of the suite (`serving()`), or a process of its own: `python -m tests.model_server --port 9911 --delay 50`.
Without a script it echoes the last user message. What scripts a call is a part of that message, or the model's name.
It also speaks as much of Anthropic's and Google's protocols as a plain question needs.
"""

import argparse
import asyncio
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

DIMENSIONS = 64
LOOK_SECONDS = 0.05  # between two looks whether an answer is held still
BROKEN_JSON = b'{"choices": [{"message": {"content": "never en'


class Drop(StrEnum):
    """When the connection is cut."""

    BEFORE = "before the answer"
    BODY = "in the middle of the body"
    STREAM = "after half of a stream's chunks"
    STREAMS_END = "the same, but ended as if it were whole"  # a proxy's way to give up


@dataclass(frozen=True)
class Act:
    """What happens to one call. `times` None: for ever. `answer` None: the last user message comes back."""

    answer: str | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0  # seconds
    hangs: bool = False
    held: threading.Event | None = None  # until it is set
    drop: Drop | None = None
    body: bytes | None = None  # instead of an answer
    message: Mapping[str, Any] = field(default_factory=dict)  # more of the answer's message, such as tool_calls
    finish_reason: str = "stop"
    refuses_schemas: bool = False  # 400 where the request has a response_format
    times: int | None = 1


def failing(status: int, times: int | None = 1, **headers: str) -> Act:
    """`retry_after="1"` becomes the header Retry-After."""
    return Act(status=status, times=times, headers={name.replace("_", "-"): said for name, said in headers.items()})


@dataclass
class ModelServer:
    """The server's script and its memory; for threads of all kinds."""

    port: int = 0
    delay: float = 0.0  # seconds, of every answer without a script
    prompts: Counter[str] = field(default_factory=Counter)  # calls by last user message
    models: Counter[str] = field(default_factory=Counter)
    requests: list[dict[str, Any]] = field(default_factory=list)  # bodies; only while `keep_requests`
    headers: list[str] = field(default_factory=list)
    keep_requests: bool = True
    at_once: int = 0
    most_at_once: int = 0
    first_at: float = 0.0  # clock of the loop: when the first call came, and the last was answered
    last_at: float = 0.0
    _scripts: list[tuple[str, list[Act]]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """As COMPATIBLE_BASE_URL and OPENAI_BASE_URL want it."""
        return f"http://127.0.0.1:{self.port}/v1"

    def environment(self, **more: str) -> dict[str, str]:
        """Settings of a process that asks this server."""
        return {
            "MODELS": "compatible:echo,openai:gpt-test",
            "COMPATIBLE_BASE_URL": self.url,
            "OPENAI_BASE_URL": self.url,
            "OPENAI_API_KEY": "sk-of-the-tests-1234567890",
            "RETRY_BASE_SECONDS": "0.01",
            **more,
        }

    def script(self, key: str, *acts: Act) -> None:
        """What happens to calls whose last user message holds `key`, or whose model is named so: one act after the
        other; after the last it echoes again. A later script of the same key comes before an earlier one.
        """
        with self._lock:
            self._scripts.insert(0, (key, list(acts)))

    def forget(self) -> None:
        """Scripts and counts."""
        with self._lock:
            self._scripts.clear()
            for memory in (self.prompts, self.models, self.requests, self.headers):
                memory.clear()
            self.most_at_once, self.first_at, self.last_at, self.delay, self.keep_requests = 0, 0.0, 0.0, 0.0, True

    def count_anew(self) -> None:
        """As `forget`, but what it does to calls stays as it is."""
        with self._lock:
            self.prompts.clear()
            self.models.clear()
            self.most_at_once, self.first_at, self.last_at = 0, 0.0, 0.0

    @property
    def calls(self) -> int:
        return self.models.total()

    def counts(self) -> dict[str, Any]:
        with self._lock:
            spread = self.last_at - self.first_at
            return {
                "calls": self.calls,
                "prompts": dict(self.prompts),
                "models": dict(self.models),
                "most_at_once": self.most_at_once,
                "seconds": spread,
            }

    def act_for(self, prompt: str, model: str) -> Act:
        with self._lock:
            self.prompts[prompt] += 1
            self.models[model] += 1
            for key, acts in self._scripts:
                if acts and (key == model or key in prompt):
                    return _taken(acts)
        return Act(delay=self.delay)


def _taken(acts: list[Act]) -> Act:
    act = acts[0]
    if act.times is not None:
        acts[:1] = [] if act.times <= 1 else [replace(act, times=act.times - 1)]
    return act


class Connection(asyncio.Protocol):
    """HTTP/1.1 with a Content-Length, as clients of models speak it; one request after the other."""

    def __init__(self, server: ModelServer, open_connections: set["Connection"]) -> None:
        self._server, self._open, self._received = server, open_connections, b""
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._open.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._open.discard(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].decode("latin-1")
            length = _content_length(head)
            if len(self._received) < end + 4 + length:
                return
            body, self._received = self._received[end + 4 : end + 4 + length], self._received[end + 4 + length :]
            self._handle(head, body)

    def _handle(self, head: str, body: bytes) -> None:
        method, path, _ = head.split(" ", 2)
        if method == "GET":
            self._write(200, json.dumps(self._server.counts()).encode())
        elif path == "/script":
            said = json.loads(body)
            self._server.script(said["key"], *(Act(**act) for act in said["acts"]))
            self._write(204, b"")
        elif path == "/count-anew":
            self._server.count_anew()
            self._write(204, b"")
        else:
            self._call(path, head, json.loads(body))

    def _call(self, path: str, head: str, request: dict[str, Any]) -> None:
        server = self._server
        if server.keep_requests:
            server.requests.append(request)
            server.headers.append(head)
        server.first_at = server.first_at or self._loop.time()
        server.at_once += 1
        server.most_at_once = max(server.most_at_once, server.at_once)
        asked = Asked.by(path, request)
        act = server.act_for(asked.prompt, asked.model)
        if act.hangs:
            server.at_once -= 1
        elif act.held:
            self._when_released(act, act.held, asked)
        elif act.delay:
            self._loop.call_later(act.delay, self._answer, act, asked)
        else:
            self._answer(act, asked)

    def _when_released(self, act: Act, held: threading.Event, asked: "Asked") -> None:
        if held.is_set():
            self._answer(act, asked)
        else:
            self._loop.call_later(LOOK_SECONDS, self._when_released, act, held, asked)

    def _answer(self, act: Act, asked: "Asked") -> None:
        self._server.at_once -= 1
        self._server.last_at = self._loop.time()
        if act.drop is Drop.BEFORE:
            self.transport.abort()
        elif act.refuses_schemas and "response_format" in asked.request:
            self._write(400, _error(400, "response_format is not supported"))
        elif act.status != 200:
            self._write(act.status, act.body or _error(act.status), act.headers)
        elif act.body is not None:
            self._write(200, act.body, act.headers)
        elif asked.request.get("stream"):
            self._stream(act, asked)
        else:
            self._write(200, asked.answered(act), act.headers, cut=act.drop is Drop.BODY)

    def _write(self, status: int, body: bytes, headers: Mapping[str, str] | None = None, *, cut: bool = False) -> None:
        more = "".join(f"{name}: {said}\r\n" for name, said in (headers or {}).items())
        kind = "" if headers and "content-type" in headers else "Content-Type: application/json\r\n"
        head = f"HTTP/1.1 {status} -\r\n{kind}{more}Content-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + (body[: len(body) // 2] if cut else body))
        if cut:
            self.transport.close()

    def _stream(self, act: Act, asked: "Asked") -> None:
        """Server-sent events, a word each, without a pause."""
        events = [asked.event(chunk) for chunk in asked.chunks(act)]
        self.transport.write(b"HTTP/1.1 200 -\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        cut = act.drop in {Drop.STREAM, Drop.STREAMS_END}
        for event in events[: len(events) // 2] if cut else [*events, *asked.last_event()]:
            self.transport.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
        if act.drop is Drop.STREAM:
            self.transport.close()
        else:
            self.transport.write(b"0\r\n\r\n")


@dataclass(frozen=True)
class Asked:
    """One request, whoever's protocol it speaks."""

    path: str
    request: dict[str, Any]
    prompt: str
    model: str

    @classmethod
    def by(cls, path: str, request: dict[str, Any]) -> "Asked":
        if "contents" in request:  # Google's
            model = path.rpartition("/")[2].partition(":")[0]
            return cls(path, request, request["contents"][-1]["parts"][-1]["text"], model)
        if "input" in request:
            texts = request["input"]
            return cls(path, request, texts if isinstance(texts, str) else str(texts[0]), request["model"])
        return cls(path, request, _text(request["messages"][-1]["content"]), request["model"])

    def answered(self, act: Act) -> bytes:
        if self.path.endswith("/embeddings"):
            return json.dumps(self._embedded()).encode()
        said = self.prompt if act.answer is None else act.answer
        if self.path.endswith("/messages"):
            return json.dumps(self._of_anthropic(said)).encode()
        if "contents" in self.request:
            return json.dumps(self._of_google(said)).encode()
        message = {"role": "assistant", "content": said, **act.message}
        choice = {"index": 0, "message": message, "finish_reason": act.finish_reason}
        return json.dumps(
            {
                "id": "c",
                "object": "chat.completion",
                "created": 1,
                "model": self.model,
                "choices": [choice],
                "usage": self._usage(said),
            }
        ).encode()

    def event(self, chunk: dict[str, Any]) -> bytes:
        """Anthropic's events have names."""
        name = f"event: {chunk['type']}\n" if self.path.endswith("/messages") else ""
        return f"{name}data: {json.dumps(chunk)}\n\n".encode()

    def last_event(self) -> list[bytes]:
        return [] if self.path.endswith("/messages") else [b"data: [DONE]\n\n"]

    def chunks(self, act: Act) -> Iterator[dict[str, Any]]:
        said = self.prompt if act.answer is None else act.answer
        if self.path.endswith("/messages"):
            yield from self._chunks_of_anthropic(said)
            return
        head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": self.model}
        for text in _pieces(said):
            yield {**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": text}}]}
        yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": act.finish_reason}]}
        yield {**head, "choices": [], "usage": self._usage(said)}

    def _usage(self, said: str) -> dict[str, int]:
        asked = sum(len(_text(message["content"]).split()) for message in self.request["messages"])
        given = len(said.split())
        return {"prompt_tokens": asked, "completion_tokens": given, "total_tokens": asked + given}

    def _embedded(self) -> dict[str, Any]:
        texts = self.request["input"]
        texts = [texts] if isinstance(texts, str) else texts
        dimensions = self.request.get("dimensions", DIMENSIONS)
        rows = [
            {"object": "embedding", "index": place, "embedding": vector_of(text, dimensions)}
            for place, text in enumerate(texts)
        ]
        tokens = sum(len(text.split()) for text in texts)
        return {
            "object": "list",
            "data": rows,
            "model": self.model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }

    def _of_anthropic(self, said: str) -> dict[str, Any]:
        return {
            "id": "m",
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [{"type": "text", "text": said}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": len(self.prompt.split()), "output_tokens": len(said.split())},
        }

    def _chunks_of_anthropic(self, said: str) -> Iterator[dict[str, Any]]:
        whole = self._of_anthropic(said)
        yield {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}}
        yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        for text in _pieces(said):
            delta = {"type": "text_delta", "text": text}
            yield {"type": "content_block_delta", "index": 0, "delta": delta}
        yield {"type": "content_block_stop", "index": 0}
        ended = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
        yield {"type": "message_delta", "delta": ended, "usage": {"output_tokens": whole["usage"]["output_tokens"]}}
        yield {"type": "message_stop"}

    def _of_google(self, said: str) -> dict[str, Any]:
        content = {"role": "model", "parts": [{"text": said}]}
        asked, given = len(self.prompt.split()), len(said.split())
        return {
            "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
            "usageMetadata": {
                "promptTokenCount": asked,
                "candidatesTokenCount": given,
                "totalTokenCount": asked + given,
            },
            "modelVersion": self.model,
        }


def vector_of(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """Words counted by their hash, of length one: texts with the same words are near each other."""
    counts = [0.0] * dimensions
    for word in text.lower().split() or [""]:
        counts[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4]) % dimensions] += 1.0
    length = sum(count * count for count in counts) ** 0.5
    return [count / length for count in counts]


def _pieces(said: str) -> Iterator[str]:
    """A stream's: a word each."""
    *words, last = said.split(" ")
    yield from (f"{word} " for word in words)
    yield last


def _text(content: str | list[dict[str, Any]]) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _error(status: int, words: str = "as the script says") -> bytes:
    code = "model_not_found" if status == 404 else None
    return json.dumps({"error": {"message": words, "type": "scripted", "code": code}}).encode()


def _content_length(head: str) -> int:
    lower = head.lower()
    at = lower.find("content-length:")
    return int(lower[at + 15 :].split("\r\n", 1)[0]) if at >= 0 else 0


async def _serve(server: ModelServer, ready: Callable[[], object], stop: asyncio.Event) -> None:
    connections: set[Connection] = set()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Connection(server, connections), "127.0.0.1", server.port)
    server.port = listening.sockets[0].getsockname()[1]
    ready()
    try:
        await stop.wait()
    finally:
        listening.close()
        for connection in list(connections):
            connection.transport.abort()
        await asyncio.sleep(0)


@contextmanager
def serving() -> Iterator[ModelServer]:
    """A server in a thread of its own, on a port of its own."""
    server, ready = ModelServer(), threading.Event()
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(_serve(server, ready.set, stop)), name="models")
    thread.start()
    assert ready.wait(10), "the models' server did not start"
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0, help="milliseconds of every answer")
    options = parser.parse_args()
    server = ModelServer(port=options.port, delay=options.delay / 1000, keep_requests=False)

    def ready() -> None:
        print(server.url, flush=True)

    asyncio.run(_serve(server, ready, asyncio.Event()))


if __name__ == "__main__":
    main()
