import os
import sys
from pathlib import Path

import psutil
import pytest

from backend.product import ROOT
from bench.apart import Limits, Ran, run_apart
from tests.waiting import eventually


def _run(folder: Path, script: str, limits: Limits | None = None) -> Ran:
    return run_apart([sys.executable, "-c", script], folder / "log.txt", limits or Limits(), os.environ, ROOT)


def test_a_command_that_ends_is_measured(tmp_path: Path) -> None:
    ran = _run(tmp_path, "sum(range(3_000_000)); held = bytearray(60 << 20)")
    assert not ran.failure
    assert ran.cpu_seconds > 0
    assert ran.seconds > 0


def test_the_last_word_of_a_command_that_fails_is_its_failure(tmp_path: Path) -> None:
    assert _run(tmp_path, "raise SystemExit('no such column')").failure == "no such column"


def test_a_command_is_ended_at_its_time_with_all_that_it_started(tmp_path: Path) -> None:
    child = "import threading; threading.Event().wait(50)"
    started = f"import subprocess, pathlib; p = subprocess.Popen([{sys.executable!r}, '-c', {child!r}]);"
    note = tmp_path / "pid"
    ran = _run(tmp_path, f"{started} pathlib.Path({str(note)!r}).write_text(str(p.pid)); p.wait()", Limits(3.0))
    assert ran.failure == "no end after 3 s"
    eventually(lambda: _dead(int(note.read_text())))  # who is killed is gone a moment later


def _dead(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.skipif(sys.platform == "win32", reason="resident memory is counted otherwise")
def test_a_command_is_ended_when_it_has_taken_too_much_memory(tmp_path: Path) -> None:
    script = "held = bytearray(b'x') * (300 << 20); import threading; threading.Event().wait(50)"
    assert _run(tmp_path, script, Limits(50.0, 200.0)).failure.startswith("more than")
