"""The child's main: computes one operation at a time and says how it went. It knows neither database nor doors.

    stdin   {"run": operation, "request": JSON, "asked": path, "answered": path} | {"dump": "stacks"} (on Windows)
    stdout  {"started": true} once, when it is warm; {"progress": 0.3} … then {"done": JSON} | {"failed": {verdict}}

The protocol has a descriptor of its own and file descriptor 1 points at 2, so a library that prints does no harm.
When the supervisor dies, stdin ends and so does this process, wherever it is; where an agent's C code keeps the
interpreter's lock, its guard sees to it (agent_guard.py). On SIGUSR1 it writes where every thread stands.
"""

from backend import calm_start  # noqa: F401 (nothing is collected until main() has all it needs)

# isort: split
import faulthandler
import gc
import json
import os
import queue
import signal
import sys
import threading
from typing import IO

from backend.verdicts import verdict_for
from transformers.child_verdict import verdict_to_json
from transformers.envelopes import Envelope, opened, sealed
from transformers.operations import OPERATIONS, warm_up


class Wire:
    """The child's side of the protocol."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "wb")
        self._in = os.fdopen(os.dup(0), encoding="utf-8")
        os.dup2(2, 1)
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123 (a descriptor is wanted)
            os.dup2(nothing.fileno(), 0)
        self.requests: queue.SimpleQueue[Envelope] = queue.SimpleQueue()

    def say(self, word: Envelope) -> None:
        self.send(json.dumps(word).encode() + b"\n")

    def send(self, line: bytes) -> None:
        self._out.write(line)
        self._out.flush()

    def listen(self) -> None:
        """The control thread: it hears while the main thread computes."""
        for line in self._in:
            envelope = json.loads(line)
            if "dump" in envelope:
                faulthandler.dump_traceback(file=_stderr(), all_threads=True)
            else:
                self.requests.put(envelope)
        os._exit(0)


def _stderr() -> IO[str]:
    assert sys.stderr is not None
    return sys.stderr


def main() -> None:
    faulthandler.enable()  # a segfault says where
    if sys.platform != "win32":
        faulthandler.register(signal.SIGUSR1, all_threads=True)
    wire = Wire()
    threading.Thread(target=wire.listen, daemon=True).start()
    warm_up()
    gc.enable()  # nothing is set aside: at an unexpected end DuckDB would call it leaked, over the traceback
    wire.say({"started": True})
    while True:
        _answer(wire, wire.requests.get())


def _answer(wire: Wire, envelope: Envelope) -> None:
    operation = OPERATIONS[envelope["run"]]
    try:
        request = operation.request.model_validate_json(opened(envelope, "request", envelope["asked"]))
        answer = operation.run(request, lambda fraction: wire.say({"progress": fraction}))
        done = sealed({}, "done", answer.model_dump_json(), envelope["answered"])
    except BaseException as error:  # noqa: BLE001 (the child's edge: every failure becomes a verdict)
        wire.say({"failed": verdict_to_json(verdict_for(error), error)})
    else:
        wire.send(done)


if __name__ == "__main__":
    main()
