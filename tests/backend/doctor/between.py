"""Someone between us and the file store: forwards all, but refuses or forgets what a test says."""

import http.client
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

REFUSAL = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
HOP = {"transfer-encoding", "connection", "content-length"}
Refuses = Callable[[str, str], bool]  # by method and path


@contextmanager
def between(
    store: str,
    refuses: Refuses = lambda *_: False,
    *,
    drops: Collection[str] = (),
    adds: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[str]:
    """An address that leads to the store.

    `drops`: headers, in lower case, that get lost on either way; `adds`: what its answers have besides.
    """

    class Forwarding(BaseHTTPRequestHandler):
        def _forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if refuses(self.command, self.path):
                self._answer(403, {}, REFUSAL)
                return
            line = http.client.HTTPConnection(urlsplit(store).netloc, timeout=10)
            sent = {name: value for name, value in self.headers.items() if name.lower() not in drops}
            line.request(self.command, self.path, body, sent)
            answer = line.getresponse()
            self._answer(answer.status, dict(answer.getheaders()), answer.read())
            line.close()

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in (headers | dict(adds)).items():
                if name.lower() not in {*HOP, *drops}:
                    self.send_header(name, value)
            self.send_header("Content-Length", headers.get("content-length", str(len(body))))
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = do_OPTIONS = _forward  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Forwarding) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
