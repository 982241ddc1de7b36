"""The README is run: its commands, its snippets, its tables."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from backend.settings import Settings
from tests.acceptance.house import House
from transformers.intake import read_table
from transformers.routing import Transformer
from transformers.tool import TABULAR, AgentContext

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def block_with(language: str, words: str) -> str:
    (found,) = [block for block in blocks(language) if words in block]
    return found


def test_every_make_command_it_shows_is_there_and_help_lists_it() -> None:
    shown = set(re.findall(r"^make (\w+)", "\n".join(blocks("console")), re.MULTILINE))
    assert shown >= {"demo", "test", "dev", "check", "help"}
    help_text = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert shown <= set(re.findall(r"make (\w+)", help_text))


def test_every_agensium_command_it_shows_is_there() -> None:
    shown = set(re.findall(r"(?:agensium|-m backend) ([a-z-]+)", "\n".join(blocks("console"))))
    assert shown >= {"demo", "dev", "migrate", "make-admin"}
    help_text = subprocess.run(
        [sys.executable, "-m", "backend", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert all(command in help_text for command in shown)


def test_every_file_it_names_is_there() -> None:
    named = re.findall(r"\]\(([^)#:]+)\)", README)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_make_demo_ends_with_a_report_and_a_right_bill(tmp_path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^demo:.*\n\t@?\$\(BIN\)/python -m backend demo$", makefile, re.MULTILINE)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "REDIS_"))}
    demo = subprocess.run(
        [sys.executable, "-m", "backend", "demo"],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "Available now: 335 credits." in demo.stdout
    assert (tmp_path / ".agensium" / "demo" / "report.html").stat().st_size > 10_000


def test_the_customers_way_runs_as_shown(solo_house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    seen: dict[str, Any] = {"API_URL": solo_house.api_url, "DIRECTORY": tmp_path, "print": lambda *_: None}
    way = block_with("python", "AgensiumClient").replace("ada@", "ada.readme@")
    exec(compile(way, "README.md", "exec"), seen)  # noqa: S102 (the README is ours)
    assert seen["report"]["status"] == "success"
    assert {file.path.name for file in seen["files"]} >= {"report.json", "report.xlsx", "report.html"}


def test_the_agent_and_the_tool_it_shows_do_what_they_say(tmp_path: Path) -> None:
    words = "from transformers.findings import *\nfrom transformers.tool import *\n"
    agent_file = ModuleType("row_counter")
    exec(words + block_with("python", "row_counter.py"), agent_file.__dict__)  # noqa: S102
    tool_file: dict[str, Any] = {"row_counter": agent_file}
    exec(words + "from transformers.routing import *\n" + block_with("python", "COUNT_MY_DATA = "), tool_file)  # noqa: S102
    shown = tool_file["run_count_my_data_analysis"]
    assert isinstance(shown, Transformer)
    agent = shown.tool.steps[0].agent
    (tmp_path / "people.csv").write_bytes(b"name,age\nAda,36\nGrace,85\n")
    table = read_table(tmp_path / "people.csv", role="primary", name="people.csv", accepted=TABULAR, folder=tmp_path)
    context = AgentContext({"primary": table}, agent.parameters(), scratch=tmp_path, memory_bytes=2**28)
    assert agent.run(context).summary_metrics == {"rows": 2}


def test_all_settings_are_listed_as_they_are() -> None:
    listed = README.partition("<!-- settings: begin -->\n")[2].partition("<!-- settings: end -->")[0]
    assert listed == settings_table(), "run: python -m tests.acceptance.test_readme"


def settings_table() -> str:
    """The README's table of settings, made from the class."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown = "" if default in (None, "", ()) or "scratch" in name else f"`{default}`"
        rows.append(f"| `{name.upper()}` | {shown} | {field.description or ''} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    before, _, rest = README.partition("<!-- settings: begin -->\n")
    after = rest.partition("<!-- settings: end -->")[2]
    written = f"{before}<!-- settings: begin -->\n{settings_table()}<!-- settings: end -->{after}"
    (ROOT / "README.md").write_text(written, encoding="utf-8")
