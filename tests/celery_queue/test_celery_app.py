import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOWS = """
import os
from celery_queue.celery_app import app
from flower.command import apply_env_options
from tornado.options import options
import flower.options
apply_env_options()
print(options.address)
"""


@pytest.mark.parametrize(("said", "address"), [({}, "127.0.0.1"), ({"FLOWER_ADDRESS": "0.0.0.0"}, "0.0.0.0")])  # noqa: S104
def test_flower_as_typed_stays_on_this_machine_unless_it_is_told_otherwise(
    said: dict[str, str], address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FLOWER_ADDRESS", raising=False)
    monkeypatch.setenv("BROKER_DIR", str(tmp_path / "broker"))
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    shown = subprocess.run([sys.executable, "-c", SHOWS], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == address


def test_the_one_task_is_known_under_its_given_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BROKER_DIR", str(tmp_path / "broker"))
    names = "from celery_queue.celery_app import app; app.loader.import_default_modules(); print(*app.tasks)"
    shown = subprocess.run([sys.executable, "-c", names], cwd=ROOT, capture_output=True, text=True, check=True)
    ours = [name for name in shown.stdout.split() if not name.startswith("celery.")]
    assert ours == ["celery_queue.tasks.process_analysis"]
