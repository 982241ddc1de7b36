import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from backend.processes import Process, ProcessFailed, ending_on_signals

PATIENCE = 20.0
WAITS_FOR_EVER = "import threading; threading.Event().wait()"
WITH_A_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WAITS_FOR_EVER!r}])"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {WAITS_FOR_EVER}"


def python(code: str, directory: Path, **options: object) -> Process:
    return Process("example", [sys.executable, "-c", code], directory / "example.log", **options)  # type: ignore[arg-type]


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def child_of(process: Process) -> psutil.Process:
    process.wait_until(lambda: bool(psutil.Process(process.pid).children()), PATIENCE)
    return psutil.Process(process.pid).children()[0]


def stands_still(process: Process) -> bool:
    return psutil.Process(process.pid).status() == psutil.STATUS_STOPPED


def gone(pid: int) -> bool:
    deadline = time.monotonic() + PATIENCE
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)  # noqa: TID251 (polling with a deadline)
    return not alive(pid)


def test_a_process_that_dies_early_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    process = python("raise SystemExit('the disk is full')", tmp_path)
    process.start()
    with pytest.raises(ProcessFailed, match="the disk is full"):
        process.wait_until(lambda: False, PATIENCE)
    assert process.exit_code == 1


def test_a_process_that_never_gets_ready_is_given_up(tmp_path: Path) -> None:
    process = python(WAITS_FOR_EVER, tmp_path)
    process.start()
    try:
        with pytest.raises(ProcessFailed, match=r"not ready after 0\.1 s"):
            process.wait_until(lambda: False, 0.1)
    finally:
        process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="classes of priority instead of a number")
def test_a_courtesy_is_computed_when_nobody_else_wants_to(tmp_path: Path) -> None:
    process = python(WAITS_FOR_EVER, tmp_path, aside=True)
    process.start()
    try:
        assert psutil.Process(process.pid).nice() == min(19, psutil.Process().nice() + 10)
    finally:
        process.kill()


def test_a_deaf_process_is_ended_when_its_grace_is_over(tmp_path: Path) -> None:
    process = python(DEAF, tmp_path)
    process.start()
    process.wait_until(lambda: b"deaf" in process.log.read_bytes(), PATIENCE)
    process.stop(grace=0.1)
    assert process.exit_code == -signal.SIGKILL


def test_stopping_ends_grandchildren_too(tmp_path: Path) -> None:
    process = python(WITH_A_CHILD, tmp_path)
    process.start()
    grandchild = child_of(process).pid
    process.stop()
    assert gone(grandchild)


def test_killing_ends_what_a_dead_child_left_behind(tmp_path: Path) -> None:
    process = python(WITH_A_CHILD, tmp_path)
    process.start()
    grandchild = child_of(process).pid
    psutil.Process(process.pid).kill()
    assert process.ends_within(PATIENCE)
    process.kill()
    assert gone(grandchild)


def test_a_paused_process_stands_still_and_goes_on(tmp_path: Path) -> None:
    process = python(WAITS_FOR_EVER, tmp_path)
    process.start()
    try:
        process.pause()
        process.wait_until(lambda: stands_still(process), PATIENCE)
        process.resume()
        process.wait_until(lambda: not stands_still(process), PATIENCE)
    finally:
        process.kill()


def test_a_paused_process_can_be_stopped_politely(tmp_path: Path) -> None:
    process = python(WAITS_FOR_EVER, tmp_path)
    process.start()
    process.pause()
    process.stop()
    assert process.exit_code == -signal.SIGTERM


def test_a_restart_goes_on_in_the_same_log(tmp_path: Path) -> None:
    process = python("print('once')", tmp_path)
    for _ in range(2):
        process.start()
        assert process.ends_within(PATIENCE)
    assert process.log.read_text().split() == ["once", "once"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the leash")
def test_a_process_goes_when_we_are_killed(tmp_path: Path) -> None:
    code = f"""
import sys, threading
from pathlib import Path
from backend.processes import Process
process = Process("example", [sys.executable, "-c", {WAITS_FOR_EVER!r}], Path("example.log"))
process.start()
print(process.pid, flush=True)
threading.Event().wait()
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.kill()
    assert gone(child)


def test_a_termination_unwinds_like_ctrl_c() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended, ending_on_signals():
        signal.raise_signal(signal.SIGTERM)
    assert ended.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before
