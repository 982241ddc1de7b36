"""How many no-op tasks a second: all are queued, then the workers start; from the first that ends to the last.

Each task adds one byte to a file: two microseconds, for everybody alike. Runs in the peer's environment.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from bench.peers.talk import Orders, Run

DONE = Path(os.environ.get("PEER_DIRECTORY", ".")) / "done"
PATIENCE = 80.0


def done() -> None:
    """Called by a task."""
    file = os.open(DONE, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, b".")
    os.close(file)


@contextmanager
def throughput(
    queue_up: Callable[[int], None], workers: Callable[[], list[AbstractContextManager[None]]]
) -> Iterator[Run]:
    """A script's `run`: so many tasks a second. `workers` says what is to be started, once all are queued."""

    def run(asked: Orders) -> Orders:
        DONE.unlink(missing_ok=True)
        count = int(asked["count"])
        queue_up(count)
        with ExitStack() as started:
            for one in workers():
                started.enter_context(one)
            first = _when(1)
            first_count = DONE.stat().st_size
            last = _when(count)
        return {"value": (count - first_count) / max(1e-9, last - first)}

    yield run


def _when(count: int) -> float:
    deadline = time.monotonic() + PATIENCE
    while not DONE.exists() or DONE.stat().st_size < count:
        if time.monotonic() > deadline:
            found = DONE.stat().st_size if DONE.exists() else 0
            raise TimeoutError(f"{found} of {count} tasks were done in {PATIENCE:g} s")
        time.sleep(0.002)  # noqa: TID251 (a script without our clock)
    return time.monotonic()
