"""The customer's commands as a script types them, against a real house."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.acceptance.house import PATIENCE, ROOT, TABLE, House


@pytest.fixture
def environment(solo_house: House, tmp_path: Path) -> dict[str, str]:
    return os.environ | {"AGENSIUM_URL": solo_house.api_url, "AGENSIUM_CONFIG_DIR": str(tmp_path / "config")}


def typed(environment: dict[str, str], *words: str, said: str = "") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "backend", *words]
    return subprocess.run(
        command, cwd=ROOT, env=environment, input=said, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def test_a_script_gets_from_a_new_account_to_its_files(environment: dict[str, str], tmp_path: Path) -> None:
    opened = typed(
        environment, "login", f"{uuid.uuid4().hex}@example.com", "--new", said="a long and private sentence\n"
    )
    assert opened.returncode == 0, opened.stderr
    assert "10000 credits" in opened.stderr
    file = tmp_path / "people.csv"
    file.write_bytes(TABLE)

    watched = typed(environment, "submit", "probe", str(file), "--watch", "--json", "-d", str(tmp_path / "files"))
    assert watched.returncode == 0, watched.stderr
    *events, files = [json.loads(line) for line in watched.stdout.splitlines()]
    assert (events[0]["kind"], events[-1]["kind"]) == ("snapshot", "completed")
    assert {Path(one["path"]).name for one in files} == {path.name for path in (tmp_path / "files").iterdir()}
    assert (tmp_path / "files" / "report.json").exists()

    [task] = json.loads(typed(environment, "tasks", "--json").stdout)
    assert (task["status"], task["task_id"]) == ("COMPLETED", events[0]["task"]["task_id"])
    late = typed(environment, "cancel", task["task_id"])
    assert late.returncode == 3
    assert late.stdout == ""
