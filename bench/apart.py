"""A command in a process of its own, looked at from outside: its seconds, CPU seconds and most memory, or its end.

It is killed, with all that it started, at its limits; a limit that was reached is a result like any other.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from backend.clock import monotonic

LOOK_SECONDS = 0.02
FAMILY_EVERY = 25  # looks: whom it started is looked for less often, for that takes milliseconds


@dataclass(frozen=True)
class Limits:
    seconds: float = 60.0
    megabytes: float = 8192.0


@dataclass(frozen=True)
class Ran:
    """`failure` is empty where it ended well. Memory is resident, of it and of all that it started."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    failure: str = ""

    @property
    def told(self) -> dict[str, object]:
        figures = {"s": round(self.seconds, 2), "cpu_s": round(self.cpu_seconds, 2), "peak_mb": round(self.peak_mb)}
        return figures | ({"failed": self.failure} if self.failure else {})


def run_apart(
    command: Sequence[str | Path], log: Path, limits: Limits, environment: Mapping[str, str], folder: Path
) -> Ran:
    """To its end or to its limits."""
    before, began = _reaped(), monotonic()
    with log.open("w") as said, subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=folder, env=dict(environment), start_new_session=True,
    ) as process:  # fmt: skip
        try:
            peak, failure = _watched(process, limits)
        finally:
            _end(process)
    seconds = monotonic() - began
    if not failure and process.returncode:
        failure = _last_word(log, process.returncode)
    return Ran(seconds, _reaped() - before, peak, failure)


def _watched(process: "subprocess.Popen[bytes]", limits: Limits) -> tuple[float, str]:
    """The most memory, and which limit it reached."""
    peak, looks, deadline = 0.0, 0, monotonic() + limits.seconds
    family = [psutil.Process(process.pid)]
    while process.poll() is None:
        if looks % FAMILY_EVERY == 0:
            with suppress(psutil.NoSuchProcess):
                family = [family[0], *family[0].children(recursive=True)]
        peak, looks = max(peak, sum(map(_megabytes, family))), looks + 1
        if peak > limits.megabytes:
            return peak, f"more than {limits.megabytes / 1024:g} GB"
        if monotonic() > deadline:
            return peak, f"no end after {limits.seconds:g} s"
        with suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_SECONDS)
    return peak, ""


def _megabytes(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return float(process.memory_info().rss) / 2**20
    return 0.0


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Whatever of it is left."""
    with suppress(psutil.NoSuchProcess):
        one = psutil.Process(process.pid)
        for each in (*one.children(recursive=True), one):
            with suppress(psutil.NoSuchProcess):
                each.kill()
    process.wait()


def _reaped() -> float:
    """CPU seconds of the children that have ended, and of theirs."""
    times = os.times()
    return times.children_user + times.children_system


def _last_word(log: Path, code: int) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else f"ended with {code}"
