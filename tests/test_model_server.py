"""The scripted server as other processes see it; what it does to a client is seen in backend/language_models."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.model_server import vector_of

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.model_server", "--delay", "1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


def ask(url: str, prompt: str, **more: Any) -> httpx.Response:
    messages = [{"role": "user", "content": prompt}]
    return httpx.post(f"{url}/chat/completions", json={"model": "echo", "messages": messages, **more})


def test_another_process_scripts_it_and_reads_its_counts(url: str) -> None:
    acts = [{"status": 429, "headers": {"retry-after": "3"}}, {"answer": "scripted"}]
    httpx.post(f"{url.removesuffix('/v1')}/script", json={"key": "one of", "acts": acts})
    refused, scripted, echoed = (ask(url, "one of three") for _ in range(3))
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3")
    assert [said.json()["choices"][0]["message"]["content"] for said in (scripted, echoed)] == [
        "scripted",
        "one of three",
    ]
    counts = httpx.get(f"{url.removesuffix('/v1')}/counts").json()
    assert counts["prompts"]["one of three"] == 3
    assert counts["seconds"] > 0


def test_its_streams_are_server_sent_events(url: str) -> None:
    lines = [line for line in ask(url, "two words", stream=True).text.split("\n\n") if line]
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    assert "".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"]) == "two words"
    assert chunks[-1]["usage"]["completion_tokens"] == 2
    assert lines[-1] == "data: [DONE]"


def test_its_vectors_are_near_where_words_are_the_same() -> None:
    def product(one: str, other: str) -> float:
        return sum(a * b for a, b in zip(vector_of(one), vector_of(other), strict=True))

    assert product("a red house", "red house a") == pytest.approx(1)
    assert product("a red house", "a red car") > product("a red house", "something else entirely")
