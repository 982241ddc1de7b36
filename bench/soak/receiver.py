"""The customers' own server, which takes every webhook and forgets it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from backend.ports import LOOPBACK

POLL_SECONDS = 0.1


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@contextmanager
def receiving() -> Iterator[str]:
    """Its address, while the block lasts."""
    server = ThreadingHTTPServer((LOOPBACK, 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": POLL_SECONDS}, name="receiver")
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}/hook"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
