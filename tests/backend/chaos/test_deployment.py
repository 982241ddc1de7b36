"""What a worker leaves behind when only its main process is killed is ended too."""

import os
import signal
import sys
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from backend.chaos.deployment import Deployment
from backend.processes import Process
from tests.waiting import eventually

LINGERS = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print(child.pid, flush=True)
child.wait()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="process groups")
@pytest.mark.parametrize("end", ["reap", "close"])
def test_the_orphans_of_a_worker_are_ended(tmp_path: Path, end: str) -> None:
    worker = Process("worker", [sys.executable, "-c", LINGERS], tmp_path / "worker.log")
    deployment = Deployment.__new__(Deployment)
    deployment._workers = [worker]
    deployment.api = cast("Any", Process("api", [], tmp_path / "api.log"))
    worker.start()
    eventually(lambda: worker.log.exists() and worker.log.read_bytes().endswith(b"\n"))
    orphan = psutil.Process(int(worker.log.read_text()))
    os.kill(worker.pid, signal.SIGKILL)
    assert worker.ends_within(5)
    assert deployment.workers == []
    assert orphan.is_running(), "nobody has ended it yet"
    getattr(deployment, end)()
    eventually(lambda: not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE)
