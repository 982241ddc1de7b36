"""Processes that we start and that never outlive us: start, wait until ready, freeze, kill, stop, read the log.

Shared by the embedded services, `agensium demo`, `agensium dev` and the acceptance tests. It knows no database,
no broker and no HTTP. A process sits in a group of its own, so that Ctrl+C reaches only us and we stop our
children in order; on Linux a leash (backend/leash.py) ends it when we are killed. The leash hangs on the *thread*
that called start(): let that thread live as long as the process.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import psutil

LEASH = Path(__file__).with_name("leash.py")
LOG_TAIL_BYTES = 4_000  # what fits on a screen
POLL_SECONDS = 0.02
AT_ONCE = getattr(signal, "SIGKILL", signal.SIGTERM)  # a stop signal for what keeps nothing; Windows has no SIGKILL


class ProcessFailed(Exception):
    """A process ended too early or never became ready; the message ends with the tail of its log."""


class Process:
    """One child and its log file. It may be started again after it ended; its log goes on.

    One that is started `aside` computes when nobody else wants to.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        uid: int | None = None,
        stop_signal: int = signal.SIGTERM,
        aside: bool = False,
    ) -> None:
        self.name = name
        self.log = log
        self._command = [str(part) for part in command]
        self._environment = dict(environment) if environment is not None else None
        self._uid = uid
        self._stop_signal = stop_signal
        self._aside = aside
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._child is None:
            raise ProcessFailed(f"{self.name} was not started")
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def exit_code(self) -> int | None:
        return None if self._child is None else self._child.poll()

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb" if self._child is None else "ab") as log:
            self._child = subprocess.Popen(
                self._leashed(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=sys.platform != "win32",
                creationflags=_own_group_flag(),
            )
        if self._aside:
            _lower_priority(self._child.pid)

    def wait_until(self, ready: Callable[[], bool], seconds: float, poll: float = POLL_SECONDS) -> None:
        """Poll `ready` until it is true. Raises ProcessFailed when the process ends first or the time is over."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.ends_within(poll):
                raise ProcessFailed(f"{self.name} ended at once.\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise ProcessFailed(f"{self.name} was not ready after {seconds:g} s.\n{self.log_tail()}")

    def ends_within(self, seconds: float) -> bool:
        if self._child is None:
            return True
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(seconds)
        return self._child.returncode is not None

    def stop(self, grace: float = 10.0) -> None:
        """Ask it to end, then end it and its whole tree by force."""
        if self.running:
            self.resume()  # a frozen process hears nothing
            self._ask_to_end()
            self.ends_within(grace)
        self.kill()

    def kill(self) -> None:
        """End the whole tree at once, without a word."""
        for process in self._tree():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if self._child is not None:
            self._child.wait()
            _kill_orphans(self._child.pid)

    def pause(self) -> None:
        """Freeze the whole tree: connections stay open and nobody answers."""
        for process in self._tree():
            with suppress(psutil.NoSuchProcess):
                process.suspend()

    def resume(self) -> None:
        for process in self._tree():
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def log_tail(self) -> str:
        if not self.log.exists():
            return ""
        tail = self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
        return f"The end of {self.log}:\n{tail}"

    def _leashed(self) -> list[str]:
        if sys.platform != "linux":
            return self._command
        uid = "-" if self._uid is None else str(self._uid)
        leash = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), str(int(self._stop_signal)), uid]
        return leash + self._command

    def _ask_to_end(self) -> None:
        assert self._child is not None
        if sys.platform == "win32":
            with suppress(OSError):  # without a console there is nobody to press a key
                self._child.send_signal(signal.CTRL_BREAK_EVENT)
        else:
            self._child.send_signal(self._stop_signal)

    def _tree(self) -> list[psutil.Process]:
        """The process and all below it, parents first; empty when it has ended."""
        if not self.running:
            return []
        try:
            root = psutil.Process(self.pid)
            return [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


@contextmanager
def ending_on_signals() -> Iterator[None]:
    """Let SIGTERM (and a closed terminal) unwind like Ctrl+C does, so that every `finally` runs."""

    def unwind(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    names = ("SIGTERM", "SIGHUP", "SIGBREAK")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, unwind) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _kill_orphans(group: int) -> None:
    """End what a child left behind in its group, when it died without its own children."""
    if sys.platform != "win32":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def _lower_priority(pid: int) -> None:
    with suppress(psutil.NoSuchProcess):
        child = psutil.Process(pid)
        if sys.platform == "win32":
            child.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            child.nice(min(19, child.nice() + 10))


def _own_group_flag() -> int:
    if sys.platform == "win32":
        return subprocess.CREATE_NEW_PROCESS_GROUP
    return 0
