import json
from pathlib import Path

import pytest

from transformers.envelopes import LONGEST, opened, sealed


def read(line: bytes, name: str, path: Path) -> str:
    body = opened(json.loads(line), name, str(path))
    return body if isinstance(body, str) else body.decode()


@pytest.mark.parametrize("body", ["{}", 'né "quoted"\n', "x" * (LONGEST - 100), "x" * LONGEST, "é" * (LONGEST - 100)])
def test_a_body_arrives_as_it_was_in_a_line_that_is_never_too_long(body: str, tmp_path: Path) -> None:
    path = tmp_path / "1.request.json"
    line = sealed({"run": "parse"}, "request", body, str(path))
    assert len(line) <= LONGEST
    assert line.count(b"\n") == 1
    assert read(line, "request", path) == body
    assert not path.exists()


def test_a_short_body_needs_no_file(tmp_path: Path) -> None:
    path = tmp_path / "none" / "1.request.json"
    assert read(sealed({}, "done", "{}", str(path)), "done", path) == "{}"
