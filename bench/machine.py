"""What a reader must know of the machine to judge a figure. Nothing that names it."""

import os
import platform
from contextlib import suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryFile

import psutil

from backend.clock import monotonic
from bench.fibonacci import fibonacci

SYNCS = 50
PAGE = bytes(8192)  # what PostgreSQL writes at least
NUMBER = 24  # of Fibonacci: some ten milliseconds of pure Python


def described() -> str:
    """Its processor, memory, system, disk and pace, in one line."""
    gibibytes = psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {platform.release().partition('-')[0]}"
    return (
        f"{os.cpu_count()} cores ({_processor()}), {gibibytes:.0f} GiB, {system}, "
        f"Python {platform.python_version()}; 8 KiB are on disk (fsync) after {1000 * _sync():.2g} ms, "
        f"fibonacci({NUMBER}) takes {1000 * _pace():.2g} ms"
    )


def _processor() -> str:
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    return platform.processor() or "unknown"


def _sync() -> float:
    """Seconds, the median: what a commit waits for at least."""
    taken = []
    with TemporaryFile(buffering=0) as file:
        for _ in range(SYNCS):
            file.write(PAGE)
            began = monotonic()
            os.fsync(file.fileno())
            taken.append(monotonic() - began)
    return median(taken)


def _pace() -> float:
    """Seconds, the shortest of some."""
    taken = []
    for _ in range(5):
        began = monotonic()
        fibonacci(NUMBER)
        taken.append(monotonic() - began)
    return min(taken)
