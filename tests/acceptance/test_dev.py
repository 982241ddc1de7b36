"""`agensium dev` as a developer types it: up, a second terminal, Ctrl+C."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from backend.processes import Process
from backend.settings import Settings
from tests.acceptance.house import PATIENCE

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A developer's terminal: nothing is set that settings read."""
    mine = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    mine.pop("AGENSIUM_NO_ENV_FILE")
    return mine | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"}


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> Iterator[Process]:
    monkeypatch.chdir(tmp_path)
    command = [sys.executable, "-m", "backend", "dev"]
    process = Process("dev", command, tmp_path / "dev.log", environment=environment, stop_signal=signal.SIGINT)
    process.start()
    try:
        process.wait_until(lambda: b"Ctrl+C" in process.log.read_bytes(), PATIENCE)
        yield process
    finally:
        process.kill()


@pytest.mark.long  # it waits for nine processes; what starts and stops them all is run by test_make_demo.py
@pytest.mark.timeout(200)
def test_a_second_terminal_finds_the_stack_and_ctrl_c_ends_it(dev: Process, environment: dict[str, str]) -> None:
    def typed(*command: str) -> str:
        arguments = [sys.executable, "-m", *command]
        return subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True).stdout

    assert ": OK" in typed("celery", "-A", "celery_queue.celery_app", "inspect", "ping")
    assert "newest" in typed("backend", "migrate")
    family = psutil.Process(dev.pid).children(recursive=True)
    dev.stop(grace=2 * PATIENCE)
    assert dev.exit_code == 0, dev.log_tail()
    assert not [child for child in family if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert not Path(".agensium/env").exists()
