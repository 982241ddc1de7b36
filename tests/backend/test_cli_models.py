"""The shell's commands for language models: what they ask, print and exit with."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from backend import cli_session
from backend.cli import app
from backend.client import AgensiumClient

Shell = Callable[..., Result]
ANSWER = {"content": "Paris. <b>Really</b> [red]", "model": "compatible:small"}
ROWS = [
    {"custom_id": "a", "position": 0, "ok": True, "error": None, "answer": ANSWER},
    {"custom_id": "b", "position": 1, "ok": False, "error": {"code": "X", "message": "y"}, "answer": None},
]
HIT = {"id": "9f", "document": "a.txt", "position": 2, "content": "some\nwords", "score": 0.5, "metadata": {}}


class House:
    """Everything goes well at once; `told` are the events of the one task."""

    def __init__(self, *told: tuple[str, dict[str, Any]], ends: str = "COMPLETED") -> None:
        self.asked: list[tuple[str, Any]] = []
        self._told, self._ends, self._queued = told, ends, False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.headers.get("content-type") == "application/json":
            self.asked.append((path, json.loads(request.content or b"null")))
        self._queued = self._queued or path.endswith("/process")
        task = {"task_id": "t1", "tool_id": "x", "status": self._ends if self._queued else "CREATED", "progress": 0}
        link = {"method": "POST", "url": "http://store/b", "fields": {}}
        files = [{"name": name, "url": "", "size": 1, "sha256": "", "kind": "data"} for name in ("answer.json",)]
        blocks = (f"event: {kind}\nid: {n}\ndata: {json.dumps(data)}\n\n" for n, (kind, data) in enumerate(self._told))
        answers: dict[str, Any] = {
            "upload-urls": {"uploads": {"items": link, "documents": [link]}},
            "outputs": {"outputs": files},
            "answer.json": ANSWER | {"collections": [{"name": "works"}]},
            "items": {"items": ROWS, "next": None},
            "search": {"hits": [HIT]},
        }
        if path.endswith("/events"):
            return httpx.Response(200, text="".join(blocks))
        return httpx.Response(200, json=answers.get(path.rpartition("/")[2], task))


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    monkeypatch.setenv("AGENSIUM_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.delenv("AGENSIUM_URL", raising=False)
    monkeypatch.setenv("AGENSIUM_API_KEY", "ag_key")

    def run(house: House, *words: str, typed: str | None = None) -> Result:
        client = partial(AgensiumClient, transport=httpx.MockTransport(house), tries=1)
        monkeypatch.setattr(cli_session, "AgensiumClient", client)
        return CliRunner().invoke(app, words, input=typed)

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_text("words")
    return path


def test_generate_prints_the_answer_as_it_is(shell: Shell) -> None:
    house = House()
    result = shell(house, "generate", "Capital?", "--system", "Be brief.", "--model", "compatible:small")

    assert (result.exit_code, result.stdout) == (0, "Paris. <b>Really</b> [red]\n")
    form = {"prompt": "Capital?", "system": "Be brief.", "model": "compatible:small"}
    assert house.asked[0][1]["parameters"] == {"generate": form}


def test_a_prompt_may_come_from_standard_input(shell: Shell) -> None:
    house = House()
    shell(house, "generate", "-", typed="A long one.")

    assert house.asked[0][1]["parameters"] == {"generate": {"prompt": "A long one."}}


def test_a_stream_prints_the_text_while_it_comes(shell: Shell) -> None:
    texts = [{"kind": "text", "progress": 0, "data": {"text": text}} for text in ("Paris. <b>", "Really</b> [red]")]
    ended = {"kind": "completed", "progress": 100, "status": "COMPLETED"}
    house = House(*(("text", text) for text in texts), ("completed", ended))

    result = shell(house, "generate", "Capital?", "--stream")

    assert result.stdout == "Paris. <b>Really</b> [red]\n"
    assert house.asked[0][1]["parameters"]["generate"]["stream"] is True


def test_a_stream_that_was_begun_anew_is_followed_by_the_whole_answer(shell: Shell) -> None:
    ended = {"kind": "completed", "progress": 100, "status": "COMPLETED"}
    house = House(("text", {"kind": "text", "progress": 0, "data": {"text": "Par"}}), ("completed", ended))

    assert shell(house, "generate", "Capital?", "--stream").stdout == f"Par\n{ANSWER['content']}\n"


def test_a_batch_prints_a_line_an_item_and_says_by_its_exit_that_one_failed(shell: Shell, file: Path) -> None:
    result = shell(House(), "batch", str(file))

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert lines[0] == {"custom_id": "a", "position": 0, "ok": True, "error": None, **ANSWER}
    assert lines[1]["error"] == {"code": "X", "message": "y"}
    assert result.exit_code == 1


def test_ingest_names_the_collection_and_its_metadata(shell: Shell, file: Path) -> None:
    house = House()
    result = shell(house, "ingest", "works", str(file), "-m", "year=2024", "-m", "language=en")

    assert result.exit_code == 0, result.output
    described = {"name": "works", "metadata": {"year": 2024, "language": "en"}}
    assert house.asked[0][1]["parameters"] == {"ingest": {"collections": [described]}}


def test_search_shows_what_was_found(shell: Shell) -> None:
    house = House()
    result = shell(house, "search", "works", "what?", "-w", "year=2024")

    assert result.stdout == "0.500  a.txt #2\n       some words\n"
    assert house.asked[-1] == ("/collections/works/search", {"query": "what?", "limit": 5, "filters": {"year": 2024}})


def test_what_has_not_ended_in_time_has_an_exit_of_its_own(shell: Shell) -> None:
    assert shell(House(ends="PROCESSING"), "generate", "x", "--timeout", "0").exit_code == 5


@pytest.mark.parametrize("words", [("ingest", "works", "FILE", "-m", "year"), ("generate", "x", "--schema", "FILE")])
def test_what_is_typed_wrongly_is_wrong_usage(shell: Shell, file: Path, words: tuple[str, ...]) -> None:
    assert shell(House(), *(str(file) if word == "FILE" else word for word in words)).exit_code == 2
