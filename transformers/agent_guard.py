"""The guard's main: ends an agent's process, and all that it started, once nobody supervises it any more.

    python -I -S agent_guard.py <pid>     stdin: "a" a call is under way and its supervisor lives · "i" no call is

A process of its own, because a thread beside the agent needs the interpreter's lock, which an agent's C code may hold
for minutes. What counts is the time this process was given itself: on a machine that is paused or overrun, nobody is
judged. Standard library only, so that it costs 15 ms and 10 MB.
"""

import os
import queue
import signal
import sys
import threading
from contextlib import suppress

ALIVE, IDLE = b"a", b"i"
TICK_SECONDS = 0.1
LEASH_TICKS = 8  # of silence in a call: a cancel is to take effect within a second, also where the worker is frozen
IDLE_TICK_SECONDS = 1.0
LEASHED = 75  # the exit code that says: the silence was too long


def main() -> None:
    pid = int(sys.argv[1])
    words: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(words,), daemon=True).start()
    code = _watch(pid, words)
    _end(pid)
    os._exit(code)


def _listen(words: "queue.SimpleQueue[bytes]") -> None:
    while heard := os.read(0, 4096):
        words.put(heard)
    words.put(b"")


def _watch(pid: int, words: "queue.SimpleQueue[bytes]") -> int:
    """The exit code, when the supervisor has ended, is silent in a call, or the agent's process has gone by itself."""
    busy, silent = False, 0
    while silent < LEASH_TICKS:
        try:
            heard = words.get(timeout=TICK_SECONDS if busy else IDLE_TICK_SECONDS)
        except queue.Empty:
            silent += busy
            if not _lives(pid):
                return 0
        else:
            if not heard:
                return 0
            busy, silent = heard.endswith(ALIVE), 0
    return LEASHED


def _lives(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # signal 0 is Ctrl+C there; the supervisor's own end closes our stdin
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _end(pid: int) -> None:
    """The agent's process leads a group of its own. On Windows only the process itself can be ended from here."""
    with suppress(OSError):
        if sys.platform == "win32":
            os.kill(pid, signal.SIGTERM)
        else:
            os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
