"""A store that answers what it is told to, in order, the last for ever, and remembers how it was asked."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(frozen=True)
class Reply:
    """`announced` is the length that it promises, where that is another than the body's."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    announced: int | None = None


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class ScriptedStore:
    url: str
    replies: Sequence[Reply]
    requests: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> Reply:
        self.requests.append(request)
        return self.replies[min(len(self.requests), len(self.replies)) - 1]


def refusal(status: int, code: str, **headers: str) -> Reply:
    return Reply(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode(), headers)


@contextmanager
def scripted_store(*replies: Reply) -> Iterator[ScriptedStore]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        store: Any = ScriptedStore(f"http://127.0.0.1:{server.server_port}", replies)
        server.store = store  # type: ignore[attr-defined]
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield store
        finally:
            server.shutdown()
            thread.join()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # which tells who asks first whether it may send to go on

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        reply = self.server.store.answer(Request(self.command, self.path, dict(self.headers), body))  # type: ignore[attr-defined]
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(reply.announced or len(reply.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    do_GET = do_PUT = do_HEAD = _answer  # noqa: N815 (the standard library's names)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""
