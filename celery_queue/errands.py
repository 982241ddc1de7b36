"""An errand: slow work with the outside world, in a process of its own beside the conductor.

Locks of boto3, urllib3, OpenSSL and the resolver are then never held in a process that prefork may fork, what hangs
is ended by a kill, and the worker keeps the memory.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence

from backend.clock import monotonic
from backend.logs import log
from backend.metrics.of_workers import ERRANDS, ErrandOutcome
from celery_queue.fork_gate import ForkGate

POLL_SECONDS = 0.2
GRACE_SECONDS = 2.0  # to finish what it is at; a worker that stops waits three for all its threads


def run_errand(command: Sequence[str], *, longest_seconds: float, gate: ForkGate, stopping: threading.Event) -> None:
    """Until it is done, hangs, or we are to stop; in the last two cases it is asked to end, then made to."""
    process = _start(command, gate)
    if process is None:
        return
    deadline = monotonic() + longest_seconds
    while process.poll() is None:
        if stopping.wait(POLL_SECONDS) or monotonic() > deadline:
            _end(process)
    if stopping.is_set():
        return
    with gate:
        if process.returncode:
            log().warning("an errand did not go well", errand=command[-1], exit_code=process.returncode)
        ERRANDS.count(command[-1], ErrandOutcome.FAILED if process.returncode else ErrandOutcome.DONE)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _start(command: Sequence[str], gate: ForkGate) -> "subprocess.Popen[bytes] | None":
    """Its words go to this worker's log; a terminal's Ctrl+C does not reach it."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with gate:
        try:
            return subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, start_new_session=sys.platform != "win32"
            )
        except OSError as error:
            log().warning("no errand", errand=command[-1], error=str(error))
            ERRANDS.count(command[-1], ErrandOutcome.FAILED)
            return None
