"""The proxy passes everything on while its mood is fair, and each mood does its harm until it is over."""

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from backend.chaos.faulty_store import CRUMB_SECONDS, CRUMBS, FaultyStore, Mood
from backend.clock import monotonic
from tests.waiting import eventually

BODY = bytes(range(256)) * 40


class Upstream(BaseHTTPRequestHandler):
    """Keeps the last body under its path, and gives it back."""

    protocol_version = "HTTP/1.1"
    kept: dict[str, bytes]

    def do_PUT(self) -> None:
        self.kept[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self._say(200, b"")

    def do_GET(self) -> None:
        self._say(200 if self.path in self.kept else 404, self.kept.get(self.path, b"not there"))

    def do_HEAD(self) -> None:
        self.do_GET()

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"as-it-is"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def store() -> Iterator[FaultyStore]:
    handler = type("Handler", (Upstream,), {"kept": {"/a": BODY}})
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=upstream.serve_forever, daemon=True)
    thread.start()
    store = FaultyStore(upstream.server_port)
    store.start()
    yield store
    store.close()
    upstream.shutdown()
    upstream.server_close()
    thread.join()


def test_in_a_fair_mood_everything_passes_as_it_is(store: FaultyStore) -> None:
    with httpx.Client(base_url=store.url) as client:
        assert client.put("/b", content=BODY).status_code == 200
        got = client.get("/b")
        assert (got.content, got.headers["ETag"]) == (BODY, '"as-it-is"')
        assert client.head("/b").headers["Content-Length"] == str(len(BODY))
        assert client.get("/c").status_code == 404


@pytest.mark.parametrize(("mood", "status"), [(Mood.UNAVAILABLE, 503), (Mood.ERROR, 500)])
def test_it_refuses_and_counts_whom_until_the_mood_is_over(store: FaultyStore, mood: Mood, status: int) -> None:
    with httpx.Client(base_url=store.url) as client:
        with store.misbehaving(mood):
            assert [client.get("/a").status_code, client.put("/a", content=b"x").status_code] == [status, status]
            assert "<Code>" in client.get("/a").text, "as S3 says it"
        assert client.get("/a").content == BODY
    assert store.hit[mood] == 3


def test_who_hangs_is_let_go_when_the_mood_is_over(store: FaultyStore) -> None:
    answers: list[object] = []

    def ask() -> None:
        try:
            answers.append(httpx.get(f"{store.url}/a", timeout=30))
        except httpx.TransportError as error:
            answers.append(error)

    with store.misbehaving(Mood.HANGING):
        thread = threading.Thread(target=ask)
        thread.start()
        eventually(lambda: store.hit[Mood.HANGING] == 1)
        assert answers == []
    thread.join()
    assert isinstance(answers[0], httpx.TransportError)


def test_a_slow_body_is_whole_and_slow(store: FaultyStore) -> None:
    began = monotonic()
    with store.misbehaving(Mood.SLOW):
        assert httpx.get(f"{store.url}/a").content == BODY
    assert monotonic() - began > CRUMBS * CRUMB_SECONDS * 0.9


def test_a_truncated_download_promises_more_than_it_brings(store: FaultyStore) -> None:
    with store.misbehaving(Mood.CUTTING_DOWNLOADS):
        connection = http.client.HTTPConnection(store.url.removeprefix("http://"))
        connection.request("GET", "/a")
        with pytest.raises(http.client.IncompleteRead) as cut:
            connection.getresponse().read()
        connection.close()
    assert cut.value.partial == BODY[: len(BODY) // 2]


def test_an_upload_is_reset_and_nothing_arrives(store: FaultyStore) -> None:
    with store.misbehaving(Mood.RESETTING_UPLOADS), pytest.raises(httpx.TransportError):
        httpx.put(f"{store.url}/b", content=BODY)
    assert httpx.get(f"{store.url}/b").status_code == 404
