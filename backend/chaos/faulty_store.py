"""A loopback proxy before the file store that misbehaves on demand: it refuses, hangs, dawdles, cuts bodies short.

It passes requests on as they are (Content-Length both ways, as S3's clients send them) and keeps nothing.
"""

import http.client
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from backend.ports import LOOPBACK

UPSTREAM_SECONDS = 60
HANG_SECONDS = 600  # longer than any client waits; ends when the proxy behaves again
CRUMBS = 20  # pieces of a slow body
CRUMB_SECONDS = 0.05
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "server", "date"})
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST, as a machine that lost power would


class Mood(StrEnum):
    """How the proxy answers."""

    FAIR = "fair"
    UNAVAILABLE = "503 Slow Down"
    ERROR = "500 Internal Error"
    HANGING = "no answer"
    SLOW = "slow bodies"
    CUTTING_DOWNLOADS = "truncated downloads"
    RESETTING_UPLOADS = "reset uploads"


_XML = "<Error><Code>{code}</Code><Message>as rehearsed</Message></Error>"
_REFUSALS = {Mood.UNAVAILABLE: (503, "SlowDown"), Mood.ERROR: (500, "InternalError")}


class FaultyStore:
    """The proxy, on a port of its own, from `start` to `close`. `hit` counts the requests it treated badly."""

    def __init__(self, upstream_port: int) -> None:
        self.upstream_port = upstream_port
        self.mood = Mood.FAIR
        self.calm = threading.Event()  # set while the mood is fair: whoever hangs goes on
        self.calm.set()
        self.hit: Counter[Mood] = Counter()
        handler = type("Handler", (_Handler,), {"store": self})
        self._server = _Server((LOOPBACK, 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="faulty-store", daemon=True)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._server.server_port}"

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self.calm.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @contextmanager
    def misbehaving(self, mood: Mood) -> Iterator[None]:
        """In this mood for the length of the block."""
        self.mood = mood
        self.calm.clear()
        try:
            yield
        finally:
            self.mood = Mood.FAIR
            self.calm.set()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what is rehearsed here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: ClassVar[FaultyStore]

    def do_GET(self) -> None:
        self._handle()

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815 (http.server's names)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class' name)
        """Say nothing."""

    def _handle(self) -> None:
        mood = self.store.mood
        size = int(self.headers.get("Content-Length", 0))
        if mood is Mood.RESETTING_UPLOADS and self.command in {"PUT", "POST"} and size:
            self._reset(size)
            return
        body = self.rfile.read(size)
        if mood in _REFUSALS:
            self._refuse(mood)
        elif mood is Mood.HANGING:
            self._hang()
        else:
            self._pass_on(body, mood)

    def _refuse(self, mood: Mood) -> None:
        self.store.hit[mood] += 1
        status, code = _REFUSALS[mood]
        said = b"" if self.command == "HEAD" else _XML.format(code=code).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def _hang(self) -> None:
        self.store.hit[Mood.HANGING] += 1
        self.store.calm.wait(HANG_SECONDS)
        self.close_connection = True

    def _reset(self, size: int) -> None:
        self.store.hit[Mood.RESETTING_UPLOADS] += 1
        self.rfile.read(size // 2)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.close_connection = True
        self.connection.close()

    def _pass_on(self, body: bytes, mood: Mood) -> None:
        upstream = http.client.HTTPConnection(LOOPBACK, self.store.upstream_port, timeout=UPSTREAM_SECONDS)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
            upstream.request(self.command, self.path, body or None, headers)
            answer = upstream.getresponse()
            self._answer(answer, answer.read(), mood)
        finally:
            upstream.close()

    def _answer(self, answer: http.client.HTTPResponse, body: bytes, mood: Mood) -> None:
        self.send_response(answer.status)
        headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        download = self.command == "GET" and len(body) > 1
        if download and mood is Mood.CUTTING_DOWNLOADS:
            self.store.hit[mood] += 1
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        elif body and mood is Mood.SLOW:
            self._dawdle(body)
        else:
            self.wfile.write(body)

    def _dawdle(self, body: bytes) -> None:
        self.store.hit[Mood.SLOW] += 1
        pause, size = threading.Event(), max(1, -(-len(body) // CRUMBS))
        for start in range(0, len(body), size):
            self.wfile.write(body[start : start + size])
            self.wfile.flush()
            pause.wait(CRUMB_SECONDS)
