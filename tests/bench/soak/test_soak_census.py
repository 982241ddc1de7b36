"""A process that holds on to memory, a file and a thread is seen to."""

import subprocess
import sys

import psutil
import pytest

from bench.soak.census import INFANCY_SECONDS, Census, Kind, Reading
from tests.waiting import eventually

LEAKS = """
import sys, threading
held = []
for line in sys.stdin:
    held.append((bytearray(b"x" * 20_000_000), open(sys.executable, "rb")))
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    print("done", flush=True)
"""


def test_memory_files_and_threads_of_a_process_are_read_and_an_orphan_is_told() -> None:
    census = Census()
    with subprocess.Popen([sys.executable, "-c", LEAKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as leaking:
        assert leaking.stdin
        assert leaking.stdout
        census.started |= {child.pid for child in psutil.Process().children()}  # other tests' too, who wait for them

        def read() -> Reading | None:
            found = census.look(0.0).readings
            return next((reading for one, reading in found.items() if one.pid == leaking.pid), None)

        eventually(lambda: read() is not None, INFANCY_SECONDS + 10)
        before = read()
        leaking.stdin.write(b"\n")
        leaking.stdin.flush()
        leaking.stdout.readline()
        after = read()
        assert before
        assert after
        assert after.memory - before.memory == pytest.approx(20e6, rel=0.2)
        assert (after.files, after.threads) == (before.files + 1, before.threads + 1)
        assert [one for one in census.look(0.0).orphans if f" {leaking.pid}:" in one] == []
        census.started.remove(leaking.pid)
        assert [one for one in census.look(0.0).orphans if one.startswith(f"{Kind.OTHER} {leaking.pid}:")] != []
        leaking.stdin.close()
