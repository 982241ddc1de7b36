"""How a peer's script talks with the measure: a line of JSON in, a line of JSON out. Runs in the peer's environment.

The first line are its orders (`redis_url`, `database_url`, `directory` and what the measure adds); its answer is the
first `{"ready": true}`. Each further line asks for one run. Whatever a library prints goes to standard error.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

Orders = dict[str, Any]
Run = Callable[[Orders], Orders]
STOP_SECONDS = 10.0
LEASH = Path(__file__).parents[2] / "backend" / "leash.py"  # it imports nothing of ours


def serve(prepared: Callable[[Orders], AbstractContextManager[Run]]) -> None:
    """Read the orders, make ready, and run as often as asked."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(word: Orders) -> None:
        out.write(json.dumps(word) + "\n")
        out.flush()

    with prepared(json.loads(sys.stdin.readline())) as run:
        say({"ready": True})
        for line in sys.stdin:
            say(run(json.loads(line)))


@contextmanager
def worker(*command: str, environment: dict[str, str] | None = None) -> Iterator[None]:
    """A worker process by its module and arguments, ended with the block."""
    process = subprocess.Popen(
        [*leash(), sys.executable, "-m", *command],
        env=os.environ | (environment or {}),
        stdout=2,
        stdin=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def leash() -> list[str]:
    """What stands before a command that shall not outlive this process; nothing but on Linux."""
    if sys.platform != "linux":
        return []
    return [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), str(int(signal.SIGKILL)), "-"]


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Look every few milliseconds. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not so after {seconds:g} s")
        time.sleep(0.005)  # noqa: TID251 (a script without our clock)


def steps_of(orders: Orders, asked: Orders) -> int:
    """A run that only warms has one step."""
    return 1 if asked.get("warm") else int(orders["steps"])


def fibonacci(number: int) -> int:
    """The slow way, as our own agent does it."""
    return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)
