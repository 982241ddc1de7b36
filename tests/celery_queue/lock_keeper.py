"""A thread of a worker that keeps a lock most of the time, inside a gate; and a word from each fork that finds it held.

Workers under test get it through EXTRA_TOOLS, as the module of a tool.
"""

import os
import sys
import threading

from celery_queue.fork_gate import ForkGate
from tests.probe_tools import PROBE as PROBE  # noqa: PLC0414 (EXTRA_TOOLS finds it here)

EXTRA_TOOLS = "tests.celery_queue.lock_keeper:PROBE"
COMPLAINT = "a fork found a lock held\n"

_lock = threading.Lock()


def _keep(gate: ForkGate) -> None:
    pause = threading.Event()
    while True:
        with gate, _lock:
            pause.wait(0.02)
        pause.wait(0.002)


def _look() -> None:
    if _lock.locked():
        os.write(2, COMPLAINT.encode())  # Celery has taken sys.stderr for its log


if "worker" in sys.argv:  # not in the API, nor in an agent's process
    os.register_at_fork(after_in_child=_look)
    threading.Thread(target=_keep, args=(ForkGate(),), daemon=True).start()
