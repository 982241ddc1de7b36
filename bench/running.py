"""One measure in a process of its own, with a time-out; nothing that it started is left when it has ended.

Its folder is gone with it too: everything that it, its stack or a peer puts into a temporary place lies there.
"""

import ctypes
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from backend.clock import monotonic
from backend.processes import Process
from backend.product import ROOT
from bench.budget import Size
from bench.measure import Measure

GRACE = 15.0  # seconds for a stack to be taken down in order
_PR_SET_CHILD_SUBREAPER = 36
Run = dict[str, Any]


def run(measure: Measure, size: Size, patience: float) -> Run:
    """What came of it: its figures or why there are none, how long it took and how busy the machine was around it."""
    load, began = psutil.getloadavg()[0], monotonic()
    found = _alone(measure, size, patience)
    loads = [round(load, 1), round(psutil.getloadavg()[0], 1)]
    return {"id": measure.id, "title": measure.title, "seconds": round(monotonic() - began, 1),
            "load_average": loads, **found}  # fmt: skip


def _alone(measure: Measure, size: Size, patience: float) -> Run:
    with TemporaryDirectory(prefix="agensium-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL's user passes through it
        command = [sys.executable, "-m", "bench.alone", measure.id, size, str(folder / "found.json")]
        environment = {**os.environ, "TMPDIR": name, "PYTHONPATH": str(ROOT)}
        process = Process(measure.id, command, folder / "log", environment=environment)
        with _nothing_left(process):
            process.start()
            in_time = process.ends_within(patience)
        if not in_time:
            return {"failed": f"not done after {patience:.0f} s"}
        if process.exit_code:
            return {"failed": f"failed: {_last_word(folder / 'log')}"}
        found: Run = json.loads((folder / "found.json").read_text(encoding="utf-8"))
        return found


@contextmanager
def _nothing_left(process: Process) -> Iterator[None]:
    """However the block is left. On Linux whoever lost its parent becomes ours, and is ended too."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    ours = psutil.Process()
    before = set(ours.children(recursive=True))
    try:
        yield
    finally:
        process.stop(GRACE)
        left = [child for child in ours.children(recursive=True) if child not in before]
        for child in left:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.wait_procs(left, timeout=GRACE)


def _last_word(log: Path) -> str:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else "without a word"


def summary(found: Mapping[str, Any]) -> str:
    """For whoever watches."""
    load = " → ".join(f"{value:g}" for value in found["load_average"])
    return f"{found.get('failed') or 'done'}, {found['seconds']:.0f} s, load {load}"
