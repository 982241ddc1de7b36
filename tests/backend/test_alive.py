import platform
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from backend import alive
from backend.ports import free_port
from tests import builders

ROOT = Path(__file__).parents[2]


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def served() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_who_answers_well_is_alive(served: str) -> None:
    assert alive.main([f"{served}/healthz"]) is None


def test_who_answers_with_an_error_is_not(served: str) -> None:
    assert alive.main([f"{served}/readyz"]) == f"{served}/readyz: HTTP 503"


def test_nor_is_who_does_not_answer() -> None:
    assert "refused" in str(alive.main([f"http://127.0.0.1:{free_port()}/healthz"]))


def test_a_worker_is_alive_where_the_house_has_heard_of_it(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    here = builders.live_worker().host
    monkeypatch.setattr(platform, "node", lambda: here)
    assert alive.main(["worker"]) is None


def test_another_hosts_worker_says_nothing_of_ours(database: str) -> None:
    builders.live_worker()
    assert alive.main(["worker"]) == f"no worker of {platform.node()} was heard of for {alive.FRESH}"


def test_asking_an_address_loads_nothing_of_the_house() -> None:
    shows = "import sys, backend.alive; print({'sqlalchemy', 'pydantic', 'db', 'typer', 'asyncio'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", shows], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert shown.strip() == "set()"
